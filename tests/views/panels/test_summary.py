from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest

from prt.events import Broadcast, Cost, End, Gap, Verified
from prt.state.screen import GAPS, Screen
from prt.views.drawing import figures
from prt.views.panels.summary import summary
from tests.views import story


def test_it_reports_what_arrived_and_what_is_missing(golden: Callable[[str, str], None]) -> None:
    screen = Screen()
    for event in (*story.story(), Broadcast(at=story.NOW, topic="t", event="e"), story.ending()):
        screen.apply(event)
    golden("summary.txt", "\n".join(summary(screen, title="abcdefgh.supabase.co")) + "\n")


def test_a_summary_without_events_reports_that() -> None:
    assert summary(Screen()) == ["0 events in 0.0 s"]


def test_gaps_are_listed_the_last_ones() -> None:
    screen = Screen()
    lost, whole = (event for event in story.healed() if isinstance(event, Gap))
    for event in (*story.connecting(), *[whole] * GAPS, lost):
        screen.apply(event)
    lines = summary(screen)
    assert "! 21 gaps, 1 incomplete, 2 recovered" in lines
    assert lines[lines.index("! 21 gaps, 1 incomplete, 2 recovered") + 1] == "  1 before these"
    assert len([line for line in lines if line.startswith("  from ")]) == GAPS
    assert lines[-1].startswith(
        "  from 2026-11-22T16:45:12.976Z to 2026-11-22T16:45:19.976Z (4 tables): the conn"
    )
    assert lines[-1].endswith("; 2 recovered, events may be missing")


def test_no_gap_is_reported_only_for_tables_that_were_ready() -> None:
    screen = Screen()
    for event in story.connecting():
        screen.apply(event)
    assert "no gaps" in summary(screen)


def test_it_reports_how_far_the_tables_were_verified_and_the_cost_of_the_watch() -> None:
    screen = Screen()
    for event in (
        Verified(at=story.NOW, table="public.todos", verified_at=story.NOW - 14_000_000, scope="all"),
        Verified(at=story.NOW, table="public.notes", verified_at=story.NOW, scope="inserts", reason="why"),
        Verified(at=story.NOW, table="other.logs", verified_at=None, scope="none", reason="no index"),
        End(
            at=story.NOW,
            reason="quit",
            exit_code=0,
            events=0,
            cost=Cost(messages=1_234, connections=2, channels=2),
        ),
    ):
        screen.apply(event)
    assert summary(screen)[1:5] == [
        "2 of 3 tables verified 14 s ago",
        "other.logs not verified: no index",
        "notes only inserts are verified: why",
        "cost 1,234 messages, 2 connections, 2 channels",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.2, "1 s"),
        (59, "59 s"),
        (60, "1 min 00 s"),
        (299, "4 min 59 s"),
        (300, "5 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (72 * 3600, "3 d"),
    ],
)
def test_roughly(seconds: float, text: str) -> None:
    assert figures.roughly(round(seconds * 1_000_000)) == text


def test_a_moment_of_another_day_has_its_date() -> None:
    assert figures.moment(story.BEGIN, story.NOW, UTC) == "16:45:14"
    assert figures.moment(story.BEGIN - 86_400_000_000, story.NOW, UTC) == "21 Nov 16:45:14"


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
