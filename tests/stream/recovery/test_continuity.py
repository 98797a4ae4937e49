"""Gap windows: a model of a stream that breaks at any moment, with clocks that differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prt.events import Change
from prt.stream.recovery import windows
from prt.stream.recovery.continuity import Continuity
from prt.stream.recovery.windows import Clock, Known

SECOND = 1_000_000
OVERLAP = windows.OVERLAP


def change(commit: int, at: int) -> Change:
    return Change(
        at=at,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="todos",
        commit_timestamp="",
        lag_ms=(at - commit) / 1000,
    )


@given(
    commits=st.lists(st.integers(0, 100 * SECOND), min_size=1, max_size=30).map(sorted),
    latencies=st.lists(st.integers(0, 4 * SECOND), min_size=30, max_size=30),
    breaks_at=st.integers(0, 110 * SECOND),
    down=st.integers(0, 50 * SECOND),
    ahead=st.sampled_from([0, 3600 * SECOND, -3600 * SECOND]),
)
def test_what_was_not_delivered_commits_inside_the_gap(
    commits: list[int], latencies: list[int], breaks_at: int, down: int, ahead: int
) -> None:
    """Times are the server's; ours are `ahead` of them. Delivery keeps the order of the commits."""
    base = 1_000_000 * SECOND
    ours = base + ahead
    continuity = Continuity(lambda: ours)
    continuity.ready(ours)
    arrived, delivered = 0, []
    alive = base
    for commit, latency in zip(commits, latencies, strict=False):
        arrived = max(arrived, commit + latency)
        if arrived >= breaks_at:
            break
        delivered.append(commit)
        alive = base + arrived
        ours = base + arrived + ahead
        continuity.observe(change(base + commit, ours))
    if ahead and not delivered:
        return  # nothing has told how the clocks stand
    # Heartbeats go on until the break: they prove more than the last change does.
    alive = max(alive, base + breaks_at)
    ready = base + breaks_at + down
    continuity.broke(alive + ahead, alive + ahead, ["public.todos"], "cut")
    gap = continuity.ready(ready + ahead)
    assert gap is not None
    missed = [commit for commit in commits[len(delivered) :] if base + commit <= ready]
    for commit in missed:
        assert gap.start <= base + commit
        assert base + commit <= gap.end
    if delivered:
        assert gap.start >= base + delivered[-1] - OVERLAP
    # The least latency seen may be a part of the difference between the clocks.
    assert gap.end <= ready + (OVERLAP if ahead else 0)


def test_a_gap_stays_open_until_its_recovery_is_done() -> None:
    continuity = Continuity(lambda: 100 * SECOND)
    continuity.ready(0)
    continuity.broke(10 * SECOND, 11 * SECOND, ["public.a"], "first")
    first = continuity.ready(20 * SECOND)
    continuity.broke(21 * SECOND, 22 * SECOND, ["public.b"], "second")
    second = continuity.ready(30 * SECOND)
    assert first is not None
    assert second is not None
    assert second.start == first.start
    assert second.end == 30 * SECOND
    assert second.tables == ["public.a", "public.b"]
    continuity.closed()
    assert continuity.ready(31 * SECOND) is None


def test_a_clock_that_runs_backwards_makes_no_backward_gap() -> None:
    continuity = Continuity(lambda: 100 * SECOND)
    continuity.observe(change(100 * SECOND, 100 * SECOND))
    continuity.broke(100 * SECOND, 100 * SECOND, ["public.a"], "cut")
    gap = continuity.ready(50 * SECOND)
    assert gap is not None
    assert gap.start <= gap.end


def test_a_server_that_subscribes_anew_was_deaf_for_seventy_seconds_at_most() -> None:
    continuity = Continuity(lambda: 100 * SECOND)
    continuity.ready(0)
    gap = continuity.resubscribed(500 * SECOND, 500 * SECOND, ["public.a"])
    assert gap.start == (500 - 70) * SECOND - OVERLAP
    assert gap.end == 500 * SECOND
    recent = Continuity(lambda: 100 * SECOND)
    recent.ready(495 * SECOND)
    assert recent.resubscribed(500 * SECOND, 500 * SECOND, ["public.a"]).start == 495 * SECOND


def test_a_table_may_have_been_silent_while_its_neighbours_went_on() -> None:
    continuity = Continuity(lambda: 500 * SECOND)
    continuity.ready(0)
    continuity.observe(change(499 * SECOND, 500 * SECOND))
    tables = ["public.todos", "public.a"]
    assert continuity.resubscribed(500 * SECOND, 500 * SECOND, tables).start <= 430 * SECOND
    continuity.closed()
    continuity.broke(500 * SECOND, 500 * SECOND, tables, "refused", was_deaf=True)
    assert continuity.open is not None
    assert continuity.open.start <= 430 * SECOND


def test_no_gap_begins_before_the_first_ready() -> None:
    def begun(*, lag: int) -> Continuity:
        continuity = Continuity(lambda: 100 * SECOND + lag)
        continuity.ready(100 * SECOND)
        continuity.observe(change(100 * SECOND, 100 * SECOND + lag))
        return continuity

    for lag, earliest in ((0, 100 * SECOND), (SECOND // 2, 100 * SECOND), (-7 * SECOND, 107 * SECOND)):
        damaged = begun(lag=lag).damaged(101 * SECOND, 101 * SECOND, ["public.todos"], "unreadable")
        assert damaged.start == earliest
        continuity = begun(lag=lag)
        continuity.broke(101 * SECOND, 101 * SECOND, ["public.todos"], "cut")
        assert continuity.open is not None
        assert continuity.open.start == earliest


def test_our_time_is_not_moved_by_the_wall_clock() -> None:
    clock = Clock(wall=1_000 * SECOND, running=50.0)
    assert clock.at(50.0) == 1_000 * SECOND
    assert clock.at(61.5) == 1_011 * SECOND + SECOND // 2


def test_small_differences_are_latency_and_not_clocks() -> None:
    known = Known(alive=100 * SECOND, ahead=SECOND // 2)
    assert windows.lost_since(known) == 100 * SECOND - OVERLAP
    far = Known(alive=100 * SECOND, ahead=30 * SECOND)
    assert windows.lost_since(far) == 70 * SECOND - OVERLAP


def test_a_slow_delivery_ends_no_gap_before_ready() -> None:
    for ahead in (None, -SECOND // 2, SECOND // 2, 3 * SECOND):
        assert windows.until(Known(alive=0, ahead=ahead), 100 * SECOND) == 100 * SECOND
    assert windows.until(Known(alive=0, ahead=30 * SECOND), 100 * SECOND) == 70 * SECOND + OVERLAP
    assert windows.until(Known(alive=0, ahead=-30 * SECOND), 100 * SECOND) == 130 * SECOND + OVERLAP
