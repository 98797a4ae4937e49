"""The variables of the environment, and which of them libraries can read.

The libraries that `prt` uses read variables of their own. Some of these silently change what `prt` does, and
some make it fail. So they are removed from this process, but kept for the processes that it starts.
"""

from __future__ import annotations

import os
from typing import Final

LIBRARIES: Final = ("WEBSOCKETS_", "PSYCOPG_")
"""Prefixes of variables that libraries read when they are imported."""
LIBPQ: Final = ("PG",)
"""The prefix of libpq's variables. Several, such as PGSERVICE and PGTZ, override explicit parameters."""

_withdrawn: Final[dict[str, str]] = {}


def environment() -> dict[str, str]:
    """Return a copy of the environment that this process was started with, for processes that it starts."""
    return _withdrawn | os.environ


def withdraw(beginnings: tuple[str, ...]) -> None:
    """Remove the variables whose names have one of these prefixes from this process."""
    for name in [name for name in os.environ if name.startswith(beginnings)]:
        _withdrawn[name] = os.environ.pop(name)
