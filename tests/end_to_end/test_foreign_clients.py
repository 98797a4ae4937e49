"""What supabase-js's and supabase-py's own tests of Realtime check, as a table of scenarios in our words.

Each row is played by the newest and the oldest supabase-js 2.x from npm (`js/scenarios.mjs`, one process for
all rows of a version) and by supabase-py (`foreign_py.py`), against the embedded project.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.end_to_end.foreign_py import played
from tests.end_to_end.node import reported

NEWEST, OLDEST, PYTHON = "@supabase/supabase-js", "supabase-js-oldest", "supabase-py"
"""The oldest sends nothing of a channel's config but `broadcast` and `presence`."""
SUBSCRIBED = ["SUBSCRIBED"]
EVERYBODY = (NEWEST, OLDEST, PYTHON)


class Scenario(NamedTuple):
    """What a client does, what it has to observe, and which clients can do it."""

    words: str
    observed: Any
    clients: tuple[str, ...] = EVERYBODY


SCENARIOS = {
    "changes": Scenario(
        "an insert, an update and a delete of a table with a filter; another row is not heard of",
        [
            ["SUBSCRIBED", "ok", "Subscribed to PostgreSQL"],
            ["INSERT", "c1", []],
            ["UPDATE", "c2", ["id", "body"]],
            ["DELETE", None, ["id", "body"]],
            [],
        ],
    ),
    "refused_binding": Scenario(
        "a table that does not exist: the channel is joined, and a system message names the reason",
        [
            "SUBSCRIBED",
            "error",
            "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the"
            " given connect parameters: [event: *, schema: public, table: nosuch, filters: [], select: nil]",
        ],
        (NEWEST, OLDEST),
    ),
    "broadcast": Scenario(
        "a broadcast reaches others, and its sender if `self` is on; `ack` answers it",
        [
            [SUBSCRIBED, SUBSCRIBED],
            "ok",
            [["another", {"n": 1}], ["itself", {"n": 1}]],
            ["itself", {"n": 2}],
            [],
        ],
    ),
    "presence": Scenario(
        "who tracks is seen by the others, stands in the state, and leaves when it untracks",
        [["join", "walker", [{"at": "door"}]], ["walker"], ["leave", "walker", [{"at": "door"}]]],
    ),
    "private_topic": Scenario(
        "a private topic: the member joins and hears, a client without a session is refused",
        ["SUBSCRIBED", "CHANNEL_ERROR", [{"n": 1}]],
        (NEWEST, PYTHON),
    ),
    "database_broadcast": Scenario(
        "a trigger broadcasts a change to a private topic",
        ["SUBSCRIBED", ["e2e_notes", "told"]],
        (NEWEST, PYTHON),
    ),
    "leaving": Scenario(
        "a channel that is removed is told CLOSED and is gone",
        [SUBSCRIBED, "ok", ["CLOSED"], 0],
        (NEWEST, OLDEST),
    ),
    "wait": Scenario(
        "a join that waits for its subscription is refused for a missing table; else the next row comes",
        ["CHANNEL_ERROR", "RealtimeDisabledForConfiguration", "SUBSCRIBED", ["the first after SUBSCRIBED"]],
        (NEWEST,),
    ),
    "persist": Scenario(
        "only broadcasts that ask to be stored are replayed to who joins later",
        [["ok", "ok", "ok", True], [1, True], [3, True], [4, True], []],
        (NEWEST,),
    ),
}

NOTES = """
create table public.foreign_notes (id int generated always as identity primary key, body text);
alter table public.foreign_notes replica identity full;
alter publication supabase_realtime add table public.foreign_notes;
"""


@pytest.fixture
def notes(project: dict[str, str], private_topics: None) -> Iterator[None]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(NOTES.encode())
        yield
        connection.execute("drop table public.foreign_notes")


def rows_of(client: str) -> dict[str, Any]:
    return {name: each.observed for name, each in SCENARIOS.items() if client in each.clients}


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("version", [NEWEST, OLDEST], ids=["newest", "oldest"])
def test_supabase_js_observes(version: str, scripts: Path, node_environment: dict[str, str]) -> None:
    expected = rows_of(version)
    assert reported(scripts / "scenarios.mjs", version, *expected, environment=node_environment) == expected


@pytest.mark.usefixtures("notes")
def test_supabase_py_observes(project: dict[str, str]) -> None:
    expected = rows_of(PYTHON)
    assert asyncio.run(played(project, list(expected))) == expected
