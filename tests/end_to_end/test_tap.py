"""`prt tap` as a program: its command, its outputs and its exit codes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.running import LINE, PATIENCE, PRT, ran, terminal

SECRET = re.compile(r"eyJ[\w-]+\.|sb_(?:secret|publishable)_\w")


@pytest.fixture
def environment(node_environment: dict[str, str]) -> dict[str, str]:
    return {**node_environment, "PATH": f"{node_environment['PATH']}:{os.environ['PATH']}"}


def lines_of(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        LINE.validate(line)
    return lines


def test_an_app_works_behind_it_and_no_secret_is_written(
    scripts: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    record = tmp_path / "tap.ndjson"
    command = ("--", "node", str(scripts / "changes.mjs"))
    done = ran(
        "tap", "--port", "0", "--json", "--frames", "--record", str(record), *command, environment=environment
    )
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stdout)
    kinds = [line["type"] for line in lines]
    assert {"connection", "channel", "frame", "finding", "end"} == {*kinds}
    assert (kinds[-1], lines[-1]["reason"]) == ("end", "command")
    states = [line["state"] for line in lines if line["type"] == "channel"]
    assert states == ["joining", "SUBSCRIBED", "READY", "left"]
    (found,) = [line for line in lines if line["type"] == "finding"]
    assert found["id"] == "delete-filter"
    assert '"status":"SUBSCRIBED"' in done.stderr  # the command's own output
    assert not SECRET.search(done.stdout)
    assert not SECRET.search(record.read_text())
    played = ran("replay", str(record), "--json", "--speed", "max", environment=environment)
    assert lines_of(played.stdout)[:-1] == lines[:-1]


def test_the_command_keeps_its_output_and_its_exit_code(environment: dict[str, str]) -> None:
    script = "echo $SUPABASE_URL $NEXT_PUBLIC_SUPABASE_URL $VITE_SUPABASE_URL; exit 7"
    done = ran("tap", "--port", "0", "--", "sh", "-c", script, environment=environment)
    assert done.returncode == 7
    first, *others = done.stdout.split()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", first)
    assert first != environment["SUPABASE_URL"]
    assert others == [first, first]
    assert done.stderr.splitlines() == [
        f"prt: the tap for {environment['SUPABASE_URL'].removeprefix('http://')} listens on {first}"
    ]


def test_a_finding_is_two_lines_on_standard_error(scripts: Path, environment: dict[str, str]) -> None:
    done = ran("tap", "--port", "0", "--", "node", str(scripts / "changes.mjs"), environment=environment)
    assert done.returncode == 0
    printed = done.stderr.splitlines()
    at = next(index for index, line in enumerate(printed) if line.startswith("prt: warning delete-filter: "))
    assert printed[at + 1].startswith("hint: alter table public.project_tasks replica identity full")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--", "no-such-program"), "can't run no-such-program"),
        (("--view", "--", "true"), "can't share a terminal"),
        (("--view", "--json"), "exclude each other"),
        (("--only", "finding", "--", "true"), "--only needs lines"),
        (("--command-log", "/nowhere/log", "--view", "--", "true"), "/nowhere/log can't be written"),
        (("--expect-recovery", "5s", "--", "true"), "needs a fault"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(
    arguments: tuple[str, ...], words: str, environment: dict[str, str]
) -> None:
    done = ran("tap", "--port", "0", *arguments, environment=environment)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.splitlines()[-1].startswith("hint: ")
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ran("tap", "--port", str(taken.getsockname()[1]), "--", "true", environment=environment)
    assert (done.returncode, "can't be listened on" in done.stderr) == (2, True)


def test_it_needs_a_url_and_no_key(environment: dict[str, str]) -> None:
    bare = {name: value for name, value in environment.items() if not name.startswith("SUPABASE_")}
    url = environment["SUPABASE_URL"]
    done = ran("tap", "--port", "0", "--url", url, "--", "true", environment=bare)
    assert done.returncode == 0, done.stderr
    done = ran("tap", "--port", "0", "--", "true", environment=bare)
    assert (done.returncode, "no project configured" in done.stderr) == (2, True)


def test_ctrl_c_ends_the_command_and_the_tap(environment: dict[str, str]) -> None:
    script = "trap 'echo interrupted; exit 0' INT; echo running; while :; do sleep 0.1; done"
    with terminal("tap", "--port", "0", "--", "sh", "-c", script, environment=environment) as run:
        run.until(lambda text: "running" in text)
        run.send(b"\x03")
        assert run.finish() == 130
        assert "interrupted" in run.text


def test_all_that_the_command_started_ends_with_the_tap(environment: dict[str, str]) -> None:
    command = [PRT, "tap", "--port", "0", "--", "sh", "-c", "sleep 600 & echo running; wait"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert b"running\n" in iter(process.stdout.readline, b"")
        process.terminate()
        process.communicate(timeout=PATIENCE)  # the end comes when nobody is left that could write
    assert process.returncode == 143


def test_the_screen_shows_the_app_and_leaves_the_terminal_to_it(
    scripts: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    command = ("--", "node", str(scripts / "tap.mjs"), "binding-refused", "bad")
    arguments = ("tap", "--port", "0", "--view", "--command-log", str(log), *command)
    with terminal(*arguments, environment=environment, columns=120) as run:
        run.until(lambda text: "error binding-refused" in text and "public SUBSCRIBED" in text)
        run.send(b"j\r")
        run.until(lambda text: "history of refused" in text and "SUBSCRIBED: Unable to subscribe" in text)
        run.send(b"\r")
        run.until(lambda text: "error binding-refused" in text)
        run.send(b"q")
        assert run.finish() == 0
        assert "1 finding" in run.text
    assert "ready" in log.read_text()


def test_it_ends_after_a_duration_without_a_command(environment: dict[str, str]) -> None:
    done = ran("tap", "--port", "0", "--duration", "100ms", "--json", environment=environment)
    (end,) = lines_of(done.stdout)
    assert (done.returncode, end["reason"], end["exit_code"]) == (0, "duration", 0)


def test_the_screen_of_a_command_that_ends(environment: dict[str, str], tmp_path: Path) -> None:
    arguments = ("--view", "--command-log", str(tmp_path / "log"), "--", "sh", "-c", "echo out; exit 3")
    with terminal("tap", "--port", "0", *arguments, environment=environment) as run:
        assert run.finish() == 3
        assert "the command has ended" in run.text
    assert (tmp_path / "log").read_text() == "out\n"
