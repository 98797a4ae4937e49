"""Boards, budgets and feeds as a person or a script gets them, from a real project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.running import of_project, piped, ran, terminal

Database = psycopg.Connection[Any]
SIZES = ((80, 24), (120, 36), (200, 40))


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def production(database: Database) -> Iterator[str]:
    """A production of the test's own: what it filters by is nobody else's."""
    production = str(uuid4())
    database.execute("insert into productions (id, name) values (%s, 'Views')", (production,))
    yield production
    database.execute("delete from productions where id = %s", (production,))


def add_task(database: Database, production: str, title: str, status: str = "todo") -> None:
    database.execute(
        "insert into project_tasks (production_id, title, status, assignee_id) "
        "select %s, %s, %s::task_status, id from personnel order by name limit 1",
        (production, title, status),
    )


def test_a_board_once_is_printed_whole_and_ends(
    project: dict[str, str], database: Database, production: str
) -> None:
    for number in range(15):
        add_task(database, production, f"Task {number}", "review")
    ended = ran(
        *("watch", "--view", "board", "--filter", f"production_id=eq.{production}", "--once", "-o", "table"),
        *("--wip", "review=3"),
        environment=of_project(project),
    )
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stderr
    assert lines[0].replace("│", " ").split() == [
        "todo",
        "0",
        "in_progress",
        "0",
        "review",
        "!",
        "15/3",
        "done",
        "0",
    ]
    assert sum("Task" in line for line in lines) == 15
    assert "\x1b[?1049h" not in ended.stdout


def test_once_in_a_pipe_is_the_rows_and_the_end(
    project: dict[str, str], database: Database, production: str
) -> None:
    add_task(database, production, "Only one")
    ended = ran(
        *("watch", "project_tasks", "--filter", f"production_id=eq.{production}", "--once", "--json"),
        *("--alert", "position>=0:info", "--fail-on-alert", "warn"),
        environment=of_project(project),
    )
    lines = [line for line in ended.stdout.splitlines() if '"type":"status"' not in line]
    assert ended.returncode == 0, ended.stderr
    assert len(lines) == 3
    assert '"title": "Only one"' in lines[0] or '"title":"Only one"' in lines[0]
    assert '"type":"alert"' in lines[1]
    assert '"reason":"once"' in lines[2]


def test_a_budget_that_is_passed_is_an_alert_and_fails_the_command(
    project: dict[str, str], database: Database, production: str, tmp_path: Path
) -> None:
    budget = database.execute(
        "insert into budgets (production_id, name, amount, spent) values (%s, 'Props', 1000, 700) "
        "returning id",
        (production,),
    ).fetchone()
    assert budget is not None
    reported = tmp_path / "told.json"
    with piped(
        *("watch", "--view", "budget", "--filter", f"production_id=eq.{production}", "--json"),
        *("--count", "2", "--fail-on-alert", "warn", "--exec", f"tee {reported}"),
        environment=of_project(project),
    ) as watch:
        watch.until(lambda line: line["type"] == "change" and line["source"] == "snapshot")
        database.execute(
            "insert into financial_transactions (budget_id, amount, description) "
            "values (%s, 150.10, 'Skull')",
            (budget[0],),
        )
        alert = watch.until(lambda line: line["type"] == "alert")
        code, lines, _ = watch.finish()
    assert (alert["severity"], alert["value"], alert["limit"]) == ("warn", 0.8501, 0.8)
    assert (alert["table"], alert["row"]["name"]) == ("public.budgets", "Props")
    assert (code, lines[-1]["exit_code"], lines[-1]["reason"]) == (1, 1, "count")
    live = [line["table"] for line in lines if line["type"] == "change" and line["source"] == "stream"]
    assert live == ["financial_transactions", "budgets"]
    assert '"type":"alert"' in reported.read_text()


def test_the_views_share_a_terminal_of_any_size(
    project: dict[str, str], database: Database, production: str
) -> None:
    with terminal(
        *("watch", "project_tasks", "personnel", "budgets", "financial_transactions"),
        *("--view", "board,budget,feed"),
        environment=of_project(project),
        columns=200,
        lines=40,
    ) as view:
        view.until(lambda text: "todo" in text and "budgets ·" in text)
        add_task(database, production, "Views of it")
        view.until(lambda text: "task 'Views of it' was added" in text)
        for columns, lines in SIZES:
            view.resize(columns, lines)
            text = view.until(
                lambda text, columns=columns: (
                    "was added" in text
                    and "── 3 feed ─" in text
                    and max(map(len, text.splitlines())) <= columns
                    and any(
                        line.startswith("── ▸ 1 project_tasks") and len(line) == columns
                        for line in text.splitlines()
                    )
                )
            )
            assert "● connected" in text.splitlines()[0]
            assert [
                text.count(f"── {title} ─")
                for title in ("▸ 1 project_tasks by status", "2 budgets", "3 feed")
            ] == [1] * 3
        database.execute("update project_tasks set status = 'done' where title = 'Views of it'")
        view.until(lambda text: "'Views of it' moved todo → done" in text)
        view.send(b"q")
        assert view.finish() == 0
        assert "board: todo" in view.text


def test_the_rows_of_a_table_are_kept_live(
    project: dict[str, str], database: Database, production: str
) -> None:
    for title in ("Banana", "Apple"):
        add_task(database, production, title)
    with terminal(
        *("watch", "project_tasks", "--filter", f"production_id=eq.{production}", "--snapshot"),
        *("--sort", "title", "--details"),
        environment=of_project(project),
        columns=120,
        lines=30,
    ) as view:
        text = view.until(lambda text: "Apple" in text and "Banana" in text)
        assert text.index("Apple") < text.index("Banana")
        database.execute(
            "update project_tasks set title = 'Zebra' where title = 'Apple' and production_id = %s",
            (production,),
        )
        text = view.until(lambda text: "title Apple → Zebra" in text and "▸" in text)
        assert text.index("Banana") < text.index("Zebra")


def test_the_feed_is_sentences_in_a_pipe_too(
    project: dict[str, str], database: Database, production: str
) -> None:
    with piped(
        *("watch", "project_tasks", "--filter", f"production_id=eq.{production}", "--view", "feed"),
        *("-o", "text", "--count", "1"),
        environment=of_project(project),
    ) as watch:
        while "READY ready" not in watch.line():
            pass
        add_task(database, production, "Said aloud")
        printed = watch.line()
        assert "Z task 'Said aloud' was added, priority medium\n" in printed
        watch.rest()
        assert watch.process.returncode == 0
