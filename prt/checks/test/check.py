"""The types of a check and of the suite that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from prt.checks.test.context import Context
from prt.checks.test.outcomes import Found


class Check(Struct, frozen=True, kw_only=True):
    """A check: one thing that must hold.

    Attributes:
        run: Performs the check. It raises SkippedError, FailedError or any PrtError if the check does not
            pass.
        is_long: Whether the user chose how long it takes, so that the waiting time does not limit it.
    """

    suite: str
    name: str
    run: Callable[[Context], Awaitable[Found]]
    is_long: bool = False


class Suite(Struct, frozen=True, kw_only=True):
    """A group of checks.

    Attributes:
        line: What the suite tests, in one line for people.
        needs: What it needs of the project, in one line for people.
        writes: Whether it writes rows.
        is_named_only: Whether it runs only if the user names it.
    """

    name: str
    line: str
    needs: str
    checks: tuple[Check, ...]
    writes: bool = False
    is_named_only: bool = False
