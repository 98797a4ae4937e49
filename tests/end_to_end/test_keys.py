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
            recorder.consume(event)
    return path


def playing(recording: Path, *options: str, columns: int = 100, **environment: str) -> Terminal:
    return terminal(
        *("replay", str(recording), *options), environment=clean_environment(**environment), columns=columns
    )


def halted(view: Terminal) -> str:
    """The screen of a recording that is halted: nothing on it moves any more."""
    view.until(lambda text: READY in text and "No 3" in text)
    view.send(b" ")
    return view.until(lambda text: "‖ paused" in text)


def scribble(view: Terminal) -> None:
    """What another program writes over the screen."""
    view.feed(b"\x1b[2;1H\x1b[31mwall: no paper\x1b[0m\x1b[K\x1b[4;8Hat all")
    assert "wall: no paper" in view.text


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


def test_a_recording_says_where_it_can_go_no_further(recording: Path) -> None:
    with playing(recording) as view:
        halted(view)
        for keys, words in (
            (b"00", "this is the start"),
            (b"\x1b[D", "this is the start"),
            (b"\x1b[C" * 9, "this is the end"),
            (b"]" * 12, "no faster than 100×"),
            (b"[" * 12, "no slower than 0.25×"),
        ):
            view.send(b"z" + keys)
            view.until(lambda text, words=words: words in text)  # type: ignore[misc]


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


def test_a_frame_after_a_foreign_write_is_whole(recording: Path) -> None:
    with playing(recording) as view:
        before = halted(view)
        scribble(view)
        view.send(b"\x0c")
        view.until(lambda text: text == before)
        view.send(b"q")
        assert view.finish() == 0


def test_a_frame_after_a_stop_is_whole_whatever_the_shell_has_written(recording: Path) -> None:
    with playing(recording) as view:
        before = halted(view)
        view.send(b"\x1a")
        assert os.WIFSTOPPED(os.waitpid(view.process.pid, os.WUNTRACED)[1])
        scribble(view)
        view.process.send_signal(signal.SIGCONT)
        view.until(lambda text: text == before)
        view.send(b"q")
        assert view.finish() == 0


@pytest.mark.parametrize("keys", [b"", b"\r", b"?", b"/No"], ids=["list", "details", "help", "prompt"])
def test_a_frame_after_a_resize_is_whole(recording: Path, keys: bytes) -> None:
    with playing(recording) as view:
        halted(view)
        view.send(b"j" + keys)
        wanted = {b"\r": "── details", b"?": "── keys", b"/No": "/No"}.get(keys, "▸")
        view.until(lambda text: wanted in text)
        for columns, lines in ((60, 12), (200, 50), (30, 5), (100, 24)):
            view.resize(columns, lines)
            scribble(view)
            view.until(lambda text: "no paper" not in text and "at all" not in text and "●" in text)
        before = view.until(lambda text: wanted in text and "‖ paused" in text)
        assert before.startswith("● connected")
        assert before.count("‖ paused") == 1
        view.send(b"\x1b")
        view.until(lambda text: text != before)
        view.send(b"q")
        assert view.finish() == 0


COLOR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")
NOT_OF_THE_PALETTE = re.compile(rb"\x1b\[(?:[0-9;]*;)?[34]8;")


def test_colours_are_those_of_the_palette_and_none_with_no_color(recording: Path) -> None:
    with playing(recording, "--view", "board,feed") as view:
        before = halted(view)
        view.send(b"/No\r")
        view.until(lambda text: "/No  1 of" in text)
        assert COLOR.search(view.raw)
        assert not NOT_OF_THE_PALETTE.search(view.raw)
        view.send(b"q")
        assert view.finish() == 0
    with playing(recording, "--view", "board,feed", NO_COLOR="1") as view:
        assert halted(view).splitlines()[-1] == before.splitlines()[-1]
        view.send(b"/No\r")
        view.until(lambda text: "/No  1 of" in text and "❯" in text)
        view.send(b"\r")
        view.until(lambda text: "── details" in text)
        assert not COLOR.search(view.raw)
        view.send(b"\x1b")
        view.until(lambda text: "── details" not in text)
        view.send(b"q")
        assert view.finish() == 0


@pytest.mark.parametrize(("view", "is_said"), [("board", True), ("table", False)])
def test_a_dumb_terminal_is_told_why_there_is_no_view(recording: Path, view: str, is_said: bool) -> None:
    with playing(recording, "--count", "5", "--view", view, columns=120, TERM="dumb") as shown:
        assert shown.finish() == 0
        assert (b"the view can't be drawn here, so its events are listed instead" in shown.raw) == is_said


@pytest.mark.parametrize(
    ("options", "environment"),
    [(("--count", "5"), {"TERM": "dumb"}), (("--count", "5", "--output", "text"), {})],
    ids=["TERM=dumb", "--output text"],
)
def test_without_a_screen_every_event_is_a_line_and_the_cursor_is_left_alone(
    recording: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    with playing(recording, *options, columns=120, **environment) as view:
        assert view.finish() == 0
        assert b"\x1b" not in re.sub(rb"\x1b\[[0-9;]*m", b"", bytes(view.raw))
        printed = view.raw.decode()
        assert [printed.count(f"No {number}") for number in range(5)] == [1] * 5
