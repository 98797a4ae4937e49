"""What the watchdog is asked to run, and how PostgreSQL's programs are started for it.

It needs nothing but the standard library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, TypedDict


class Order(NamedTuple):
    """What to run. `folder` holds the lock, the log and `data`; an ephemeral one is removed at the end."""

    folder: str
    ephemeral: bool
    programs: str
    password: str
    initdb: list[str]
    settings: dict[str, str]
    copies: list[tuple[str, str]]
    archive: str | None = None
    uid: int | None = None
    gid: int | None = None
    port: int | None = None
    """None takes a free one."""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Order({self.folder})"

    @property
    def root(self) -> Path:
        return Path(self.folder)

    @property
    def data(self) -> Path:
        return self.root / "data"


class StartError(Exception):
    """One line for the user: why PostgreSQL is not there."""


def private(path: str, flags: int) -> int:
    """Open a file that nobody else may read, for `open`."""
    return os.open(path, flags, 0o600)


def program(order: Order, name: str) -> str:
    return str(order.root / order.programs / name)


class Surroundings(TypedDict):
    """Keywords of Popen."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None
    env: dict[str, str]
    cwd: str


def surroundings(order: Order) -> Surroundings:
    """The user, a clean environment, a working directory that every user can enter.

    A locale that is not installed, or a PG… variable of the user's, would break initdb or the server.
    """
    return {
        "user": order.uid,
        "group": order.gid,
        "extra_groups": None if order.uid is None else [],
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        "cwd": order.folder,
    }
