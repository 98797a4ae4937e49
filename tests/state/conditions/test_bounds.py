from __future__ import annotations

import pytest
from msgspec import Raw

from prt.errors import UsageError
from prt.events import Broadcast, Change, Event, Gap, Presence, Status
from prt.inputs import Input
from prt.state.conditions.attendance import Attendance
from prt.state.conditions.bounds import Bounds, Outcome, Progress, is_live, parse_bounds, parse_duration
from prt.state.conditions.expectations import parse_expectations


def change(source: str = "stream", **new: object) -> Change:
    return Change(
        at=0,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="notifications",
        commit_timestamp=None,
        new=Raw(b'{"title":"%s"}' % str(new.get("title", "")).encode()),
        source=source,  # type: ignore[arg-type]
    )


BROADCAST = Broadcast(at=0, topic="t", event="e")
READY = Status(at=0, status="READY")
SUBSCRIBED = Status(at=0, status="SUBSCRIBED")
SYNC = Presence(at=0, topic="t", event="sync")
JOIN = Presence(at=0, topic="t", event="join")
GAP = Gap(at=0, start=0, end=1, tables=[], cause="c")


def progress(*, expect: tuple[str, ...] = (), started: float = 100.0, **bounds: object) -> Progress:
    return Progress(Bounds(**bounds), parse_expectations(expect), started=started)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("3s", 3.0),
        ("0.5", 0.5),
        (".5s", 0.5),
        ("500ms", 0.5),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        (" 2s ", 2.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, Input.TIMEOUT) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "s", "3x", "3 s", "-3", "x3", "3s!", "1e3", "5min", "nan", "0", "0ms"]
)
def test_what_is_no_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--timeout") as caught:
        parse_bounds(timeout=text)
    assert caught.value.exit_code == 2


def test_options_become_bounds() -> None:
    bounds = parse_bounds(count=3, duration="1m", idle="2s", timeout="500ms")
    assert bounds == Bounds(count=3, duration=60.0, idle=2.0, timeout=0.5)
    assert parse_bounds() == Bounds()


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_is_one_or_more(count: int) -> None:
    with pytest.raises(UsageError, match="--count"):
        parse_bounds(count=count)


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (change(), True),
        (change("snapshot"), False),
        (change("backfill"), False),
        (BROADCAST, True),
        (JOIN, True),
        (SYNC, False),
        (READY, False),
        (GAP, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_counts(event: Event, counts: bool) -> None:
    assert is_live(event) == counts


def test_without_bounds_nothing_ends() -> None:
    watch = progress()
    assert watch.next_deadline is None
    assert watch.due(1e9) is None
    assert watch.apply(change(), 101.0) is None


def test_count_ends_with_the_nth_live_event() -> None:
    watch = progress(count=3)
    quiet: list[Event] = [SUBSCRIBED, READY, change("snapshot"), GAP, SYNC]
    assert [watch.apply(event, 101.0) for event in [*quiet, change(), BROADCAST]] == [None] * 7
    assert watch.apply(JOIN, 101.0) == Outcome("count", 0)
    assert watch.events == 3


def test_duration_runs_from_ready() -> None:
    watch = progress(duration=10.0)
    assert watch.next_deadline == 110.0
    for now in (103.0, 105.0):
        watch.apply(Status(at=1, status="READY", topic="t", tables=["public.a"]), now)
    assert watch.next_deadline == 113.0
    assert watch.due(113.0) == Outcome("duration", 0)


def test_duration_runs_from_the_start_without_ready() -> None:
    watch = progress(duration=10.0)
    assert watch.next_deadline == 110.0
    watch.apply(change(), 109.0)
    assert watch.next_deadline == 110.0
    assert watch.due(109.999) is None
    assert watch.due(110.0) == Outcome("duration", 0)


def test_idle_runs_from_ready_and_anew_from_each_live_event() -> None:
    watch = progress(idle=5.0)
    watch.apply(SUBSCRIBED, 101.0)
    assert watch.next_deadline is None
    assert watch.due(1e9) is None
    watch.apply(READY, 102.0)
    assert watch.next_deadline == 107.0
    watch.apply(change(), 106.0)
    assert watch.next_deadline == 111.0
    watch.apply(READY, 108.0)
    watch.apply(change("snapshot"), 108.0)
    assert watch.due(110.9) is None
    assert watch.due(111.0) == Outcome("idle", 0)


def test_timeout_waits_for_the_first_event() -> None:
    watch = progress(timeout=5.0)
    watch.apply(READY, 101.0)
    watch.apply(change("snapshot"), 101.0)
    assert watch.due(104.9) is None
    assert watch.due(105.0) == Outcome("timeout", 124)
    watch.apply(change(), 104.0)
    assert watch.next_deadline is None
    assert watch.due(1e9) is None


def test_timeout_waits_for_the_whole_count() -> None:
    watch = progress(timeout=5.0, count=2)
    watch.apply(change(), 101.0)
    assert watch.due(105.0) == Outcome("timeout", 124)


def test_timeout_waits_for_all_expectations() -> None:
    watch = progress(timeout=5.0, expect=("INSERT notifications title=a", "INSERT notifications title=b"))
    assert watch.apply(change(title="a"), 101.0) is None
    assert watch.due(105.0) == Outcome("timeout", 124)


def test_met_expectations_end_the_watch() -> None:
    watch = progress(timeout=5.0, duration=60.0, expect=("INSERT notifications title=a",))
    assert watch.apply(change("snapshot", title="a"), 101.0) is None
    assert watch.apply(change(title="b"), 101.0) is None
    assert watch.apply(change(title="a"), 101.0) == Outcome("expect", 0)


@pytest.mark.parametrize("bounds", [{"duration": 3.0}, {"idle": 3.0}], ids=["duration", "idle"])
def test_missing_expectations_fail_an_end_that_is_no_timeout(bounds: dict[str, float]) -> None:
    watch = progress(expect=("INSERT notifications title=a",), **bounds)
    watch.apply(READY, 100.0)
    reason = next(iter(bounds))
    assert watch.due(103.0) == Outcome(reason, 1)  # type: ignore[arg-type]


def test_missing_expectations_fail_a_count() -> None:
    watch = progress(count=2, expect=("INSERT notifications title=a",))
    watch.apply(change(), 101.0)
    assert watch.apply(change(), 101.0) == Outcome("count", 1)


def test_the_last_of_the_count_may_meet_the_expectation() -> None:
    watch = progress(count=1, expect=("INSERT notifications title=a",))
    assert watch.apply(change(title="a"), 101.0) == Outcome("expect", 0)


def test_the_earliest_deadline_wins_and_a_timeout_among_equals() -> None:
    watch = progress(timeout=5.0, duration=5.0, count=1)
    assert watch.next_deadline == 105.0
    assert watch.due(200.0) == Outcome("timeout", 124)
    assert progress(timeout=5.0, duration=4.0).due(200.0) == Outcome("duration", 0)


def test_an_end_from_outside_fails_only_with_expectations() -> None:
    assert progress().ended("signal") == Outcome("signal", 0)
    assert progress(expect=("* x",)).ended("error") == Outcome("error", 1)


def test_a_roster_that_is_waited_for_ends_it_though_a_sync_does_not_count() -> None:
    progress = Progress(Bounds(count=1), Attendance("room:1", keys=["k"]), started=0)
    state = {"k": [{"presence_ref": "r"}]}
    assert progress.apply(Status(at=1, status="READY", topic="room:1"), 0) is None
    assert progress.apply(Presence(at=1, topic="room:1", event="sync", state={}), 0) is None
    outcome = progress.apply(Presence(at=1, topic="room:1", event="sync", state=state), 0)
    assert outcome == Outcome("expect", 0)
    assert progress.events == 0
