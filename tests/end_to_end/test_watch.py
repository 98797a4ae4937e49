"""`prt watch` as a script meets it: lines, exit codes, signals, pipes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prt.local.seed.people import PASSWORD, STRANGER
from prt.local.serving import keys
from tests.running import PATIENCE, PRT, clean_environment, of_project, piped, ran

Database = psycopg.Connection[Any]


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection


def add_tasks(database: Database, *titles: str) -> None:
    for title in titles:
        database.execute(
            "insert into project_tasks (production_id, title) "
            "select id, %s from productions order by id limit 1",
            (title,),
        )


def of_type(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == name]


def test_three_rows_are_three_lines_and_an_end(project: dict[str, str], database: Database) -> None:
    with piped("watch", "project_tasks", "--count", "3", environment=of_project(project)) as watch:
        assert watch.until_ready()["tables"] == ["public.project_tasks"]
        add_tasks(database, "one", "two", "three")
        code, lines, err = watch.finish()
    assert (code, err) == (0, "")
    changes = of_type(lines, "change")
    assert [change["new"]["title"] for change in changes] == ["one", "two", "three"]
    for change in changes:
        assert (change["eventType"], change["schema"], change["table"]) == (
            "INSERT",
            "public",
            "project_tasks",
        )
        assert (change["old"], change["errors"], change["source"]) == ({}, None, "stream")
        assert change["at"].endswith("Z")
    end = lines[-1]
    assert (end["type"], end["reason"], end["exit_code"], end["events"]) == ("end", "count", 0, 3)
    assert set(end["lag_ms"]) == {"p50", "p95", "p99", "max"}


def test_the_end_reports_the_cost_of_the_watch_and_how_far_the_tables_were_verified(
    project: dict[str, str], database: Database
) -> None:
    arguments = ("watch", "project_tasks", "--broadcast", "room", "--count", "2", "--no-verify")
    with piped(*arguments, environment=of_project(project)) as watch:
        watch.until(lambda _: [line.get("status") for line in watch.seen].count("READY") == 2)
        add_tasks(database, "one", "two")
        _, lines, _ = watch.finish()
    assert lines[-1]["verified"] == {}
    assert lines[-1]["cost"] == {"messages": 2, "connections": 2, "channels": 2}


def test_the_server_filters_and_selects(project: dict[str, str], database: Database) -> None:
    arguments = ("watch", "project_tasks:INSERT,UPDATE", "--count", "2", "--select", "id,title")
    with piped(*arguments, "--filter", "title=like.life%", environment=of_project(project)) as watch:
        watch.until_ready()
        add_tasks(database, "not this one", "life 1")
        watch.until(lambda line: line["type"] == "change")
        database.execute("update project_tasks set title = 'life 2' where title = 'life 1'")
        code, lines, _ = watch.finish()
    assert code == 0
    changes = of_type(lines, "change")
    assert [(change["eventType"], change["new"]["title"]) for change in changes] == [
        ("INSERT", "life 1"),
        ("UPDATE", "life 2"),
    ]
    assert set(changes[0]["new"]) == {"id", "title"}
    assert changes[1]["old"] == {"id": changes[1]["new"]["id"]}


def test_a_delete_carries_the_key(project: dict[str, str], database: Database) -> None:
    with piped("watch", "project_tasks", "--count", "2", environment=of_project(project)) as watch:
        watch.until_ready()
        add_tasks(database, "short-lived")
        # Under RLS a row that is gone when the server looks is not shown, as on the real one.
        watch.until(lambda line: line["type"] == "change")
        database.execute("delete from project_tasks where title = 'short-lived'")
        _, lines, _ = watch.finish()
    inserted, deleted = of_type(lines, "change")
    assert deleted["eventType"] == "DELETE"
    assert (deleted["new"], deleted["old"]) == ({}, {"id": inserted["new"]["id"]})


def test_what_was_expected_ends_it_and_what_is_missing_fails_it(
    project: dict[str, str], database: Database
) -> None:
    environment = of_project(project)
    bound = ("--timeout", str(PATIENCE))
    expected = ("watch", "project_tasks", "--expect", "INSERT project_tasks title=wanted", *bound)
    with piped(*expected, environment=environment) as watch:
        watch.until_ready()
        add_tasks(database, "other", "wanted")
        code, lines, _ = watch.finish()
    assert (code, lines[-1]["reason"]) == (0, "expect")
    missing = ("watch", "project_tasks", "--expect", "INSERT project_tasks title=never", "--count", "1")
    with piped(*missing, environment=environment) as watch:
        watch.until_ready()
        add_tasks(database, "other")
        code, lines, err = watch.finish()
    assert (code, lines[-1]["exit_code"]) == (1, 1)
    assert "missing: INSERT project_tasks title=never" in err
    assert "title=other" in err


def test_a_timeout_is_124(project: dict[str, str]) -> None:
    done = ran("watch", "incidents", "--timeout", "1", environment=of_project(project))
    assert done.returncode == 124
    end = json.loads(done.stdout.splitlines()[-1])
    assert (end["reason"], end["exit_code"], end["events"]) == ("timeout", 124, 0)


def test_a_duration_and_a_pause_end_well(project: dict[str, str]) -> None:
    # A pause begins with READY; a duration has to be long enough to get there.
    for bound, length in (("--duration", "5s"), ("--idle", "100ms")):
        done = ran("watch", "incidents", bound, length, environment=of_project(project))
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout.splitlines()[-1])["reason"] == bound.removeprefix("--")


def test_include_and_exclude_keep_what_is_wanted(project: dict[str, str], database: Database) -> None:
    arguments = ("watch", "project_tasks", "--count", "1", "--include", "rig", "--exclude", "truss")
    with piped(*arguments, environment=of_project(project)) as watch:
        watch.until_ready()
        add_tasks(database, "paint", "rig truss", "rig lights")
        _, lines, _ = watch.finish()
    assert [change["new"]["title"] for change in of_type(lines, "change")] == ["rig lights"]


def test_a_pattern_that_a_row_makes_endless_ends_the_watch_with_its_name(
    project: dict[str, str], database: Database
) -> None:
    with piped("watch", "project_tasks", "--exclude", "(a|aa)+$", environment=of_project(project)) as watch:
        watch.until_ready()
        add_tasks(database, "a" * 50)
        code, lines, err = watch.finish()
    assert (code, lines[-1]["error"]["message"]) == (
        2,
        "--exclude (a|aa)+$ takes more than 1 s for one event",
    )
    assert err.startswith("prt: --exclude (a|aa)+$ takes more than 1 s for one event\nhint: ")


def test_text_and_template(project: dict[str, str], database: Database) -> None:
    for form, wanted in (
        (("--output", "text"), "INSERT"),
        (("--template", "{status}{table}|{new[title]}"), "project_tasks|plain"),
    ):
        with piped("watch", "project_tasks", "--count", "1", *form, environment=of_project(project)) as watch:
            watch.until_words("READY")
            add_tasks(database, "plain")
            out, _ = watch.rest()
        assert watch.process.returncode == 0
        assert wanted in out


def test_a_missing_configuration_is_reported_with_a_hint(tmp_path: Path) -> None:
    done = ran("watch", environment=clean_environment(), folder=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["id"] == "E-NO-PROJECT"
    what, hint = done.stderr.splitlines()
    assert what == "prt: no project configured"
    for way in ("prt demo", "--local", "SUPABASE_URL"):
        assert way in hint


def test_a_wrong_key_is_refused(project: dict[str, str]) -> None:
    key = keys.generate().anon
    environment = clean_environment(SUPABASE_URL=project["SUPABASE_URL"], SUPABASE_ANON_KEY=key)
    done = ran("watch", environment=environment)
    assert done.returncode == 3
    what, hint = done.stderr.splitlines()
    assert "Failed to validate JWT signature" in what
    assert hint.startswith("hint: ")
    assert key not in done.stderr + done.stdout
    end = json.loads(done.stdout.splitlines()[-1])
    assert (end["type"], end["reason"], end["exit_code"]) == ("end", "error", 3)


HASTY = (
    "from prt.stream.live import source; source.DEFAULT = source.Timing(up=1.0); "
    "from prt.cli.main import main; main()"
)
"""The program, which gives a first connection a second only."""


def test_a_dead_port_is_unreachable(project: dict[str, str]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        environment = clean_environment(SUPABASE_URL=url, SUPABASE_ANON_KEY=project["SUPABASE_ANON_KEY"])
        command = [sys.executable, "-c", HASTY, "watch"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 4
    assert "can't connect" in done.stderr
    assert "Traceback" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["status", "end"]
    assert lines[0]["connection"] == "error"


def test_a_user_signs_in_and_a_wrong_password_is_refused(project: dict[str, str]) -> None:
    environment = clean_environment(
        SUPABASE_URL=project["SUPABASE_URL"], SUPABASE_ANON_KEY=project["SUPABASE_ANON_KEY"]
    )
    as_stranger = ("watch", "notifications", "--as", STRANGER.email)
    with piped(*as_stranger, environment={**environment, "PRT_PASSWORD": PASSWORD}) as watch:
        watch.until_ready()
    refused = ran(*as_stranger, environment={**environment, "PRT_PASSWORD": "wrong-password"})
    assert refused.returncode == 3
    assert "Invalid login credentials" in refused.stderr
    assert "wrong-password" not in refused.stderr + refused.stdout


def test_row_level_security_decides_who_sees_what(project: dict[str, str], database: Database) -> None:
    environment = clean_environment(
        SUPABASE_URL=project["SUPABASE_URL"],
        SUPABASE_ANON_KEY=project["SUPABASE_ANON_KEY"],
        SUPABASE_SERVICE_ROLE_KEY=project["SUPABASE_SERVICE_ROLE_KEY"],
        PRT_PASSWORD=PASSWORD,
    )
    both = ("watch", "project_tasks", "notifications", "--count", "1", "--include", "INSERT")
    with (
        piped(*both, "--as", "service", environment=environment) as service,
        piped(*both, "--as", STRANGER.email, environment=environment) as stranger,
    ):
        service.until_ready()
        stranger.until_ready()
        add_tasks(database, "for members")
        code, lines, err = service.finish()
        assert code == 0
        assert of_type(lines, "change")[0]["new"]["title"] == "for members"
        assert "service_role" in err
        # What comes first is the stranger's own, which was written after what they may not see.
        database.execute(
            "insert into notifications (user_id, type, title, message) values (%s, 'test', 'Test', 'yours')",
            (STRANGER.id,),
        )
        code, lines, _ = stranger.finish()
    assert code == 0
    assert [change["new"]["message"] for change in of_type(lines, "change")] == ["yours"]


def test_one_unpublished_table_among_five_is_named_and_the_others_stream(
    project: dict[str, str], database: Database
) -> None:
    database.execute("create table secret_notes (id int primary key)")
    try:
        tables = ("productions", "project_tasks", "secret_notes", "events", "bookings")
        with piped("watch", *tables, "--count", "1", environment=of_project(project)) as watch:
            ready = watch.until_ready()
            add_tasks(database, "goes on")
            code, lines, _ = watch.finish()
    finally:
        database.execute("drop table secret_notes")
    assert code == 0
    assert ready["tables"] == [
        f"public.{table}" for table in ("bookings", "events", "productions", "project_tasks")
    ]
    (refused,) = [line for line in of_type(lines, "status") if line["status"] == "CHANNEL_ERROR"]
    assert refused["tables"] == ["public.secret_notes"]
    assert refused["hint"].startswith("alter publication supabase_realtime add table public.secret_notes; ")
    assert [change["new"]["title"] for change in of_type(lines, "change")] == ["goes on"]


def test_a_watch_of_unknown_tables_only_ends_with_4(project: dict[str, str]) -> None:
    done = ran("watch", "qqqqqqqq", "zzzzzzzz", environment=of_project(project))
    assert done.returncode == 4
    assert sorted(done.stderr.splitlines()) == [
        *["hint: name a table that exists, or run the missing migration"] * 2,
        "prt: there is no table public.qqqqqqqq",
        "prt: there is no table public.zzzzzzzz",
    ]
    assert '"READY"' not in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_good_order(project: dict[str, str], number: int, code: int) -> None:
    with piped("watch", "incidents", environment=of_project(project)) as watch:
        watch.until_ready()
        watch.process.send_signal(number)
        returned, lines, err = watch.finish()
    assert returned == code
    assert (lines[-1]["type"], lines[-1]["reason"], lines[-1]["exit_code"]) == ("end", "signal", code)
    assert "Traceback" not in err


def test_a_reader_that_goes_away_ends_it_quietly(project: dict[str, str]) -> None:
    run = subprocess.Popen(
        ["bash", "-c", f"{PRT} watch incidents | head -n 1; echo ${{PIPESTATUS[0]}} >&2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=of_project(project),
        text=True,
    )
    out, err = run.communicate(timeout=PATIENCE)
    assert json.loads(out)["status"] == "SUBSCRIBED"
    assert err == "0\n"


def test_an_embedded_project_lives_as_long_as_the_command_inside(tmp_path: Path) -> None:
    script = (
        f"mkfifo lines; prt watch project_tasks --count 3 --timeout {PATIENCE} > lines & "
        'while read -r line; do echo "$line"; '
        f"case $line in *READY*) {sys.executable} {insert_script(tmp_path)};; esac; done < lines; wait $!"
    )
    done = ran("local", "run", "--", "bash", "-c", script, environment=clean_environment(), folder=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines][-4:] == ["change", "change", "change", "end"]
    assert lines[-1]["exit_code"] == done.returncode == 0


def insert_script(folder: Path) -> Path:
    """Three rows through REST, as a program of the user's would write them."""
    script = folder / "insert.py"
    script.write_text(
        "import os\n"
        "from supabase import create_client\n"
        "client = create_client(os.environ['SUPABASE_URL'], os.environ['SUPABASE_SERVICE_ROLE_KEY'])\n"
        "production = client.table('productions').select('id').limit(1).execute().data[0]['id']\n"
        "for n in range(3):\n"
        "    client.table('project_tasks').insert({'production_id': production, 'title': str(n)}).execute()\n"
    )
    return script


EACH = """
import contextlib, io, json, sys
from prt.cli.main import run
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    print(json.dumps([arguments, code, out.getvalue(), err.getvalue()]))
"""
"""The program for one command line after the other: most of its time is its start."""


def test_bad_input_is_one_line_and_a_hint(project: dict[str, str]) -> None:
    lines = (
        ("watch", "todos:UPSERT"),
        ("watch", "--filter", "status=equals.open"),
        ("watch", "--count", "0"),
        ("watch", "--count", "many"),
        ("watch", "--timeout", "soon"),
        ("watch", "--template", "{table.__class__}"),
        ("watch", "--include", "("),
        ("watch", "--only", "chnage"),
        ("watch", "--json", "--output", "text"),
        ("watch", "--nonsense"),
        ("watsh",),
        ("watch", "--url", "not a url"),
        ("watch", "--as", "nobody"),
    )
    done = subprocess.run(
        [sys.executable, "-c", EACH],
        input=json.dumps(lines),
        env=of_project(project),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ended) == len(lines)
    for arguments, code, out, err in ended:
        assert (code, out) == (2, ""), arguments
        what, hint = err.splitlines()
        assert what.startswith("prt: "), arguments
        assert hint.startswith("hint: "), arguments


def test_a_filter_that_would_cost_everybody_changes_is_refused(project: dict[str, str]) -> None:
    arguments = ("watch", "project_tasks", "--filter", "labels=eq.{sad}", "--json")
    done = ran(*arguments, environment=of_project(project))
    assert done.returncode == 2
    assert "public.project_tasks: labels is an array column" in done.stderr
    assert '"SUBSCRIBED"' not in done.stdout


def test_a_partitioned_table_is_reported_with_its_partitions(
    project: dict[str, str], database: Database
) -> None:
    database.execute(
        "create table public.by_day (id int, day date, primary key (id, day)) partition by range (day); "
        "create table public.by_day_1 partition of public.by_day default; "
        "alter publication supabase_realtime add table public.by_day"
    )
    try:
        environment = of_project(project, SUPABASE_DB_URL=project["SUPABASE_DB_URL"])
        with piped("watch", "by_day", "project_tasks", environment=environment) as watch:
            reported = watch.until(
                lambda line: line["type"] == "status" and "is partitioned" in (line["reason"] or "")
            )
            watch.process.send_signal(signal.SIGTERM)
            watch.finish()
    finally:
        database.execute("drop table public.by_day")
    assert (reported["status"], reported["tables"]) == ("CHANNEL_ERROR", ["public.by_day"])
    assert reported["hint"] == "prt watch public.by_day_1"
