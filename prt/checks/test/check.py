"""Checks, and the suites that they belong to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from prt.checks.test.context import Context
from prt.checks.test.outcomes import Found


class Check(Struct, frozen=True, kw_only=True):
    """One thing that holds or doesn't. `run` raises SkippedError, FailedError or any PrtError.

    `is_long` where the user chose its length, and the waits don't bound it.
    """

    suite: str
    name: str
    run: Callable[[Context], Awaitable[Found]]
    is_long: bool = False


class Suite(Struct, frozen=True, kw_only=True):
    """Checks that belong together; `needs` is for people, `writes` and `is_named_only` for the plan."""

    name: str
    line: str
    needs: str
    checks: tuple[Check, ...]
    writes: bool = False
    is_named_only: bool = False
