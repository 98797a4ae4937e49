"""`--edit`: what it asks before it lets keys write, and the keys that write in `prt notify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from prt.local.seed.people import STRANGER
from tests.running import of_project, ran, terminal

Database = psycopg.Connection[Any]
LOOPBACK_AS_A_NUMBER = "2130706433"
"""127.0.0.1 in a form that resolvers read and `prt` takes for somebody else's host."""
QUESTION = "May keys write to this project?"


@pytest.fixture
def elsewhere(project: dict[str, str]) -> dict[str, str]:
    """The environment of a project that is not on loopback, as far as `prt` can see."""
    url = f"http://{LOOPBACK_AS_A_NUMBER}:{urlsplit(project['SUPABASE_URL']).port}"
    return of_project({**project, "SUPABASE_URL": url})


@pytest.mark.parametrize("answer", [b"n\r", b"\r"])
def test_a_project_elsewhere_is_not_written_to_without_a_yes(
    elsewhere: dict[str, str], answer: bytes
) -> None:
    with terminal("watch", "project_tasks", "--edit", environment=elsewhere, columns=120) as view:
        asked = view.until(lambda text: QUESTION in text)
        assert f"--edit writes to {LOOPBACK_AS_A_NUMBER}" in asked
        view.send(answer)
        assert view.finish() == 2
        assert "nothing was started: --edit was not confirmed" in view.text
        assert b"\x1b[?1049h" not in view.raw


def test_it_is_asked_once_and_the_watch_begins_with_a_yes(elsewhere: dict[str, str]) -> None:
    with terminal("watch", "project_tasks", "--edit", environment=elsewhere, columns=120) as view:
        view.until(lambda text: QUESTION in text)
        view.send(b"y\r")
        view.until(lambda text: "READY since" in text)
        view.send(b"q")
        assert view.finish() == 0
        assert bytes(view.raw).decode(errors="replace").count(QUESTION) == 1


def test_on_loopback_nothing_is_asked_and_the_writing_identity_is_named(project: dict[str, str]) -> None:
    with terminal("watch", "project_tasks", "--edit", environment=of_project(project), columns=120) as view:
        view.until(lambda text: "READY since" in text)
        view.send(b"q")
        assert view.finish() == 0
        printed = bytes(view.raw).decode(errors="replace")
        assert "--edit writes to 127.0.0.1" in printed
        assert QUESTION not in printed


@pytest.mark.parametrize("command", [("watch",), ("watch", "--once"), ("notify",)])
def test_without_a_terminal_it_is_refused(project: dict[str, str], command: tuple[str, ...]) -> None:
    done = ran(*command, "--edit", environment=of_project(project))
    assert done.returncode == 2
    assert "prt: --edit is for a view on a terminal" in done.stderr
    assert done.stdout == "" or '"type":"end"' in done.stdout


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        forget = "delete from notifications where user_id = %s"
        connection.execute(forget, (STRANGER.id,))
        yield connection
        connection.execute(forget, (STRANGER.id,))


def test_a_notification_is_opened_and_marked_as_read(project: dict[str, str], database: Database) -> None:
    for title in ("The older", "The newer"):
        database.execute(
            "insert into notifications (user_id, title, message) values (%s, %s, 'Gate 3')",
            (STRANGER.id, title),
        )
    environment = of_project(project, PRT_PASSWORD=STRANGER.password)
    with terminal(
        "notify", "--as", STRANGER.email, "--snapshot", "--edit", environment=environment, columns=100
    ) as view:
        view.until(lambda text: "2 unread, 0 read" in text and "r mark as read" in text)
        view.send(b"r")
        view.until(lambda text: "select a notification first" in text)
        view.send(b"j")
        view.until(lambda text: "❯" in text)
        view.send(b"\r")
        opened = view.until(lambda text: "── details" in text and "── row" in text)
        assert "The newer · Gate 3 · unread" in opened
        view.send(b"\x1b")
        view.until(lambda text: "── details" not in text)
        view.send(b"r")
        view.until(lambda text: "marked as read" in text and "1 unread, 1 read" in text)
        view.send(b"r")
        view.until(lambda text: "it had been read before" in text)
        view.send(b"q")
        assert view.finish() == 0
    rows = database.execute(
        "select title from notifications where user_id = %s and read_at is not null", (STRANGER.id,)
    ).fetchall()
    assert rows == [("The newer",)]


def test_without_edit_r_marks_nothing(project: dict[str, str], database: Database) -> None:
    database.execute("insert into notifications (user_id, title) values (%s, 'Unread')", (STRANGER.id,))
    environment = of_project(project, PRT_PASSWORD=STRANGER.password)
    with terminal("notify", "--as", STRANGER.email, "--snapshot", environment=environment) as view:
        view.until(lambda text: "1 unread, 0 read" in text)
        view.send(b"jr")
        view.until(lambda text: "r marks a notification as read with --edit" in text)
        view.send(b"q")
        assert view.finish() == 0
    row = database.execute(
        "select count(*) from notifications where user_id = %s and read_at is null", (STRANGER.id,)
    ).fetchone()
    assert row == (1,)
