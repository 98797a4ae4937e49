from __future__ import annotations

from msgspec.structs import replace

from prt.events import Broadcast, Cost, End, Gap, Malformed, Presence, Verified, Vitals
from prt.state.metrics import OTHER, Beat, Metrics
from tests.views import story

AT = story.BEGIN


def vitals(phase: str, since: int = AT, **more: int) -> Vitals:
    return Vitals(at=since, phase=phase, since=since, **more)


def test_the_time_of_ready_lasts_as_long_as_changes_flow() -> None:
    metrics = Metrics()
    seen = []
    for number, phase in enumerate(
        ["joining", "subscribed", "ready", "degraded", "ready", "waiting", "ready"]
    ):
        metrics.apply(vitals(phase, AT + number))
        seen.append((metrics.is_connected, metrics.ready_since and metrics.ready_since - AT))
    assert seen == [
        (False, None),
        (True, None),
        (True, 2),
        (True, 2),
        (True, 2),
        (False, None),
        (True, 6),
    ]
    metrics.apply(End(at=AT + 9, reason="count", exit_code=0, events=1))
    assert (metrics.phase, metrics.is_connected, metrics.ready_since) == ("ended", False, None)


def test_what_comes_is_counted() -> None:
    metrics = Metrics()
    row = story.change("INSERT", "a", new={"id": 1}, lag=30)
    for event in (
        row,
        replace(row, event_type="UPDATE", merged=3, lag_ms=-5.0),
        replace(row, source="backfill", lag_ms=60_000.0),
        Broadcast(at=AT, topic="t", event="e"),
        Presence(at=AT, topic="t", event="sync"),
        Presence(at=AT, topic="t", event="join", key="k"),
        Malformed(at=AT, frame="?", reason="no JSON"),
    ):
        metrics.apply(event)
    assert metrics.changes == {
        ("public.a", "INSERT", "stream"): 1,
        ("public.a", "UPDATE", "stream"): 3,
        ("public.a", "INSERT", "backfill"): 1,
    }
    assert (metrics.broadcasts, metrics.presences, metrics.malformed) == ({"t": 1}, {"t": 1}, 1)
    assert [count for bound, count in metrics.lag.cumulative() if bound in (0.025, 0.05, None)] == [1, 2, 2]
    assert {use.name: use.most for use in metrics.usage.uses(AT)}["messages"] == 5


def test_gaps_and_losses_are_counted() -> None:
    metrics = Metrics()
    gap = Gap(at=AT, start=AT, end=AT, tables=["public.a"], cause="")
    for event in (gap, replace(gap, complete=True, recovered=2, losses=3)):
        metrics.apply(event)
    metrics.apply(Verified(at=AT, table="public.a", verified_at=AT, scope="all"))
    assert (metrics.gaps, metrics.incomplete_gaps, metrics.recovered, metrics.losses) == (2, 1, 2, 3)
    assert [one.table for one in metrics.verification.verified] == ["public.a"]


def test_names_are_bounded() -> None:
    metrics = Metrics()
    for number in range(2_000):
        metrics.apply(story.change("INSERT", f"t{number}"))
        metrics.apply(Broadcast(at=AT, topic=f"t{number}", event="e"))
    assert len(metrics.changes) == len(metrics.broadcasts) == 1_001
    assert metrics.changes[OTHER, "INSERT", "stream"] == metrics.broadcasts[OTHER] == 1_000


def test_a_canary_that_did_not_come_has_no_delay() -> None:
    metrics = Metrics()
    for delay in (0.2, None):
        metrics.note(Beat(at=AT, delay=delay))
    assert metrics.beats == 2
    assert [count for bound, count in metrics.arrivals.cumulative() if bound is None] == [1]
    assert metrics.last_beat == Beat(at=AT, delay=None)


def test_the_quota_is_that_of_the_connection() -> None:
    metrics = Metrics()
    metrics.apply(replace(vitals("ready"), cost=Cost(messages=7)))
    assert metrics.vitals is not None
    assert metrics.vitals.cost.messages == 7
