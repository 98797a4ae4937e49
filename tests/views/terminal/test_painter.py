"""Frames against a terminal: whatever came before, the screen shows the lines of the last frame."""

from __future__ import annotations

import io

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from prt.views.terminal.painter import BEGIN_FRAME, HOME, Painter

WIDTH, HEIGHT = 30, 8
STYLES = ("", "bold", "red", "reverse", "bold green")


class Stage:
    """A painter and the terminal that it writes to."""

    def __init__(self) -> None:
        console = Console(file=io.StringIO(), width=WIDTH, color_system="standard", force_terminal=True)
        self.painter = Painter(console)
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def paint(self, lines: list[Text]) -> str:
        frame = self.painter.paint(lines, (WIDTH, HEIGHT))
        self._stream.feed(frame)
        return frame

    def shown(self) -> list[list[tuple[str, bool, bool, str]]]:
        rows = []
        for row in range(HEIGHT):
            cells = [self.screen.buffer[row][column] for column in range(WIDTH)]
            rows.append([(cell.data, cell.bold, cell.reverse, cell.fg) for cell in cells])
        return rows


def line(*runs: tuple[str, str]) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for words, style in runs:
        text.append(words, style)
    return text


RUN = st.tuples(st.text("ab 日é", max_size=12), st.sampled_from(STYLES))
LINE = st.lists(RUN, max_size=4).map(lambda runs: line(*runs))
POOL = st.lists(LINE, min_size=1, max_size=12)


@given(POOL, st.data())
def test_after_any_frames_the_screen_is_that_of_the_last_one(pool: list[Text], data: st.DataObject) -> None:
    stage = Stage()
    for _ in range(data.draw(st.integers(1, 5))):
        lines = data.draw(st.lists(st.sampled_from(pool), max_size=HEIGHT + 2))
        stage.paint(lines)
    afresh = Stage()
    afresh.paint(lines)
    assert stage.shown() == afresh.shown()


@given(st.lists(st.integers(-3, 3), max_size=6))
def test_a_list_that_moves_either_way_stays_whole(steps: list[int]) -> None:
    rows = [line((f"row {number:03} with some more", STYLES[number % 5])) for number in range(60)]
    stage, top = Stage(), 30
    for step in (0, *steps):
        top += step
        lines = [line(("head", "bold"), (f" {top}", "")), *rows[top : top + 5], line(("foot", ""))]
        stage.paint(lines)
    afresh = Stage()
    afresh.paint(lines)
    assert stage.shown() == afresh.shown()


def test_a_list_that_moved_costs_its_new_rows_alone() -> None:
    rows = [line((f"row {number:03} and a lot of text", "")) for number in range(20)]
    stage = Stage()
    stage.paint(rows[2:10])
    frame = stage.paint(rows[1:9])
    assert "row 001" in frame
    assert "row 002" not in frame
    assert stage.paint(rows[1:9]) == ""


def test_a_line_that_changes_at_its_end_is_written_from_there() -> None:
    stage = Stage()
    stage.paint([line(("a long beginning, then ", "bold"), ("1", ""))])
    frame = stage.paint([line(("a long beginning, then ", "bold"), ("2", ""))])
    assert "beginning" not in frame
    assert stage.screen.display[0].rstrip() == "a long beginning, then 2"


@pytest.mark.parametrize("why", ["forgotten", "resized"])
def test_a_frame_after_something_else_stood_there_is_whole(why: str) -> None:
    stage = Stage()
    lines = [line((f"line {number}", "")) for number in range(HEIGHT)]
    stage.paint(lines)
    if why == "forgotten":
        stage.painter.forget()
        frame = stage.paint(lines)
    else:
        frame = stage.painter.paint(lines, (WIDTH - 1, HEIGHT))
    assert frame.startswith(BEGIN_FRAME + HOME)
    assert all(f"line {number}" in frame for number in range(HEIGHT))
