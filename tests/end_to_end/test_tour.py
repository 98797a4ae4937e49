"""A tour of the live views, driven key by key as a person would."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from prt.views.sinks.recorder import Recorder, header_of
from tests.running import Terminal, clean_environment, of_project, terminal
from tests.views import story

Database = psycopg.Connection[Any]
READY = re.compile(r"READY since")
DATE = re.compile(r"\d{4}-\d\d-\d\dT")
MOST_SEEN = 600
LEAST_REPEATED = 20
"""Changes that both demos of a seed must have in common."""


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def production(database: Database) -> Iterator[str]:
    """A production of the test's own: what it filters by is nobody else's."""
    production = str(uuid4())
    database.execute("insert into productions (id, name) values (%s, 'Tour')", (production,))
    yield production
    database.execute("delete from productions where id = %s", (production,))


def add_task(database: Database, production: str, title: str, status: str = "todo") -> None:
    database.execute(
        "insert into project_tasks (production_id, title, status) values (%s, %s, %s::task_status)",
        (production, title, status),
    )


@pytest.mark.parametrize("widths", [(60, 200), (80, 120)])
def test_the_demo_is_searched_opened_copied_and_filtered_and_can_be_repeated(
    tmp_path: Path, widths: tuple[int, int]
) -> None:
    """Two demos of one seed, at two widths: the same changes in the same order."""
    folders = [tmp_path / str(columns) for columns in widths]
    demos: list[Terminal] = []
    with ExitStack() as stack:
        for columns, folder in zip(widths, folders, strict=True):
            folder.mkdir()
            recorded = ("--record", str(tmp_path / f"{columns}.ndjson"))
            demo = terminal(
                *("demo", "--rate", "20", "--seed", "7", *recorded),
                environment=clean_environment(),
                columns=columns,
                lines=30,
                folder=folder,
            )
            demos.append(stack.enter_context(demo))
        for view, columns, folder in zip(demos, widths, folders, strict=True):
            take_the_tour(view, columns, folder)
        recordings = [tmp_path / f"{columns}.ndjson" for columns in widths]
        seen = 0
        one, other = common_part(*map(changes_of, recordings))
        while len(one) < LEAST_REPEATED:  # which change is the first depends on when each view was READY
            seen += 50
            assert seen < MOST_SEEN, "the demos have nothing in common"
            for view in demos:
                view.until(lambda text, least=seen: count_of(text) > least)  # type: ignore[misc]
            one, other = common_part(*map(changes_of, recordings))
        assert one == other
        for view in demos:
            view.send(b"q")
            assert view.finish() == 0
            assert "ended: quit" in view.text


def take_the_tour(view: Terminal, columns: int, folder: Path) -> None:
    view.until(lambda text: READY.search(text) is not None and "project_tas" in text)
    view.send(b"j")
    view.until(lambda text: "▸" in text and "newer" in text)
    view.send(b"/project")
    view.until(lambda text: "/project" in text)
    view.send(b"\r")
    view.until(lambda text: re.search(r"/project +\d+ of \d+", text) is not None)
    view.send(b"\r")
    opened = view.until(lambda text: "── details" in text and "── new" in text)
    assert "topic prt-watch" in opened
    view.send(b"y")
    view.until(lambda text: "copied as JSON" in text)
    copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", bytes(view.raw))
    line = json.loads(b64decode(copied[-1]))
    assert line["type"] == "change"
    assert "project" in json.dumps(line)
    view.send(b"\x1b")
    view.until(lambda text: "── details" not in text)
    view.send(b"\x1b")
    view.until(lambda text: "/project" not in text)
    view.send(b"fevent=DELETE table=nothing\r")
    view.until(lambda text: "nothing matches" in text and "hidden" in text)
    view.send(b"e")
    view.until(lambda text: "saved prt-" in text)
    assert sorted(path.suffix for path in folder.iterdir()) == [".ndjson", ".svg"]
    view.send(b"?")
    view.until(lambda text: "── keys" in text)
    view.send(b"q")  # closes the help, and ends nothing
    view.until(lambda text: "── keys" not in text)
    view.send(b"\x1b")
    view.until(lambda text: "nothing matches" not in text)
    view.send(b"2")  # the board, which nobody asked for
    view.until(lambda text: re.search(r"^todo +\d+│ in_progress", text, re.MULTILINE) is not None)
    view.send(b"j\r")
    view.until(lambda text: "── details" in text and "── row" in text)
    view.send(b"\x1b")
    view.until(lambda text: "── details" not in text and "❯" in text)
    view.send(b"6j")
    view.until(lambda text: "user-presence:" in text and "❯" in text)
    assert all(len(line) <= columns for line in view.text.splitlines())
    view.send(b"1")


def count_of(text: str) -> int:
    """The events that a screen counts."""
    found = re.search(r"([\d,]+) events", text)
    return int(found[1].replace(",", "")) if found else 0


def common_part(one: list[Any], other: list[Any]) -> tuple[list[Any], list[Any]]:
    """What both hold from the later of their beginnings on, as long as both go on."""
    if one and one[0] in other:
        other = other[other.index(one[0]) :]
    elif other and other[0] in one:
        one = one[one.index(other[0]) :]
    else:
        return [], []
    count = min(len(one), len(other))
    return one[:count], other[:count]


def changes_of(recording: Path) -> list[tuple[str, ...]]:
    """The changes of a recording, with what does not depend on the time of day."""
    written = recording.read_bytes().rpartition(b"\n")[0]  # the last line may be half written
    lines = [json.loads(line) for line in written.splitlines()]
    found = []
    for line in lines:
        if line["type"] == "change" and line["source"] == "stream":
            row = {
                name: value
                for name, value in (line["new"] or line["old"]).items()
                if not DATE.match(f"{value}")
            }
            found.append((line["table"], line["eventType"], json.dumps(row, sort_keys=True)))
    return found


def test_a_watch_that_ends_by_its_count_has_shown_its_last_event(
    project: dict[str, str], database: Database, production: str
) -> None:
    with terminal(
        *("watch", "project_tasks", "--filter", f"production_id=eq.{production}", "--count", "2"),
        environment=of_project(project),
        columns=120,
    ) as view:
        view.until(lambda text: READY.search(text) is not None)
        add_task(database, production, "The first")
        view.until(lambda text: "The first" in text)
        add_task(database, production, "The last")
        assert view.finish() == 0
        left = bytes(view.raw).decode().rpartition("\x1b[?1049l")[2]  # what stands in the scrollback
        assert left.index("The last") < left.index("The first") < left.index("2 events")


def test_a_pause_counts_what_waits(project: dict[str, str], database: Database, production: str) -> None:
    with terminal(
        *("watch", "project_tasks", "--filter", f"production_id=eq.{production}"),
        environment=of_project(project),
        columns=120,
    ) as view:
        view.until(lambda text: READY.search(text) is not None)
        add_task(database, production, "Seen at once")
        view.until(lambda text: "Seen at once" in text)
        view.send(b" ")
        view.until(lambda text: "‖ paused · 0 new" in text)
        for number in range(3):
            add_task(database, production, f"Waited {number}")
        waiting = view.until(lambda text: "‖ paused · 3 new" in text)
        assert "Waited" not in waiting
        view.send(b" ")
        view.until(lambda text: "paused" not in text and all(f"Waited {n}" in text for n in range(3)))
        view.send(b"q")
        assert view.finish() == 0


def test_a_card_is_moved_and_one_that_is_refused_goes_back(
    project: dict[str, str], database: Database, production: str
) -> None:
    add_task(database, production, "Open to all")
    database.execute(
        "create policy tour_locked on project_tasks as restrictive for update to authenticated "
        "using (title <> 'Locked')"
    )
    try:
        with terminal(
            *("watch", "project_tasks", "--filter", f"production_id=eq.{production}"),
            *("--view", "board", "--edit"),
            environment=of_project(project),
            columns=120,
        ) as view:
            view.until(lambda text: "Open to all" in text)
            view.send(b"j")
            view.until(lambda text: "❯ Open to all" in text)
            view.send(b">")
            text = view.until(lambda text: "'Open to all' todo → in_progress: confirmed by its echo" in text)
            card = next(line for line in text.splitlines() if "Open to all" in line and "│" in line)
            assert card.index("│") < card.index("Open to all")
            database.execute("update project_tasks set title = 'Locked' where title = 'Open to all'")
            view.until(lambda text: "❯ Locked" in text)
            view.send(b">")
            text = view.until(lambda text: "! 'Locked' in_progress → review: rolled back" in text)
            assert "row level security" in text
            assert text.count("Locked") == 2
            card = next(line for line in text.splitlines() if "Locked" in line and "│" in line)
            assert card.count("│", 0, card.index("Locked")) == 1
            view.send(b"\r")
            view.until(lambda text: "── details" in text and 'title: "Locked"' in text)
            view.send(b"\x1b")
            view.until(lambda text: "── details" not in text)
            view.send(b"q")
            assert view.finish() == 0
            assert "--edit writes to" in bytes(view.raw).decode(errors="replace")
        row = database.execute(
            "select status::text from project_tasks where production_id = %s", (production,)
        ).fetchone()
        assert row == ("in_progress",)
    finally:
        database.execute("drop policy tour_locked on project_tasks")


def test_a_recording_is_sought_slowed_and_stepped(tmp_path: Path) -> None:
    path = tmp_path / "recording.ndjson"
    begin = story.BEGIN + 1_000_000
    with Recorder(path, header_of("abc.supabase.co", story.BEGIN), pytest.fail) as recorder:
        for event in story.connecting():
            recorder.consume(event)
        for number in range(12_000):
            row = story.task(id=number, title=f"No {number}")
            recorder.consume(story.change("INSERT", "project_tasks", at=begin + number * 10_000, new=row))
    with terminal("replay", str(path), environment=clean_environment(), columns=120) as view:
        view.until(lambda text: READY.search(text) is not None and "▶ 1×" in text)
        view.send(b" ")
        view.until(lambda text: "‖ paused 1×" in text)
        view.send(b"0")
        view.until(lambda text: "No " not in text)
        view.send(b"\x1b[C" * 6)
        view.until(lambda text: "No 5899 " in text)  # the last one within a minute
        view.send(b".")
        view.until(lambda text: "No 5900 " in text)
        view.send(b"\x1b[D")
        view.until(lambda text: "No 4899 " in text and "No 4900 " not in text)
        view.send(b"]")
        view.until(lambda text: "‖ paused 2×" in text)
        view.send(b"q")
        assert view.finish() == 0
        assert "ended: quit" in view.text
