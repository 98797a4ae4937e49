from __future__ import annotations

import io
from datetime import UTC
from typing import Any

from rich.console import Console

from prt.events import Broadcast, Change, Event
from prt.state.rows.batching import Batch
from prt.views.panels.stats import StatsView
from prt.views.sinks.batched import Batched
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from tests.views import story


class Lines:
    """A Sink that remembers."""

    pending = 0
    keys = None

    def __init__(self) -> None:
        self.noted: list[Change] = []
        self.shown: list[Event] = []
        self.is_drained = 0

    def note(self, change: Change) -> None:
        self.noted.append(change)

    def show(self, event: Event) -> None:
        self.shown.append(event)

    write = show

    def drain(self) -> bool:
        self.is_drained += 1
        return True

    flush = suspend = resume = lambda _: None
    close = show

    def fileno(self) -> int:
        return 1


class Stage:
    def __init__(self, sink: Any) -> None:
        self.now = 0.0
        self.output = Batched(sink, Batch(), 0.2, lambda: self.now)


def update(v: int, key: int = 1) -> Change:
    return story.change("UPDATE", "t", new={"id": key, "v": v}, old={"id": key})


def test_a_row_is_written_once_at_the_end_of_the_window() -> None:
    lines = Lines()
    stage = Stage(lines)
    for number in range(10):
        stage.output.write(update(number))
        stage.output.drain()
    assert (len(lines.noted), lines.shown) == (10, [])
    stage.now = 0.19
    stage.output.drain()
    assert lines.shown == []
    stage.now = 0.2
    stage.output.drain()
    (one,) = lines.shown
    assert isinstance(one, Change)
    assert (one.new_row()["v"], one.merged) == (9, 10)
    stage.now = 9.0
    stage.output.write(update(10))
    stage.output.drain()
    assert len(lines.shown) == 1  # the next window begins with what comes first


def test_events_of_the_connection_end_the_window_and_messages_do_not() -> None:
    lines = Lines()
    stage = Stage(lines)
    message = Broadcast(at=1, topic="t", event="e")
    ready = story.connecting()[-1]
    for event in (update(1), message, update(2), ready, update(3)):
        stage.output.write(event)
    assert [type(event) for event in lines.shown] == [Broadcast, Change, type(ready)]
    stage.output.flush()
    assert len(lines.shown) == 4


def test_at_the_end_nothing_is_left() -> None:
    lines = Lines()
    stage = Stage(lines)
    stage.output.write(update(1))
    stage.output.close(story.ending())
    assert [type(event).__name__ for event in lines.shown] == ["Change", "End"]


def test_a_screen_counts_every_change_and_so_do_views_that_count() -> None:
    console = Console(file=io.StringIO(), width=80, _environ={})
    stats = StatsView()
    screen = ScreenOutput(ScreenSettings(tz=UTC, views_of=lambda _: [stats]), console=console, errors=console)
    stage = Stage(screen)
    for number in range(100):
        stage.output.write(story.change("INSERT", "t", new={"id": number}))
        stage.output.write(update(number, number))
        if number % 2:
            stage.output.write(story.change("DELETE", "t", old={"id": number}))
    stage.output.flush()
    assert screen.screen.events == 250
    assert (stats.stats.count, stats.stats.types["DELETE"]) == (250, 50)
    assert screen.screen.entries == 50
    assert len(screen.screen.rows) == 50
