"""The variables of the environment, and which of them libraries may read.

The libraries below `prt` have variables of their own. Some change what `prt` does without a word, and some
end it with a traceback. They are taken out of this process and stay in what we start.
"""

from __future__ import annotations

import os
from typing import Final

LIBRARIES: Final = ("WEBSOCKETS_", "PSYCOPG_")
"""What the variables of libraries begin with that are read when the library is imported."""
LIBPQ: Final = ("PG",)
"""PostgreSQL's client. Several of its variables, PGSERVICE and PGTZ for two, beat any explicit parameter."""

_withdrawn: Final[dict[str, str]] = {}


def environment() -> dict[str, str]:
    """Return a copy of the environment that we were started with, for those who start processes."""
    return _withdrawn | os.environ


def withdraw(beginnings: tuple[str, ...]) -> None:
    """Take the variables whose names begin with one of these out of this process."""
    for name in [name for name in os.environ if name.startswith(beginnings)]:
        _withdrawn[name] = os.environ.pop(name)
