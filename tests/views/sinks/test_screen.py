from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest
from rich.console import Console

from prt.errors import ReaderGoneError
from prt.events import Event, Status
from prt.views.panels.table import Table
from prt.views.sinks import screen as screens
from prt.views.sinks.screen import (
    IDLE_REDRAW,
    REDRAW,
    ScreenOutput,
    ScreenSettings,
)
from prt.views.terminal.console import TerminalConsole
from prt.views.terminal.painter import BEGIN_FRAME, END_FRAME
from tests.views import story

ENTER, LEAVE, HIDE, SHOW = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25l", "\x1b[?25h"


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class Stage:
    """A ScreenOutput on an imagined terminal, and the time, which a test advances."""

    def __init__(self, *, is_terminal: bool = True, environ: dict[str, str] | None = None) -> None:
        self.file = Tty() if is_terminal else io.StringIO()
        self.errors = io.StringIO()
        self.now = story.BEGIN
        self.console = Console(
            file=self.file,
            width=80,
            height=24,
            _environ={"TERM": "xterm", **(environ or {})},
            legacy_windows=False,
        )
        self.output = ScreenOutput(
            ScreenSettings(host="abcdefgh.supabase.co", tz=UTC),
            console=self.console,
            errors=Console(file=self.errors, width=40, _environ={}),
            clock=lambda: self.now,
        )

    def drawn(self) -> int:
        """How many frames were drawn since the last call."""
        count = self.file.getvalue().count(BEGIN_FRAME)
        self.file.seek(0)
        self.file.truncate()
        return count


def read_until(master: int, mark: str) -> str:
    shown = bytearray()
    while mark.encode() not in shown:
        shown += os.read(master, 1 << 16)
    return shown.decode()


def read_all(master: int) -> bytes:
    """Until the other end is closed."""
    shown = bytearray()
    while True:
        try:
            chunk = os.read(master, 1 << 16)
        except OSError:  # what Linux says then
            chunk = b""
        if not chunk:
            os.close(master)
            return bytes(shown)
        shown += chunk


def test_it_draws_at_most_ten_times_a_second_whatever_comes() -> None:
    stage = Stage()
    stage.output.drain()
    stage.drawn()
    for step in range(20_000):
        stage.now = story.BEGIN + step * 100  # 10,000 changes a second for two seconds
        stage.output.write(story.change("INSERT", "t", at=stage.now, new={"id": step}))
        stage.output.drain()

    assert 15 <= stage.drawn() <= 20
    stage.output.restore()


def test_a_frame_is_shown_whole() -> None:
    stage = Stage()
    for moment in (0, REDRAW, 2 * REDRAW):
        stage.now = story.BEGIN + moment
        stage.output.write(story.changes()[0])
        stage.output.drain()

    _, *frames = stage.file.getvalue().split(BEGIN_FRAME)
    assert len(frames) == 3
    for frame in frames:
        drawn, end, rest = frame.partition(END_FRAME)
        assert (drawn.count(END_FRAME), end, rest) == (0, END_FRAME, "")
    stage.output.restore()


def test_it_draws_nothing_anew_but_its_rate_where_nothing_happens() -> None:
    stage = Stage()
    for event in story.connecting():
        stage.output.write(event)
    stage.output.drain()
    stage.drawn()
    stage.now += IDLE_REDRAW - 1
    stage.output.drain()
    assert stage.drawn() == 0
    stage.now += 1
    stage.output.drain()
    assert stage.drawn() == 1
    stage.output.restore()


def test_a_new_size_is_drawn_at_the_next_chance() -> None:
    stage = Stage()
    stage.output.drain()
    stage.drawn()
    stage.console.size = (60, 10)
    stage.now += REDRAW
    stage.output.drain()

    lines = re.findall(r"\x1b\[(\d+);1H\x1b\[2K", stage.file.getvalue())
    assert stage.drawn() == 1
    assert lines == [str(row) for row in range(1, 11)]
    stage.output.restore()


def test_the_terminal_is_restored_and_a_summary_left_on_the_errors() -> None:
    stage = Stage()
    for event in story.story():
        stage.output.write(event)
    stage.output.drain()
    assert stage.output.pending == 0
    stage.output.close(story.ending())
    stage.output.restore()

    text = stage.file.getvalue()
    assert [text.count(code) for code in (ENTER, HIDE, LEAVE, SHOW)] == [1, 1, 1, 1]
    assert text.index(ENTER) < text.index("connected") < text.index(LEAVE)
    assert "supabase" not in text[text.index(LEAVE) :]
    assert stage.errors.getvalue().startswith("abcdefgh.supabase.co: 12 events in 8.0 s")
    assert "alter publication supabase_realtime add table public.secrets;\n" in stage.errors.getvalue()


def test_an_error_on_the_way_restores_the_terminal_too() -> None:
    stage = Stage()

    def failing() -> None:
        with stage.output:
            stage.output.drain()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert stage.file.getvalue().count(LEAVE) == 1


def test_nothing_is_entered_before_something_is_drawn() -> None:
    stage = Stage()
    stage.output.close(story.ending())
    assert stage.file.getvalue() == ""


@pytest.mark.parametrize(
    "stage",
    [
        Stage(is_terminal=False),
        Stage(is_terminal=False, environ={"FORCE_COLOR": "1"}),
        Stage(environ={"TERM": "dumb"}),
    ],
    ids=["pipe", "pipe with colours", "dumb terminal"],
)
def test_where_no_screen_can_be_drawn_changes_are_appended(stage: Stage) -> None:
    for event in story.story():
        stage.output.write(event)
    stage.output.drain()
    for number in range(500):
        stage.output.write(story.change("INSERT", "t", new={"id": number}))
    stage.output.close(story.ending())

    text = re.sub("\x1b\\[[0-9;]*m", "", stage.file.getvalue())
    lines = text.splitlines()
    assert "\x1b" not in text
    assert lines[0].split() == ["time", "lag", "table", "event", "key", "what", "changed"]
    assert len(lines) == 1 + len(story.changes()) + 1 + 500
    assert " ! gap 16:45:17 to 16:45:19 " in lines[1 + len(story.changes())]
    assert " project_tasks      INSERT 5eed…0101 title Rig the front" in lines[1]
    assert lines[-1].split()[-1] == "499"
    assert "512 events" in stage.errors.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_reader_that_went_away(is_terminal: bool) -> None:
    class Closed(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

        def write(self, _: str) -> int:
            raise BrokenPipeError

    console = TerminalConsole(file=Closed(), width=80, _environ={"TERM": "xterm"}, force_terminal=is_terminal)
    output = ScreenOutput(ScreenSettings(), console=console)
    output.write(story.changes()[0])
    with pytest.raises(ReaderGoneError):
        output.drain()
    output.restore()


def test_errors_that_nobody_reads_do_not_matter() -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    errors = TerminalConsole(file=Closed(), _environ={})
    ScreenOutput(ScreenSettings(), console=Console(file=io.StringIO()), errors=errors).close(story.ending())


def test_where_no_screen_can_be_drawn_attempts_that_fail_alike_are_one_line() -> None:
    stage = Stage(is_terminal=False)
    failed = Status(at=story.NOW, status="CHANNEL_ERROR", tables=story.TABLES, reason="503")
    for event in (*story.connecting(), *[failed] * 300, Status(at=story.NOW, status="READY")):
        stage.output.write(event)
        stage.output.drain()
    assert [line.split()[1:4] for line in stage.file.getvalue().splitlines()[1:]] == [
        ["✗", "CHANNEL_ERROR:", "503"],
        ["●", "READY", "again"],
    ]


def test_suspended_it_leaves_the_terminal_alone_until_it_is_its_own_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_ours = False
    monkeypatch.setattr(screens, "is_in_foreground", lambda _: is_ours)
    stage = Stage()
    stage.output.drain()
    stage.output.suspend()
    assert [stage.file.getvalue().count(code) for code in (ENTER, LEAVE, SHOW)] == [1, 1, 1]
    stage.drawn()

    stage.output.resume()  # in the background
    stage.output.write(story.changes()[0])
    stage.now += IDLE_REDRAW
    stage.output.drain()
    stage.output.flush()
    assert stage.file.getvalue() == ""

    is_ours = True
    stage.output.drain()
    assert stage.file.getvalue().startswith(ENTER)
    assert "project_tasks" in stage.file.getvalue()
    stage.output.close(story.ending())
    assert stage.file.getvalue().endswith(SHOW) or stage.file.getvalue().count(LEAVE) == 1


def test_a_pipe_is_not_suspended() -> None:
    stage = Stage(is_terminal=False)
    stage.output.suspend()
    stage.output.write(story.changes()[0])
    stage.output.drain()
    assert "project_tasks" in stage.file.getvalue()


STOPPED = """
import fcntl, os, signal, sys, termios
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from prt.views.panels.table import Table
from tests.views import story
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
output = ScreenOutput(ScreenSettings(host="abc"))
output.write(story.changes()[0])
output.drain()
output.suspend()
os.kill(os.getpid(), signal.SIGSTOP)
output.resume()
output.drain()
output.close(story.ending())
"""


def test_stopped_and_continued_it_leaves_the_screen_and_comes_back() -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        cwd=Path(__file__).parents[3],
    )
    os.close(slave)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    before = read_until(master, SHOW)
    process.send_signal(signal.SIGCONT)
    after = read_all(master).decode()

    assert process.wait() == 0
    for text in (before, after):
        assert [text.count(mark) for mark in (ENTER, HIDE, LEAVE, SHOW)] == [1, 1, 1, 1]
        assert text.index(ENTER) < text.index("project_tasks") < text.index(LEAVE)
    assert after.rstrip().endswith("ended: stopped")


PROGRAM = """
import sys
from datetime import UTC
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from prt.views.panels.table import Table
from tests.views import story
output = ScreenOutput(ScreenSettings(host="abc", tz=UTC))
for event in story.story():
    output.write(event)
output.flush()
{ending}
"""


@pytest.mark.parametrize(
    ("ending", "code", "last"),
    [
        ("output.close(story.ending())", 0, "ended: stopped"),
        ("with output: raise RuntimeError('boom')", 1, "boom"),
        ("sys.exit(3)", 3, ""),
    ],
    ids=["end", "exception", "exit"],
)
def test_on_a_pseudo_terminal_every_exit_restores_it(ending: str, code: int, last: str) -> None:
    master, slave = os.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    environ.pop("NO_COLOR", None)
    environ["PYTHON_COLORS"] = "0"  # of a traceback, where a Python has them
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(ending=ending)],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env=environ,
        cwd=Path(__file__).parents[3],
    )
    os.close(slave)
    text = read_all(master).decode()
    assert process.wait() == code
    assert [text.count(mark) for mark in (ENTER, HIDE, LEAVE, SHOW)] == [1, 1, 1, 1]
    assert "● connected" in text
    assert text.rstrip().endswith(last)


def test_a_row_that_is_older_than_what_is_known_reaches_no_view() -> None:
    class Seen(Table):
        def apply(self, event: Event) -> None:
            seen.append(event)

    seen: list[Event] = []
    console = Console(file=io.StringIO(), width=80, _environ={})
    output = ScreenOutput(
        ScreenSettings(views_of=lambda screen: [Seen(screen)]), console=console, errors=console
    )
    streamed = story.change("INSERT", "t", new={"id": 1, "updated_at": "2026-11-22T16:45:14Z"})
    read = [
        story.change("INSERT", "t", new={"id": 1, "updated_at": moment}, source="snapshot")
        for moment in ("2026-11-22T16:45:13Z", "2026-11-22T16:45:16Z")
    ]
    for event in (streamed, *read):
        output.write(event)
    assert seen == [streamed, read[1]]
