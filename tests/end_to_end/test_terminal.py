"""`prt` in a pseudo-terminal: what a person sees, and what is left when it ends."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.running import clean_environment, of_project, terminal

Database = psycopg.Connection[Any]


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection


def add_task(database: Database, title: str) -> None:
    database.execute(
        "insert into project_tasks (production_id, title) select id, %s from productions order by id limit 1",
        (title,),
    )


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_view_shows_the_state_and_the_newest_change_first(
    project: dict[str, str], database: Database, columns: int
) -> None:
    with terminal("watch", "project_tasks", environment=of_project(project), columns=columns) as view:
        view.until(lambda text: "connected" in text and "READY" in text)
        add_task(database, "First of all")
        view.until(lambda text: "First of all" in text)
        add_task(database, "Second")
        text = view.until(lambda text: "Second" in text and "lag p50" in text.splitlines()[1])
        assert text.index("Second") < text.index("First of all")
        assert "INSERT" in text
        assert "project_tasks" in text
        view.send(b"\x03")
        assert view.finish() == 130
        assert "2 events" in view.text
        assert "stopped" in view.text
    assert b"\x1b[?1049l" in view.raw
    assert b"\x1b[?25h" in view.raw


def test_the_head_shows_that_the_tables_are_verified_and_the_summary_what_that_covers(
    project: dict[str, str], database: Database
) -> None:
    with terminal("watch", "project_tasks", environment=of_project(project), columns=120) as view:
        view.until(lambda text: "verified" in text and "s ago" in text)
        add_task(database, "Costs a message")
        view.until(lambda text: "Costs a message" in text)
        view.send(b"q")
        assert view.finish() == 0
        assert "1 table verified" in view.text
        assert "cost 1 message, 1 connection, 1 channel" in view.text


def test_an_update_shows_old_and_new_and_where_the_old_comes_from(
    project: dict[str, str], database: Database
) -> None:
    with terminal("watch", "project_tasks", environment=of_project(project), columns=120) as view:
        view.until(lambda text: "READY" in text)
        add_task(database, "Rig truss")
        view.until(lambda text: "Rig truss" in text)
        database.execute("update project_tasks set status = 'done' where title = 'Rig truss'")
        text = view.until(lambda text: "UPDATE" in text)
        assert "≈ status todo → done" in text
        assert "from the last row seen here" in text


def test_the_first_update_of_a_row_shows_what_it_changed(project: dict[str, str], database: Database) -> None:
    """The newest rows of each table are read at READY and not shown: no INSERT of them stands here.

    How long the reading takes is not to be seen, so row after row gets its first UPDATE until it is over.
    """
    for number in range(50):
        add_task(database, f"Written before {number}")
    with terminal("watch", "project_tasks", environment=of_project(project), columns=120) as view:
        view.until(lambda text: "READY" in text)
        for number in range(50):
            title = f"Written before {number}"
            database.execute("update project_tasks set status = 'done' where title = %s", (title,))
            text = view.until(lambda text, number=number: re.search(rf"^{number + 1} event", text, re.M))
            if "≈ status todo → done" in text:
                break
        assert "≈ status todo → done" in text
        assert "INSERT" not in text


def test_it_follows_the_terminals_size(project: dict[str, str]) -> None:
    with terminal("watch", "project_tasks", environment=of_project(project), columns=80) as view:
        view.until(lambda text: "READY" in text)
        view.resize(140, 40)
        os.killpg(view.process.pid, signal.SIGWINCH)
        host = project["SUPABASE_URL"].removeprefix("http://")
        view.until(
            lambda text: text.splitlines()[0].rstrip().endswith(host) and len(text.splitlines()[0]) > 120
        )


def test_nothing_from_a_row_steers_the_terminal(project: dict[str, str], database: Database) -> None:
    hostile = (
        "start \x1b[2J\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x9b31m[bold red]x[/] \u202eevil\r end"
    )
    with terminal("watch", "project_tasks", environment=of_project(project), columns=200) as view:
        view.until(lambda text: "READY" in text)
        add_task(database, hostile)
        text = view.until(lambda text: "start " in text)
        assert "[bold red]x[/]" in text
    for sequence in (b"\x1b[2J", b"\x1b]8", "\x9b31m".encode(), "\u202e".encode()):
        assert sequence not in bytes(view.raw).partition(b"start ")[2]


def test_a_refused_table_stays_on_the_screen_with_its_remedy(project: dict[str, str]) -> None:
    environment = of_project(project)
    with terminal("watch", "project_tasks", "no_such_table", environment=environment, columns=120) as view:
        text = view.until(lambda text: "READY" in text and "no_such_table" in text)
        assert "alter publication supabase_realtime add table public.no_such_table;" in text


def test_an_error_at_the_start_leaves_a_readable_screen(tmp_path: Path) -> None:
    with terminal(
        "watch", "--as", "nobody", environment=clean_environment(SUPABASE_URL="http://127.0.0.1:1")
    ) as view:
        assert view.finish() == 2
        assert view.text.splitlines()[0].startswith("prt: ")
        assert view.text.splitlines()[1].startswith("hint: ")


def test_the_demo_shows_its_first_change_and_leaves_a_summary(tmp_path: Path) -> None:
    with terminal("demo", "--rate", "20", "--count", "5", environment=clean_environment()) as view:
        assert view.finish() == 0
        assert "5 events" in view.text
        assert "the count was reached" in view.text


@pytest.mark.parametrize("arguments", [("watch", "project_tasks"), ("presence", "room"), ("status", "-w")])
def test_every_key_that_ends_a_program_restores_the_terminal(
    project: dict[str, str], arguments: tuple[str, ...]
) -> None:
    with terminal(*arguments, environment=of_project(project), columns=120) as view:
        view.until(lambda text: b"\x1b[?1049h" in view.raw and text.strip() != "")
        view.send(b"\x1c")  # Ctrl-\
        assert view.finish() == 128 + signal.SIGQUIT
    assert b"\x1b[?1049l" in view.raw
    assert b"\x1b[?25h" in view.raw
