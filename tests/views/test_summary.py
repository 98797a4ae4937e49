from __future__ import annotations

from collections.abc import Callable

import pytest

from prt.events import Broadcast
from prt.state.screen import Screen
from prt.views import figures
from prt.views.summary import summary
from tests.views import story


def test_it_says_what_came_and_what_is_missing(golden: Callable[[str, str], None]) -> None:
    screen = Screen()
    for event in (*story.story(), Broadcast(at=story.NOW, topic="t", event="e"), story.ending()):
        screen.apply(event)
    golden("summary.txt", "\n".join(summary(screen, title="abcdefgh.supabase.co")) + "\n")


def test_of_nothing_it_says_so() -> None:
    assert summary(Screen()) == ["0 events in 0.0 s"]


def test_many_tables_are_cut_short() -> None:
    screen = Screen()
    for number in range(60):
        screen.apply(story.change("INSERT", f"t{number:02}", new={"id": 1}))
    lines = summary(screen)
    assert "  and 20 tables more" in lines
    assert len(lines) < 50


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0.0 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (-43.2, "-43 ms"),
        (61_000, "61 s"),
        (600_000, "10 min"),
        (7_200_000, "2 h"),
        (864_000_000, "10 d"),
        (-1e15, "-9999 d"),
    ],
)
def test_milliseconds_fit_their_column(value: float | None, text: str) -> None:
    assert figures.milliseconds(value) == text
    assert len(text) <= 7


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0.0 s"),
        (-5, "0.0 s"),
        (3_240_000, "3.2 s"),
        (59_990_000, "1 min 00 s"),
        (245_000_000, "4 min 05 s"),
        (7_640_000_000, "2 h 07 min"),
    ],
)
def test_duration(microseconds: int, text: str) -> None:
    assert figures.duration(microseconds) == text
