"""The keys of a live view, and that the terminal is given back: on a recording, which needs no server."""

from __future__ import annotations

import os
import re
import signal
import termios
from pathlib import Path

import pytest

from prt.views.sinks.recorder import Recorder, header_of
from tests.running import Terminal, clean_environment, piped, terminal
from tests.views import story

READY = "● connected"
INTERVAL = 20_000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Changes every 20 ms, for longer than a test lasts."""
    path = tmp_path / "recording.ndjson"
    events = story.connecting()
    for number in range(4_000):
        at = story.BEGIN + 400_000 + number * INTERVAL
        events.append(
            story.change("INSERT", "project_tasks", at=at, new=story.task(id=number, title=f"No {number}"))
        )
    with Recorder(path, header_of("abc.supabase.co", story.BEGIN), pytest.fail) as recorder:
        for event in events:
            recorder.take(event)
    return path


def playing(recording: Path) -> Terminal:
    return terminal("replay", str(recording), environment=clean_environment(), columns=100)


def takes_lines(view: Terminal) -> bool:
    """Whether the terminal echoes and edits lines, as a shell leaves it."""
    flags = termios.tcgetattr(view.primary)[3]
    return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)


def test_space_halts_a_recording_and_q_quits(recording: Path) -> None:
    with playing(recording) as view:
        assert takes_lines(view)
        view.until(lambda text: READY in text and "No 3" in text)
        assert not takes_lines(view)
        view.send(b" ")
        paused = view.until(lambda text: "‖ paused" in text)
        numbers = [int(found) for found in re.findall(r"No (\d+)", paused)]
        view.send(b".")
        view.until(lambda text: f"No {numbers[0] + 1} " in text and "‖ paused" in text)
        view.send(b" ")
        view.until(lambda text: "‖ paused" not in text and f"No {numbers[0] + 3} " in text)
        view.send(b"xq")
        assert view.finish() == 0
        assert "ended: quit" in view.text
        assert takes_lines(view)


@pytest.mark.parametrize(("keys", "code"), [(b"\x03", 130), (b"q", 0)], ids=["Ctrl-C", "q"])
def test_the_terminal_is_given_back_however_it_ends(recording: Path, keys: bytes, code: int) -> None:
    with playing(recording) as view:
        view.until(lambda text: READY in text)
        view.send(keys)
        assert view.finish() == code
        assert takes_lines(view)


def test_stopped_it_gives_the_terminal_back_and_takes_it_again(recording: Path) -> None:
    with playing(recording) as view:
        view.until(lambda text: READY in text)
        view.send(b"\x1a")
        assert os.WIFSTOPPED(os.waitpid(view.process.pid, os.WUNTRACED)[1])
        assert takes_lines(view)
        view.process.send_signal(signal.SIGCONT)
        view.send(b" ")
        view.until(lambda text: "‖ paused" in text)
        assert not takes_lines(view)
        view.send(b"q")
        assert view.finish() == 0
        assert takes_lines(view)


def test_in_a_pipe_there_are_no_keys(recording: Path) -> None:
    with piped("replay", str(recording), "--count", "5", environment=clean_environment()) as run:
        code, lines, err = run.finish()
    assert code == 0
    assert "secrets" in err
    assert (lines[-1]["reason"], lines[-1]["events"]) == ("count", 5)
    assert lines[-1]["at"] == lines[-2]["at"]
