"""`prt notify` as a script and as a person run it: with Otto's notifications."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prt.local.seed.people import MEMBER, STRANGER
from tests.end_to_end.node import reported
from tests.running import PATIENCE, of_project, piped, ran, read_to_end, terminal

Database = psycopg.Connection[Any]
OTTO = ("--as", STRANGER.email)


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        forget = "delete from notifications where user_id = %s"
        connection.execute(forget, (STRANGER.id,))
        yield connection
        connection.execute(forget, (STRANGER.id,))


@pytest.fixture
def environment(project: dict[str, str]) -> dict[str, str]:
    return of_project(project, PRT_PASSWORD=STRANGER.password)


def add(database: Database, title: str, *, user: str = STRANGER.id, **columns: Any) -> str:
    columns = {"user_id": user, "title": title} | columns
    names = ", ".join(columns)
    row = database.execute(
        f"insert into notifications ({names}) values ({', '.join(['%s'] * len(columns))}) returning id::text",
        tuple(columns.values()),
    ).fetchone()
    assert row is not None
    its_id: str = row[0]
    return its_id


def mark(database: Database, its_id: str) -> None:
    database.execute("update notifications set read_at = now() where id = %s", (its_id,))


def remove(database: Database, its_id: str) -> None:
    database.execute("delete from notifications where id = %s", (its_id,))


def line_of(fifo: int) -> bytes:
    """The next line that somebody writes."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([fifo], [], [], PATIENCE)
        assert ready, f"no line came in {PATIENCE} s, only {line!r}"
        line += os.read(fifo, 65536)
    return line


def test_a_script_sees_what_is_the_users_and_nothing_else(
    environment: dict[str, str], database: Database
) -> None:
    with piped("notify", *OTTO, "--count", "3", environment=environment) as run:
        run.until_ready()
        others = add(database, "for Maya", user=MEMBER.id)
        own = add(database, "for Otto")
        run.until(lambda line: line.get("eventType") == "INSERT")
        remove(database, others)
        mark(database, own)
        run.until(lambda line: line.get("eventType") == "UPDATE")
        remove(database, own)
        code, lines, _ = run.finish()
    assert code == 0
    changes = [line for line in lines if line["type"] == "change"]
    assert [(one["eventType"], (one["new"] or one["old"])["id"]) for one in changes] == [
        ("INSERT", own),
        ("UPDATE", own),
        ("DELETE", own),
    ]
    assert changes[1]["new"]["read_at"] is not None


def test_a_signal_after_the_last_line_leaves_no_program_running(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """The program has five seconds for its end, in which a signal must not end us alone."""
    os.mkfifo(fifo := tmp_path / "fifo")
    command = f"sh -c 'trap \"\" TERM; exec 3> {fifo}; echo ready >&3; sleep 1000; sleep 1000'"
    with piped("notify", *OTTO, "--exec", command, "--count", "1", environment=environment) as run:
        run.until_ready()
        add(database, "the last one")
        with fifo.open() as alive:
            assert alive.readline() == "ready\n"
            run.until(lambda line: line["type"] == "end")
            run.process.send_signal(signal.SIGTERM)
            code, _, error = run.finish()
            assert read_to_end(alive) == "", "the end comes when nobody is left that could write"
    assert (code, "Traceback" in error) == (143, False)


def test_a_program_gets_each_new_one(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    mark(database, add(database, "old news"))
    os.mkfifo(fifo := tmp_path / "fifo")
    reader = os.open(fifo, os.O_RDWR)
    command = f"sh -c 'cat > {fifo}; echo told >&2; exit 4'"
    try:
        with piped(
            "notify", *OTTO, "--snapshot", "--exec", command, "--count", "2", environment=environment
        ) as run:
            run.until(lambda line: line.get("source") == "snapshot")
            add(database, "ñew $(id)")
            line = json.loads(line_of(reader))
            assert (line["type"], line["eventType"], line["new"]["title"]) == (
                "change",
                "INSERT",
                "ñew $(id)",
            )
            add(database, "another")
            assert json.loads(line_of(reader))["new"]["title"] == "another"
            code, _, error = run.finish()
    finally:
        os.close(reader)
    assert code == 0
    assert error.count("prt: --exec sh: exited with 4: told") == 2


@pytest.mark.parametrize("columns", [80, 140])
def test_a_person_sees_toasts(environment: dict[str, str], database: Database, columns: int) -> None:
    add(database, "Unread of yesterday", type="warning", created_at="2026-11-01")
    mark(database, add(database, "Read of yesterday", created_at="2026-11-02"))
    words = ("notify", *OTTO, "--snapshot", "--bell")
    with terminal(*words, environment=environment, columns=columns) as view:
        text = view.until(lambda text: "1 unread, 1 read" in text and "Read of yesterday" in text)
        assert text.index("Unread of yesterday") < text.index("Read of yesterday")
        assert b"\a" not in view.raw, "what was there before is no news"
        new = add(database, "Doors open 🎪", type="success", message="Gate 3, 荷物 " + "and more " * 30)
        text = view.until(lambda text: "Doors open" in text and "2 unread, 1 read" in text)
        assert text.index("Doors open") < text.index("Unread of yesterday")
        assert view.raw.count(b"\a") == 1
        assert "success" in text
        assert "…" in text
        assert (new in text) is (columns == 140)
        mark(database, new)
        text = view.until(lambda text: "1 unread, 2 read" in text)
        assert text.index("Unread of yesterday") < text.index("Doors open")
        remove(database, new)
        view.until(lambda text: "1 unread, 1 read" in text and "Doors open" not in text)
        view.send(b"\x03")
        assert view.finish() == 130
        assert f"2 notifications of {STRANGER.id}, 1 unread" in " ".join(view.text.split())


def test_a_view_shows_that_the_program_failed(environment: dict[str, str], database: Database) -> None:
    words = ("notify", *OTTO, "--exec", "sh -c 'echo no display; exit 1'")
    with terminal(*words, environment=environment) as view:
        view.until(lambda text: "READY" in text)
        add(database, "Doors")
        view.until(lambda text: "! --exec sh: exited with 1: no display" in text and "1 unread" in text)


def test_a_notification_is_sent_received_and_read(environment: dict[str, str], database: Database) -> None:
    with piped("notify", *OTTO, "--count", "2", environment=environment) as run:
        run.until_ready()
        words = ("--title", "Doors", "--type", "info", "--set", 'payload={"gate": 3}', "--set", "link=/gates")
        done = ran("notify", "send", *OTTO, *words, environment=environment)
        assert (done.returncode, done.stderr) == (0, "")
        sent = json.loads(done.stdout)
        assert sent["type"] == "sent"
        assert (sent["row"]["payload"], sent["row"]["link"]) == ({"gate": 3}, "/gates")
        assert sent["written_ms"] > 0
        assert sent["echoed_ms"] > 0
        received = run.until(lambda line: line.get("eventType") == "INSERT")
        assert received["new"] == sent["row"] | {
            key: received["new"][key] for key in ("created_at", "updated_at")
        }
        done = ran("notify", "read", *OTTO, "--all", environment=environment)
        assert json.loads(done.stdout)["ids"] == [sent["id"]]
        run.until(lambda line: line.get("eventType") == "UPDATE" and line["new"]["id"] == sent["id"])
        assert run.finish()[0] == 0


def test_one_of_supabase_js_is_seen(
    project: dict[str, str], scripts: Path, node_environment: dict[str, str]
) -> None:
    with piped("notify", "--count", "1", environment=of_project(project)) as run:
        run.until_ready()
        sent = reported(scripts / "notification.mjs", environment=node_environment)
        assert sent["error"] is None
        code, lines, _ = run.finish()
    (received,) = [line["new"] for line in lines if line["type"] == "change"]
    assert code == 0
    assert sent["data"] == {"id": received["id"], "user_id": MEMBER.id}
    assert (received["type"], received["title"], received["message"]) == ("test", "Test", "Testing realtime")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("notify", "--as", "anon"),
            2,
            "prt: this session does not belong to a user\nhint: name one with --user ID",
        ),
        (
            ("notify", "send", "--title", "x", "--as", "anon"),
            2,
            "prt: this session does not belong to a user",
        ),
        (("notify", "send", "--title", "x", "--user", STRANGER.id), 3, "row-level security"),
        (("notify", "read", STRANGER.id), 1, f"prt: no notification {STRANGER.id}\nhint: none with this id"),
        (("notify", "read"), 2, "prt: name notifications by their ids, or --all"),
        (("notify", "--exec", "no-such-program"), 2, "prt: --exec names no program no-such-program"),
        # What is removed needs no filter, and would be all that is ever heard.
        (
            ("notify", "--user", "nobody", "--timeout", "30s"),
            4,
            'invalid input syntax for type uuid: "nobody"',
        ),
        (("notify", "--table", "core"), 2, "prt: --table names no single table: core"),
    ],
)
def test_what_can_not_be_done_is_reported(
    project: dict[str, str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = ran(*arguments, environment=of_project(project))
    assert done.returncode == code
    assert words in done.stderr


def test_a_notification_is_reported_at_a_terminal(environment: dict[str, str], database: Database) -> None:
    with terminal("notify", "send", *OTTO, "--title", "Doors", environment=environment) as view:
        assert view.finish() == 0
        assert ": written in " in view.text
        assert ", echoed after " in view.text
    with terminal("notify", "read", "--all", *OTTO, environment=environment) as view:
        assert view.finish() == 0
        assert "1 notification marked as read" in view.text
