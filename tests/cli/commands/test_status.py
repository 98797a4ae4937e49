from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

import pytest

from tests.running import PATIENCE, of_project, piped, ran, terminal


def test_all_is_well_in_a_pipe(project: Mapping[str, str]) -> None:
    run = ran("status", "budgets", "notifications", environment=of_project(project))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    lines = run.stdout.splitlines()
    assert lines[0].startswith("✓ ok      url ")
    assert lines[-3] == "✓ ok      system     connected"
    assert "\x1b" not in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--plan", "gratis", "--watch"], '--plan: unknown plan "gratis"', "there are free, pro, no-cap"),
        (
            ["--json", "--format", "prometheus"],
            "--json and --format prometheus are two forms",
            "leave one of them out",
        ),
        (
            ["--watch", "--format", "prometheus"],
            "--format prometheus is a check that ends",
            "leave --watch out, or take --format json",
        ),
        (["--duration", "3s"], "--duration is how long to watch", "add --watch"),
        (
            ["--url", "http://127.0.0.1:1", "--local"],
            "--local and --url name two projects",
            "leave one of them out",
        ),
    ],
)
def test_options_that_make_no_sense(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, hint: str
) -> None:
    from prt.cli.main import run

    assert run(["status", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"prt: {message}\nhint: {hint}\n"


def test_kept_live_in_a_pipe(project: Mapping[str, str]) -> None:
    with piped("status", "budgets", "--watch", "--json", environment=of_project(project)) as status:
        status.until_ready()
        figures = status.until(lambda line: line["type"] == "figures" and line["status"] == "READY")
        assert figures["connection"] == "connected"
        assert figures["limits"]["connections"] == {"now": 1, "most": 1, "limit": 200}
        status.process.terminate()
        code, lines, _ = status.finish()
    assert code == 143
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "layer"
    assert kinds.index("status") > max(at for at, kind in enumerate(kinds) if kind == "layer")
    assert (kinds[-1], kinds.count("end")) == ("end", 1)


def test_kept_live_on_a_terminal(project: Mapping[str, str]) -> None:
    environment = of_project(project)
    with terminal("status", "budgets", "nope", "--watch", environment=environment, lines=40) as screen:
        shown = screen.until(lambda text: "READY since" in text and "of free" in text and "→ " in text)
        screen.send(b"\x03")
        assert screen.finish() == 130
    assert "● connected" in shown
    assert "✗ table" in shown
    assert "public.nope" in shown


def test_what_can_not_be_watched_ends(project: Mapping[str, str]) -> None:
    run = ran("status", "nope", "--watch", "--json", environment=of_project(project))
    assert run.returncode == 4
    assert json.loads(run.stdout.splitlines()[-1])["exit_code"] == 4


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_reader_that_goes_away(project: Mapping[str, str], arguments: tuple[str, ...]) -> None:
    with piped("status", "budgets", *arguments, environment=of_project(project)) as status:
        status.line()
        assert status.process.stdout is not None
        status.process.stdout.close()
        assert status.process.wait(PATIENCE) == 0
        assert status.process.stderr is not None
        assert status.process.stderr.read() == b""


def test_a_check_of_a_monitoring_system(project: Mapping[str, str]) -> None:
    run = ran("status", "budgets", "nope", "--format", "nagios", environment=of_project(project))
    assert (run.returncode, run.stderr) == (2, "")
    assert run.stdout.startswith(
        "REALTIME CRITICAL - table public.nope exists: there is no table public.nope"
    )
    assert "'handshake'=" in run.stdout


@pytest.mark.parametrize("arguments", [["--bogus"], ["--watch"], ["budgets:TRUNCATE"], ["--plan", "gratis"]])
def test_what_can_not_be_checked_is_unknown_to_a_monitoring_system(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    from prt.cli.main import run

    assert run(["status", "--format", "nagios", *arguments]) == 3
    captured = capsys.readouterr()
    assert captured.out.startswith("REALTIME UNKNOWN - ")
    assert captured.err == ""


def test_a_page_of_a_check_for_prometheus(project: Mapping[str, str]) -> None:
    run = ran("status", "budgets", "--format", "prometheus", environment=of_project(project))
    assert (run.returncode, run.stderr) == (0, "")
    assert "\nprt_status_up 1.0\n" in run.stdout
    judged = subprocess.run(
        ["promtool", "check", "metrics"], input=run.stdout, capture_output=True, text=True, check=False
    )
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
