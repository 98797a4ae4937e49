"""The settings of a test run."""

from __future__ import annotations

import secrets
import socket
import time
import zlib
from typing import Literal

from msgspec import Struct

from prt.config.constants.plans import PLANS

MARK = "prt-test:"
"""What the text of every row begins with that a test run makes."""

Plan = Literal["free", "pro", "no-cap", "none"]
"""A plan whose limits a load test respects, or `none` for no limit."""
MESSAGES_PER_SECOND: dict[str, int] = {name: one.messages for name, one in PLANS.items()} | {"none": 0}
"""What a plan allows; each change counts once for each subscriber. 0 is without limit."""
CONNECTIONS: dict[str, int] = {name: one.connections for name, one in PLANS.items()} | {"none": 0}


class Settings(Struct, frozen=True, kw_only=True):
    """`wait_seconds` is how long what must come is waited for; `marker` the text column of the mark.

    `is_table_named`: somebody asked for this table, so that it must be there.
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
    """Tells a run's rows from another's, and by whom and when they were made."""

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
    """Return the run that made a row, read from its mark; None if it can't be read."""
    word = text.removeprefix(MARK).partition(" ")[0]
    try:
        started, host, pid, chance = (int(part, 16) for part in word.split("-"))
    except ValueError:
        return None
    return RunId(started, host, pid, chance)


def this_host() -> int:
    """A number for the machine's name, which is nobody's business in a foreign table."""
    return zlib.crc32(socket.gethostname().encode())
