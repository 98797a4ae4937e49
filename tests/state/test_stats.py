from __future__ import annotations

from msgspec import Raw
from msgspec.structs import replace

from prt.events import Broadcast, Presence, Status
from prt.state.stats import SLICE, SLICES, Stats
from tests.views import story

START = story.BEGIN - story.BEGIN % SLICE


def test_what_comes_is_counted_by_table_by_type_and_by_second() -> None:
    stats = Stats()
    row = story.change("INSERT", "a", at=START, new={"id": 1}, lag=10)
    for event in (
        row,
        replace(row, at=START + 1),
        replace(row, at=START + 2 * SLICE, table="b", event_type="UPDATE", lag_ms=30.0),
        Broadcast(at=START + 2 * SLICE, topic="t", event="e", payload=Raw(b'{"a":1}')),
        Presence(at=START + 2 * SLICE, topic="t", event="join", key="k"),
        Presence(at=START, topic="t", event="sync"),
        Status(at=START, status="READY"),
        replace(row, source="snapshot"),
    ):
        stats.apply(event)

    assert (stats.count, stats.busiest) == (5, 3)
    assert stats.tables == {("public", "a"): 2, ("public", "b"): 1}
    assert stats.types == {"INSERT": 2, "UPDATE": 1, "broadcast": 1, "presence": 1}
    assert stats.bytes == 3 * (len(b'{"id": 1}') + len(b"{}")) + len(b'{"a":1}')
    assert [one.count for one in stats.slices(3, START + 3 * SLICE)] == [2, 0, 3]
    assert [one.lag.percentile(0.5) for one in stats.slices(3, START + 3 * SLICE)] == [10, None, 30]


def test_the_second_that_is_not_over_is_not_shown() -> None:
    stats = Stats()
    stats.apply(story.change("INSERT", "a", at=START))
    assert [one.count for one in stats.slices(2, START + SLICE - 1)] == [0, 0]


def test_merged_changes_count_as_what_they_were() -> None:
    stats = Stats()
    stats.apply(story.change("UPDATE", "a", at=START, merged=7))
    assert (stats.count, stats.busiest, stats.tables.total()) == (7, 7, 7)


def test_the_past_is_bounded() -> None:
    stats = Stats()
    for second in range(SLICES + 100):
        stats.apply(story.change("INSERT", "a", at=START + second * SLICE))
    assert len(stats._slices) == SLICES
