"""`prt audit` as it is run: what it counts, what it refuses, and that its slot never outlives it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.running import PATIENCE, Piped, clean_environment, of_project, piped, ran, terminal

DURATION = "4s"
"""Space for what a test writes: everything that is counted is written right after READY."""


class Audited:
    """A published table that rows are written to, and the environment of `prt`."""

    def __init__(self, project: dict[str, str], name: str, connection: Connection[Any]) -> None:
        self.name = name
        self.connection = connection
        self.environment = of_project(project, SUPABASE_DB_URL=project["SUPABASE_DB_URL"])

    def execute(self, query: str) -> list[Any]:
        cursor = self.connection.execute(query.replace("{table}", self.name))  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []

    def until_no_slot(self) -> None:
        """Wait until PostgreSQL has no slot of an audit any more."""
        end = time.monotonic() + PATIENCE
        while self.slots():
            assert time.monotonic() < end, f"the slot stayed: {self.slots()}"

    def slots(self) -> list[str]:
        query = "select slot_name from pg_replication_slots where slot_name like 'prt_audit%'"
        return [name for (name,) in self.execute(query)]


@pytest.fixture
def audited(project: dict[str, str]) -> Iterator[Audited]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        made = Audited(project, f"audited_{secrets.token_hex(4)}", connection)
        made.execute("create table {table} (id int primary key, owner uuid, kind text, labels text[])")
        made.execute("alter table {table} enable row level security")
        made.execute("create policy own on {table} for select using (owner is null)")
        made.execute("grant select on {table} to anon, authenticated, service_role")
        made.execute("alter publication supabase_realtime add table {table}")
        yield made
        made.execute("drop table {table}")


def accounts(lines: list[dict[str, Any]]) -> dict[str, Any]:
    (account,) = [line for line in lines if line["type"] == "audit"]
    parts = ("arrived", "hidden", "filtered", "cut", "lost", "unknown")
    assert account["committed"] == sum(account[part] for part in parts)
    return account


def test_every_committed_change_is_in_one_account(audited: Audited) -> None:
    """The rows are left as they are, so that nothing is unknown."""
    arguments = ("audit", audited.name, "--filter", "kind=eq.a", "--duration", DURATION, "--json")
    with piped(*arguments, environment=audited.environment) as run:
        run.until_ready()
        assert audited.slots()
        audited.execute("insert into {table} select n, null, 'a' from generate_series(1, 300) n")
        audited.execute("insert into {table} select n, null, 'b' from generate_series(301, 320) n")
        audited.execute(
            "insert into {table} select n, gen_random_uuid(), 'a' from generate_series(321, 325) n"
        )
        code, lines, err = run.finish()
    account = accounts(lines)
    assert (account["committed"], account["arrived"], account["filtered"], account["hidden"]) == (
        325,
        300,
        20,
        5,
    ), account
    end = lines[-1]
    assert (code, end["reason"], end["exit_code"], end["events"]) == (0, "duration", 0, 300)
    assert "temporary replication slot" in err
    audited.until_no_slot()


def test_a_change_that_the_server_lost_is_named_with_its_cause(audited: Audited) -> None:
    """An open transaction keeps Realtime's next slot from starting, so what is committed then is lost."""
    arguments = ("audit", audited.name, "--duration", DURATION, "--json")
    with (
        piped(*arguments, environment=audited.environment) as run,
        psycopg.connect(audited.environment["SUPABASE_DB_URL"]) as other,
    ):
        run.until_ready()
        other.execute(f"insert into {audited.name} (id) values (1)")  # type: ignore[arg-type]
        audited.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots "
            "where slot_name like '%realtime%'"
        )
        audited.execute("insert into {table} (id) values (2)")
        other.commit()
        code, lines, err = run.finish()
    assert (code, lines[-1]["exit_code"], lines[-1]["error"]["id"]) == (1, 1, "E-CHANGES-LOST")
    assert "2 of 2 committed changes were lost" in err
    assert accounts(lines)["lost"] == 2
    losses = [line for line in lines if line["type"] == "loss"]
    assert {(loss["key"], loss["eventType"]) for loss in losses} == {("1", "INSERT"), ("2", "INSERT")}
    assert all("replication slot was replaced" in loss["cause"] for loss in losses), losses


def test_a_row_that_the_server_cuts_is_not_counted_as_whole(audited: Audited) -> None:
    with piped(
        "audit", audited.name, "--duration", DURATION, "--json", environment=audited.environment
    ) as run:
        run.until_ready()
        audited.execute("insert into {table} (id, kind) values (1, repeat('x', 1500000)), (2, 'x')")
        code, lines, _ = run.finish()
    account = accounts(lines)
    assert (code, account["arrived"], account["cut"]) == (0, 1, 1), account


def test_the_loss_of_its_own_slot_is_a_gap_and_the_audit_goes_on(audited: Audited) -> None:
    with piped(
        "audit", audited.name, "--duration", DURATION, "--json", environment=audited.environment
    ) as run:
        run.until_ready()
        audited.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots "
            "where slot_name like 'prt_audit%'"
        )
        gap = run.until(lambda line: line["type"] == "gap")
        audited.execute("insert into {table} (id) values (1)")
        code, lines, _ = run.finish()
    assert "the audit's own replication slot was lost" in gap["cause"]
    assert (gap["tables"], gap["complete"]) == ([f"public.{audited.name}"], False)
    assert (code, lines[-1]["gaps"]) == (0, 1)
    assert accounts(lines)["arrived"] == 1


def test_what_comes_too_late_fails_a_minimum_and_nothing_else(audited: Audited) -> None:
    arguments = ("audit", audited.name, "--duration", DURATION, "--late-after", "0.001ms", "--json")
    for more, expected in (((), 0), (("--min-delivery", "50"), 1)):
        with piped(*arguments, *more, environment=audited.environment) as run:
            run.until_ready()
            audited.execute("insert into {table} (id) values (1)")
            code, lines, err = run.finish()
        account = accounts(lines)
        assert (code, account["arrived"], account["late"]) == (expected, 1, 1)
        assert ("0 % arrived whole and in time, less than 50 %" in err) is bool(more)
        audited.execute("delete from {table}")


def started(audited: Audited, *more: str) -> Piped:
    return Piped(("audit", audited.name, "--duration", "1h", "--json", *more), audited.environment, None)


def test_no_slot_is_left_after_a_kill(audited: Audited) -> None:
    run = started(audited)
    run.until_ready()
    assert len(audited.slots()) == 1
    run.process.send_signal(signal.SIGKILL)
    run.process.communicate()
    audited.until_no_slot()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_account_so_far(audited: Audited, number: int, code: int) -> None:
    run = started(audited)
    run.until_ready()
    audited.execute("insert into {table} (id) values (1)")
    run.process.send_signal(number)
    exit_code, lines, _ = run.finish()
    account = accounts(lines)
    assert (exit_code, lines[-1]["reason"]) == (code, "signal")
    assert account["lost"] == 0, "what may be on its way is not lost"
    audited.until_no_slot()


def test_it_stops_before_the_slot_holds_back_too_much(audited: Audited) -> None:
    run = started(audited, "--max-wal", "1B")
    run.until_ready()
    code, lines, err = run.finish()
    assert (code, lines[-1]["reason"], lines[-1]["exit_code"]) == (1, "error", 1)
    assert "held back" in err
    audited.until_no_slot()


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "words"),
    [
        (("audit",), {"SUPABASE_DB_URL": ""}, 2, "set SUPABASE_DB_URL"),
        (
            ("audit",),
            {"SUPABASE_DB_URL": "postgresql://postgres:hush-hush@aws-0-eu.pooler.supabase.com:5432/postgres"},
            2,
            "IPv4 add-on",
        ),
        (
            ("audit",),
            {"SUPABASE_DB_URL": "postgresql://postgres:hush-hush@db.example.org:5432/postgres"},
            2,
            "--allow-slot",
        ),
        (
            ("audit",),
            {"SUPABASE_DB_URL": "postgresql://postgres:hush-hush@127.0.0.1:1/postgres"},
            4,
            "the database does not answer",
        ),
        (("audit", "--max-wal", "much"), {}, 2, "--max-wal expects a size"),
        (("audit", "no_such_table"), {}, 4, "there is no table public.no_such_table"),
        (("audit", "project_tasks", "--filter", "labels=eq.{a}"), {}, 2, "every client"),
        (("audit", "project_tasks", "--filter", "lables=eq.a"), {}, 2, "has no column lables"),
    ],
)
def test_obstacles_are_reported_before_the_start(
    project: dict[str, str], arguments: tuple[str, ...], variables: dict[str, str], code: int, words: str
) -> None:
    environment = of_project(project, SUPABASE_DB_URL=project["SUPABASE_DB_URL"])
    done = ran(*arguments, "--json", environment={**environment, **variables})
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    (end,) = map(json.loads, done.stdout.splitlines())
    assert (end["type"], end["exit_code"]) == ("end", code)
    assert "hush-hush" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_without_psycopg_the_extra_that_installs_it_is_named(
    project: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A module that can't be found stands in its place."""
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'psycopg' else found(name, *more)\n"
    )
    environment = of_project(project, SUPABASE_DB_URL=project["SUPABASE_DB_URL"], PYTHONPATH=str(folder))
    done = ran("audit", "--json", environment=environment)
    assert done.returncode == 2, done.stderr
    assert "prt-realtime[audit]" in done.stderr


def test_on_a_terminal_it_shows_each_table_and_leaves_the_summary(audited: Audited) -> None:
    with terminal("audit", audited.name, "--duration", DURATION, environment=audited.environment) as screen:
        screen.until(lambda text: "of 4.0 s, as authenticated" in text and audited.name in text)
        audited.execute("insert into {table} (id) values (1), (2), (3)")
        screen.until(lambda text: f"✓ {audited.name}" in text and "  3        3 " in text)
        assert screen.finish() == 0
        summary = screen.text
    assert "committed" in summary
    assert f"✓ {audited.name}" in summary


def test_help_needs_no_database() -> None:
    done = ran("audit", "--help", environment=clean_environment(PATH=os.environ["PATH"]))
    assert done.returncode == 0
    assert "--allow-slot" in done.stdout
