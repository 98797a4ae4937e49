"""The order that the watchdog receives, and the surroundings in which it starts PostgreSQL's programs.

The watchdog imports this module, so it needs nothing but the standard library.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, TypedDict


class Order(NamedTuple):
    """An order to run a PostgreSQL.

    Attributes:
        folder: The folder with the lock, the log and the cluster.
        ephemeral: Whether the folder is removed at the end.
        programs: The folder of PostgreSQL's programs, absolute or relative to `folder`.
        password: The superuser's password, for initdb.
        initdb: The arguments of initdb.
        settings: The settings of the server.
        copies: Sources and their targets relative to `folder`, which are copied before the start.
        archive: The archive from which a cluster is copied, or in which a new one is kept; None for neither.
        uid: The id of the user who runs PostgreSQL; None for our own.
        gid: The id of that user's group.
        port: The port of the server; None takes a free one.
    """

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

    def __repr__(self) -> str:
        """Return a text without the password."""
        return f"Order({self.folder})"

    @property
    def root(self) -> Path:
        """Return the folder."""
        return Path(self.folder)

    @property
    def data(self) -> Path:
        """Return the folder of the cluster."""
        return self.root / "data"


class StartError(Exception):
    """PostgreSQL did not start. The message is one line for the user."""


def private(path: str, flags: int) -> int:
    """Open a file that only its owner can read; the argument `opener` of `open`."""
    return os.open(path, flags, 0o600)


def program(order: Order, name: str) -> str:
    """Return the path of a program of PostgreSQL."""
    return str(order.root / order.programs / name)


class Surroundings(TypedDict):
    """The keywords of Popen that `surroundings` returns."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None
    env: dict[str, str]
    cwd: str


def surroundings(order: Order) -> Surroundings:
    """Return the user, a clean environment and a working directory for a program of PostgreSQL.

    A locale that is not installed, or one of the user's PG… variables, would break initdb or the server.
    """
    return {
        "user": order.uid,
        "group": order.gid,
        "extra_groups": None if order.uid is None else [],
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        "cwd": order.folder,
    }
