"""Presence and cursors at the rates of a busy topic: every event is taken in, few of them are drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from prt.events import Event, Presence
from prt.state.screen import Screen
from prt.views.panels.registry import ViewOptions, made
from prt.views.sinks.screen import REDRAW, ScreenOutput, ScreenSettings
from prt.views.terminal.painter import BEGIN_FRAME
from tests.views import meeting
from tests.views.story import BEGIN

SECOND = 1_000_000
SECONDS = 2


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def diffs(rate: int) -> Iterator[Event]:
    """A crowd of a hundred, each of which comes, changes and goes."""
    yield Presence(at=BEGIN, topic=meeting.TOPIC, event="sync", state={})
    for number in range(rate * SECONDS):
        key, step = f"k{number % 100}", number // 100 % 4
        one = meeting.meta(f"r{number // 100 // 4}-{key}-{step > 1}", user_id=key, status=f"s{step}")
        kind = ("join", "update", "update", "leave")[step]
        yield meeting.presence(kind, key, one, at=BEGIN + number * SECOND // rate)


def moves(rate: int) -> Iterator[Event]:
    for number in range(rate * SECONDS):
        yield meeting.move(f"u{number % 50}", number % 997, number % 613, at=BEGIN + number * SECOND // rate)


@pytest.mark.parametrize(
    ("view", "events", "rate"),
    [("presence", diffs, 1_000), ("cursors", moves, 5_000), ("table", moves, 5_000)],
)
def test_a_busy_topic_is_drawn_ten_times_a_second(
    view: str, events: Callable[[int], Iterator[Event]], rate: int
) -> None:
    file, now = Tty(), BEGIN
    console = Console(file=file, width=140, height=40, _environ={"TERM": "xterm"}, legacy_windows=False)
    screens: list[Screen] = []
    wanted = made([view], ViewOptions())

    def views_of(screen: Screen) -> object:
        screens.append(screen)
        return wanted(screen)

    output = ScreenOutput(
        ScreenSettings(views_of=views_of),  # type: ignore[arg-type]
        console=console,
        errors=Console(file=io.StringIO()),
        clock=lambda: now,
    )
    drawn = 0
    for event in events(rate):
        now = event.at
        output.write(event)
        output.drain()
        drawn += file.getvalue().count(BEGIN_FRAME)
        file.seek(0)
        file.truncate()
    output.restore()
    most = SECONDS * SECOND // REDRAW
    assert most - 2 <= drawn <= most + 1
    assert screens[0].events == rate * SECONDS
