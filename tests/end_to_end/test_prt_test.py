"""`prt test` as a CI job and a person run it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest

from tests.checks.checking import marked_rows
from tests.running import PATIENCE, Piped, clean_environment, piped, ran, terminal

LONG = ("test", "load", "--duration", "600s", "--clients", "1", "--rate", "50", "--limit", "none")


def test_all_suites_their_reports_and_no_secret(project: dict[str, str], tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = clean_environment(**project, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    out, page = tmp_path / "out.xml", tmp_path / "out.html"
    arguments = ("--samples", "5", "--max-lag", "p50=30s", "--min-delivery", "99.9", "--require", "rls")
    run = ran("test", "--junit", str(out), "--report", str(page), *arguments, environment=environment)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, run.stdout
    last = lines.pop()
    assert (last["type"], last["exit_code"], last["failed"]) == ("slis", 0, 0)
    assert last["delivery_percent"] == 100
    assert {line["suite"] for line in lines if line["outcome"] == "pass"} == {
        *[
            "connect",
            "channel",
            "changes",
            "broadcast",
            "presence",
            "notify",
            "rls",
            "reconnect",
            "token",
            "latency",
            "objectives",
        ]
    }
    assert all(line["reason"] for line in lines if line["outcome"] == "skip")
    root = ET.parse(out).getroot()
    assert root.get("tests") == str(len(lines))
    assert root.get("failures") == "0"
    assert "passed, 0 failed" in summary.read_text()
    reported = run.stdout + run.stderr + out.read_text() + page.read_text() + summary.read_text()
    secrets = [value for name, value in project.items() if name != "SUPABASE_URL"]
    assert not [secret for secret in secrets if secret in reported]
    assert "eyJ" not in reported
    assert marked_rows(project) == 0


def test_a_project_of_its_own(tmp_path: Path) -> None:
    arguments = ("local", "run", "--", "prt", "test", "channel", "--repeat", "2", "--junit", "out.xml")
    run = ran(*arguments, environment=clean_environment(), folder=tmp_path)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, run.stderr
    assert [line.get("round", 1) for line in lines[:-1]] == [1] * 4 + [2] * 4
    assert ET.parse(tmp_path / "out.xml").getroot().get("tests") == "8"


def until_written(project: dict[str, str], run: Piped, table: str = "notifications") -> None:
    """Until the load has begun to write: the row that was tried out is one, these are more."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        while True:
            query = f"select count(*) from {table} where title like 'prt-test:%%load %%'"
            row = connection.execute(query.encode()).fetchone()
            assert run.process.poll() is None
            if row is not None and row[0] > 3:
                return


def test_a_project_that_polls_like_a_hosted_one_passes() -> None:
    arguments = ("local", "run", "--like-hosted", "--", "prt", "test", "--samples", "3", "--json")
    run = ran(*arguments, environment=clean_environment())
    assert run.returncode == 0, run.stdout + run.stderr
    results = [json.loads(line) for line in run.stdout.splitlines()]
    passed = {f"{one['suite']} {one['test']}" for one in results if one.get("outcome") == "pass"}
    assert {"reconnect recovered", "latency lag", "changes filters", "rls visibility"} <= passed
    assert not [one for one in results if one.get("outcome") == "fail"]


@pytest.mark.parametrize("next_", [("test", "--clean"), ("test", "changes")], ids=["clean", "the next run"])
def test_a_killed_run_leaves_nothing_to_the_next(project: dict[str, str], next_: tuple[str, ...]) -> None:
    environment = clean_environment(**project)
    with piped(*LONG, environment=environment) as run:
        until_written(project, run)
        run.process.kill()
        run.process.wait()
    assert marked_rows(project) > 0
    assert ran(*next_, environment=environment).returncode == 0
    assert marked_rows(project) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_cleans_up(
    project: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out.xml"
    with piped(*LONG, "--junit", str(out), environment=clean_environment(**project)) as run:
        until_written(project, run)
        run.process.send_signal(number)
        code, lines, _ = run.finish()
    assert code == 128 + number
    assert lines[-2]["reason"] == "interrupted"
    assert (lines[-1]["type"], lines[-1]["exit_code"]) == ("slis", 128 + number)
    root = ET.parse(out).getroot()
    assert (root.get("skipped"), root.get("errors")) == ("1", "1")
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("message") == "the run was interrupted after 1 of 2 checks"
    assert marked_rows(project) == 0


def test_a_row_of_a_run_under_way_is_left_to_it(project: dict[str, str]) -> None:
    environment = clean_environment(**project)
    with piped(*LONG, environment=environment) as run:
        until_written(project, run)
        before = marked_rows(project)
        assert ran("test", "changes", environment=environment).returncode == 0
        assert marked_rows(project) >= before
        run.process.send_signal(signal.SIGINT)
        run.finish()
    assert marked_rows(project) == 0


def test_a_suite_that_could_write_no_row_says_so(project: dict[str, str]) -> None:
    run = ran("test", "changes", "--output", "text", environment=bare(project))
    assert run.returncode == 0
    assert run.stdout.rstrip().endswith("; nothing was tested of changes")
    assert "prt: nothing was tested of the suite changes: no row can be written" in run.stderr


def test_a_required_suite_that_is_skipped_fails(project: dict[str, str]) -> None:
    run = ran("test", "channel", "--require", "token", environment=bare(project))
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 1
    assert lines[-2]["failure"]["expected"] == "every check of token to run (--require token)"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("test", "--junit", "/nowhere/out.xml"), 2, "can't be written"),
        (("test", "latecny"), 2, "did you mean latency?"),
        (("test", "connect", "--max-lag", "p95=1s"), 2, "add latency or load"),
        (("test", "--max-lag", "soon"), 2, "--max-lag expects a percentile and a time"),
        (("test",), 4, "can't connect"),
    ],
    ids=["report", "suite", "objective", "limit", "nobody there"],
)
def test_what_can_not_be_tested(arguments: tuple[str, ...], code: int, words: str) -> None:
    environment = clean_environment(SUPABASE_URL="http://127.0.0.1:9", SUPABASE_ANON_KEY="key-of-nobody")
    run = ran(*arguments, environment=environment)
    assert run.returncode == code, run.stderr
    assert words in run.stderr


def test_a_wrong_password_is_refused(project: dict[str, str]) -> None:
    environment = clean_environment(**{**bare(project), "PRT_PASSWORD": "not it"})
    run = ran("test", "channel", "--as", "maya@example.com", "--output", "text", environment=environment)
    assert run.returncode == 3
    assert "✗ connect    handshake" in run.stdout
    assert "- channel    join           nothing to connect to" in run.stdout
    assert "check PRT_PASSWORD and --as" in run.stderr
    assert "not it" not in run.stdout + run.stderr


def test_the_suites_and_what_each_needs() -> None:
    run = ran("test", "--list", environment=clean_environment())
    assert run.returncode == 0
    assert [line.split()[0] for line in run.stdout.splitlines() if not line.startswith(" ")] == (
        [
            "connect",
            "channel",
            "changes",
            "broadcast",
            "presence",
            "notify",
            "rls",
            "reconnect",
            "token",
            "latency",
            "load",
        ]
    )
    assert run.stdout.count("needs  ") == 11


def test_a_table_on_a_terminal(project: dict[str, str]) -> None:
    arguments = ("test", "channel", "token", "--require", "token")
    with terminal(*arguments, environment=bare(project), columns=80, lines=40) as screen:
        assert screen.finish() == 1
        text = screen.text
    assert "✓ connect    handshake" in text
    assert "- token      expiry" in text
    assert "✗ token required" in text
    assert "every check of token to run" in text
    assert text.rstrip().splitlines()[-1].startswith("4 passed, 1 failed, 2 skipped in ")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_reader_of_the_pipe_may_go(project: dict[str, str]) -> None:
    arguments = ("test", "changes", "latency", "--samples", "100000")
    with piped(*arguments, environment=clean_environment(**project)) as run:
        assert run.process.stdout is not None
        run.until(lambda line: line["test"] == "insert")
        run.process.stdout.close()
        assert run.process.wait(PATIENCE) == 0
    assert marked_rows(project) == 0


def bare(project: dict[str, str]) -> dict[str, str]:
    """What an anonymous client has."""
    return clean_environment(**{name: project[name] for name in ("SUPABASE_URL", "SUPABASE_ANON_KEY")})
