"""`prt test --contract` and `--write-contract` as a job runs them: exit codes, reports, annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prt.cli.commands.test import run_tests
from prt.errors import UsageError
from tests.checks.checking import made
from tests.running import clean_environment, ran

TABLE = """
create table public.held (
  id int generated always as identity primary key, title text, user_id uuid default auth.uid()
);
alter table public.held enable row level security;
create policy own on public.held for all to authenticated using (user_id = auth.uid());
alter publication supabase_realtime add table public.held;
"""
DROPPED = "drop table public.held;"
ANONYMOUS = """version = 1
[bounds]
max_lag = { p95 = "0.001ms" }
[[table]]
name = "held"
receives = [
  { identity = "anon", event = "INSERT", rows = "none" },
  { identity = "anon", event = "UPDATE", rows = "none" },
]
"""


def test_a_job_reports_who_now_sees_what(project: dict[str, str], tmp_path: Path) -> None:
    contract, junit, summary = (tmp_path / name for name in ("realtime.toml", "out.xml", "summary.md"))
    contract.write_text(ANONYMOUS)
    environment = clean_environment(**project, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    leak = "create policy leak on public.held for select to anon using (true);"
    with made(project, TABLE + leak, DROPPED):
        ended = ran(
            *("test", "--contract", str(contract), "--samples", "2", "--junit", str(junit), "--quiet"),
            environment=environment,
        )
    assert ended.returncode == 1
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    suites = list(dict.fromkeys(line["suite"] for line in lines if line["type"] == "result"))
    assert suites == ["connect", "latency", "rls", "contract", "objectives"]
    failed = [line for line in lines if line.get("outcome") == "fail"]
    sentences = [f"anon now receives {event} of held" for event in ("INSERT", "UPDATE")]
    assert [line["failure"].get("sentence") for line in failed] == [*sentences, None]
    assert failed[-1]["test"] == "p95 ≤ 0.001 ms"

    cases = ET.parse(junit).getroot().iter("testcase")
    reported = [failure.get("message") for case in cases for failure in case.iter("failure")]
    assert reported[:2] == sentences
    for event, sentence in zip(("INSERT", "UPDATE"), sentences, strict=True):
        assert (
            f"::error title=prt test%3A contract held anon {event}::{sentence}%0Aexpected: " in ended.stderr
        )
        assert f"| contract | held anon {event} |  | {sentence} |" in summary.read_text()


def test_a_file_that_is_no_contract_is_exit_2(tmp_path: Path) -> None:
    """Before anything is asked of a project: there is none here."""
    path = tmp_path / "realtime.toml"
    path.write_text("version = 2\n")
    ended = ran("test", "--contract", str(path), environment=clean_environment(HOME=str(tmp_path)))
    problem, hint = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert problem == f"prt: --contract {path} has version 2, and this prt reads version 1"
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"contract": Path("a.toml"), "write_contract": Path("b.toml")}, "exclude each other"),
        ({"table": ["a", "b"]}, "several --table go with --write-contract only"),
        ({"private_topic": ["a", "b"]}, "several --private-topic go with --write-contract only"),
    ],
)
def test_invalid_arguments_are_reported_first(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run_tests(**arguments)


def test_a_contract_is_not_written_from_a_project_with_a_fault(
    project: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "realtime.toml"
    leak = """create policy leaking on public.held for select to anon
      using (nullif(current_setting('request.headers', true), '') is null);"""
    with made(project, TABLE + leak, DROPPED):
        ended = ran(
            *("test", "--write-contract", str(path), "--table", "held"),
            environment=clean_environment(**project),
        )
    assert ended.returncode == 1
    assert f"prt: {path} is not written: 1 test failed\n" in ended.stderr
    assert list(tmp_path.iterdir()) == []
