"""The names that messages use for what a user gives a command.

The packages below `cli` name the thing itself ("the alert rule"). While a command runs, the command line
supplies its own names, so that the same message names the option ("--alert").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum


class Input(Enum):
    """Something that a user gives a command. The value is its name in a message without a command line.

    Format an Input when the message is made, and never in a module's constant, which would keep the name that
    was in force at import. Such a constant is a template for `filled`.
    """

    ALERT = "the alert rule"
    ALLOW_SLOT = "the permission to open a slot"
    ALLOW_WRITES = "the permission to write"
    BROADCAST = "the topic of broadcasts"
    BATCH = "the batch window"
    CLEAN = "the removal of former rows"
    CLIENTS = "the number of clients"
    COMMAND = "the command"
    CONTRACT = "the contract"
    COUNT = "the count"
    CURSOR = "the column that dates its rows"
    DATA_DIR = "the data folder"
    DURATION = "the duration"
    EDIT = "the permission to edit"
    EXCLUDE = "the pattern to exclude"
    EXPECT = "the expectation"
    FILTER = "a filter"
    GROUP_BY = "the column to group by"
    HIGHLIGHT = "the pattern to highlight"
    HTTP = "HTTP"
    IDENTITY = "the identity"
    IDLE = "the idle time"
    INCLUDE = "the pattern to include"
    JUNIT = "the JUnit report"
    KEY = "the key"
    LATE_AFTER = "the time after which a change is late"
    LIKE_CLI = "the ports and keys of Supabase's CLI"
    LIMIT = "the limit of a plan"
    LIST = "the list of suites"
    LOCAL = "the embedded project"
    MARKER = "the column for the mark"
    MAX_LAG = "the limit of the lag"
    MAX_WAL = "the limit of the WAL held back"
    MIGRATIONS = "the migrations"
    NO_BACKFILL = "the wish for no backfill"
    NO_SEED = "the wish for no seed"
    NO_WAIT = "the wish not to wait"
    PLAN = "the plan"
    PORT = "the port"
    PRESENCE = "the topic of presence"
    PRIVATE = "a private channel"
    PRIVATE_TOPIC = "the private topic"
    RATE = "the rate"
    RECORD = "the recording"
    REPORT = "the HTML report"
    REQUIRE = "what is required"
    SAMPLES = "the number of samples"
    SELECT = "the columns"
    SIGNING_KEY = "the signing key"
    SINCE = "the earlier start"
    SNAPSHOT = "a snapshot"
    SORT = "the sort order"
    STRANGER = "the second user"
    TABLE = "the table"
    TIMEOUT = "the timeout"
    TRAFFIC = "the traffic"
    URL = "the URL"
    USER = "the user"
    USER_COLUMN = "the column of the user"
    VIEW = "the view"
    WAIT = "the waiting time"
    WAIT_FOR_SERVER = "waiting for the server"
    WRITE_CONTRACT = "the contract to write"

    def __str__(self) -> str:
        return _names.get(self, self.value)


def filled(template: str) -> str:
    """Return a template with input names filled in: `{TABLE}` becomes "the table" or the option's name."""
    return template.format_map({each.name: each for each in Input})


_names: dict[Input, str] = {}


@contextmanager
def named(names: Mapping[Input, str]) -> Iterator[None]:
    """Use these names in messages, and no others, until the end of the block."""
    before = dict(_names)
    _replace(names)
    try:
        yield
    finally:
        _replace(before)


def _replace(names: Mapping[Input, str]) -> None:
    _names.clear()
    _names.update(names)
