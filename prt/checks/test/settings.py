"""The settings of a test run, and the ids that mark its rows."""

from __future__ import annotations

import secrets
import socket
import time
import zlib
from typing import Literal

from msgspec import Struct

from prt.config.constants.plans import PLANS

MARK = "prt-test:"
"""The beginning of the text of every row that a test run makes."""

KEY = "id"
"""The usual key of a table."""

Plan = Literal["free", "pro", "no-cap", "none"]
"""A plan of Supabase whose limits a load test respects, or `none` for no limit."""
MESSAGES_PER_SECOND: dict[str, int] = {name: one.messages for name, one in PLANS.items()} | {"none": 0}
"""The messages a second that each plan allows; a change counts once for each subscriber. 0 means no limit."""
CONNECTIONS: dict[str, int] = {name: one.connections for name, one in PLANS.items()} | {"none": 0}


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a test run.

    Attributes:
        is_table_named: Whether the user named the table, instead of leaving it to the default.
        marker: The text column that holds the mark; None to look for one.
        wait_seconds: How long to wait for anything that must come.
        samples: How many rows the suite `latency` writes.
        clients: How many subscribers the suite `load` opens.
        rate: How many rows a second the suite `load` writes.
        duration_seconds: How long the suite `load` writes.
        private_topic: The topic on which private channels are tested; None for one of the run.
    """

    schema: str = "public"
    table: str = "notifications"
    is_table_named: bool = False
    marker: str | None = None
    wait_seconds: float = 15.0
    samples: int = 50
    clients: int = 5
    rate: float = 20.0
    duration_seconds: float = 10.0
    plan: Plan = "free"
    private_topic: str | None = None

    @property
    def table_name(self) -> str:
        """Return the table under test as `schema.table`."""
        return f"{self.schema}.{self.table}"


class RunId(Struct, frozen=True):
    """The id of a run, which distinguishes its rows from those of other runs.

    It also records where and when the rows were made: `started` is in seconds since the epoch, `host` is the
    result of `this_host()`.
    """

    started: int
    host: int
    pid: int
    chance: int

    def __str__(self) -> str:
        return f"{self.started:x}-{self.host:x}-{self.pid:x}-{self.chance:x}"

    @property
    def mark(self) -> str:
        """Return the mark that every row of the run begins with."""
        return f"{MARK}{self}"


def new_run(pid: int) -> RunId:
    """Return a new id for a run of process `pid`."""
    return RunId(int(time.time()), this_host(), pid, secrets.randbits(24))


def run_of(text: str) -> RunId | None:
    """Return the run that made a row, read from its mark; None if the mark can't be read."""
    word = text.removeprefix(MARK).partition(" ")[0]
    try:
        started, host, pid, chance = (int(part, 16) for part in word.split("-"))
    except ValueError:
        return None
    return RunId(started, host, pid, chance)


def this_host() -> int:
    """Return a number in place of the machine's name, which should not be written to a project's table."""
    return zlib.crc32(socket.gethostname().encode())
