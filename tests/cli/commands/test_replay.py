"""`prt replay`: what a recording becomes, byte for byte, and how that ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prt.cli.main import run
from prt.events import End, Event
from prt.views.sinks.ndjson import encode, timestamp
from prt.views.sinks.recorder import Recorder, header_of
from tests.views import story

CHANGES = story.changes()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A watch that was ended by Ctrl-C."""
    return recorded(tmp_path / "r", [*story.story(), story.ending()])


def recorded(path: Path, events: list[Event]) -> Path:
    with Recorder(path, header_of("abc.supabase.co", story.BEGIN), pytest.fail) as recorder:
        for event in events:
            recorder.consume(event)
    return path


def replayed(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str | Path) -> tuple[int, bytes, str]:
    code = run(["replay", *map(str, arguments)])
    out, err = capfdbinary.readouterr()
    return code, out, err.decode()


def types_of(out: bytes) -> list[str]:
    return [json.loads(line)["type"] for line in out.splitlines()]


def end_of(out: bytes) -> dict[str, Any]:
    end = json.loads(out.splitlines()[-1])
    assert end["type"] == "end"
    return end


def test_the_lines_are_those_of_the_watch_and_to_have_played_them_is_success(
    recording: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = replayed(capfdbinary, recording, "--json")
    assert code == 0
    *lines, end = out.splitlines(keepends=True)
    assert b"".join(lines) == b"".join(map(encode, story.story()))
    assert json.loads(end)["at"] == timestamp(story.ending().at)
    assert (json.loads(end)["reason"], json.loads(end)["exit_code"]) == ("signal", 130)
    assert json.loads(end)["events"] == len([one for one in CHANGES if one.source == "stream"])


def test_counts_filters_and_types_hold(recording: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = replayed(capfdbinary, recording, "--count", "2", "--only", "change")
    assert (code, types_of(out)) == (0, ["change", "change", "end"])
    assert (end_of(out)["reason"], end_of(out)["at"]) == ("count", timestamp(CHANGES[1].at))

    code, out, _ = replayed(capfdbinary, recording, "--include", "Rig the front", "--only", "change")
    assert (code, types_of(out)) == (0, ["change", "change", "end"])


def test_expectations_hold(recording: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = replayed(capfdbinary, recording, "--expect", "UPDATE budgets name=Lights")
    assert (code, end_of(out)["reason"]) == (0, "expect")
    code, out, err = replayed(capfdbinary, recording, "--expect", "UPDATE budgets name=Sound")
    assert (code, end_of(out)["exit_code"]) == (1, 1)
    assert "missing: UPDATE budgets name=Sound" in err


def test_a_watch_that_was_killed_ends_with_what_it_had(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = recorded(tmp_path / "r", CHANGES)
    with path.open("ab") as file:
        file.write(b'{"type":"change","at":"2026-11-2')
    code, out, err = replayed(capfdbinary, path)
    assert code == 0
    assert (end_of(out)["reason"], end_of(out)["exit_code"]) == ("replayed", 0)
    assert err == f"prt: {path}: line {len(CHANGES) + 2} is torn and is left out\n"
    assert replayed(capfdbinary, path, "--quiet")[2] == ""


@pytest.mark.parametrize("how", ["moments", "from its start"])
def test_a_window_of_it(recording: Path, capfdbinary: pytest.CaptureFixture[bytes], how: str) -> None:
    first, last = CHANGES[2].at, CHANGES[4].at
    window = ["--from", timestamp(first), "--to", timestamp(last)]
    if how != "moments":
        milliseconds = [(moment - story.BEGIN) / 1000 for moment in (first - 1000, last + 1000)]
        window = ["--from", f"{milliseconds[0]:.0f}ms", "--to", f"{milliseconds[1]:.0f}ms"]
    code, out, _ = replayed(capfdbinary, recording, *window, "--only", "change")
    assert code == 0
    assert b"".join(out.splitlines(keepends=True)[:-1]) == b"".join(map(encode, CHANGES[2:5]))


def test_a_row_is_merged_where_that_is_asked_for(
    recording: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = replayed(capfdbinary, recording, "--batch", "60000", "--only", "change")
    assert code == 0
    merged = [line for line in map(json.loads, out.splitlines()[:-1]) if line.get("merged")]
    assert [(line["table"], line["merged"]) for line in merged] == []
    assert end_of(out)["events"] == len([one for one in CHANGES if one.source == "stream"])
    # Of the task that was written, changed and deleted nothing is left.
    assert types_of(out).count("change") == len(CHANGES) - 3


def test_on_no_terminal_a_view_is_lines_and_its_picture_is_drawn(
    recording: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    picture = tmp_path / "a.svg"
    code, out, err = replayed(capfdbinary, recording, "-o", "table", "--speed", "max", "--export", picture)
    assert code == 0
    assert "title Rig the front" in out.decode()
    assert "abc.supabase.co: 12 events in" in err
    assert "ended: stopped" in err
    assert picture.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--speed", "fast"], '--speed expects a factor or max, not "fast"'),
        (["--speed", "0"], '--speed expects a factor or max, not "0"'),
        (["--from", "noon"], '--from expects a time, not "noon"'),
        (["--export", "a.png"], "--export draws SVG, not .png"),
        (["--view", "cosmos"], 'unknown view "cosmos"'),
    ],
)
def test_what_it_cannot_do(
    recording: Path, capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str], what: str
) -> None:
    code, out, err = replayed(capfdbinary, recording, *arguments)
    assert (code, types_of(out)) == (2, ["end"])
    assert err.startswith(f"prt: {what}\nhint: ")


def test_an_end_is_the_last_line_whatever_follows_it(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ending: End = story.ending()
    _, out, _ = replayed(capfdbinary, recorded(tmp_path / "r", [ending, *CHANGES]))
    assert types_of(out) == ["end"]


def test_an_alert_that_no_row_can_be_judged_by_is_reported(
    recording: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, _, err = replayed(capfdbinary, recording, "--json", "--alert", "speent>1", "--quiet")
    assert (code, "speent" in err) == (0, False)
    code, _, err = replayed(capfdbinary, recording, "--json", "--alert", "speent>1")
    assert (code, "--alert speent>1: no row could be judged by it" in err) == (0, True)


def test_errors_are_reported_if_views_are_printed_once(
    recording: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """There is no screen that could show it."""
    code, _, err = replayed(capfdbinary, recording, "--once", "-o", "table")
    assert code == 0
    assert "gap" in err


def test_the_feed_is_sentences_here_too(recording: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    _, out, _ = replayed(capfdbinary, recording, "--json", "--view", "feed")
    changes = [line for line in map(json.loads, out.splitlines()) if line["type"] == "change"]
    assert changes
    assert all(line["sentence"] for line in changes if line["source"] == "stream")
