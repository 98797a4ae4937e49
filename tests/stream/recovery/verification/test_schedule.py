"""How often a verification may read: a model of many tables whose requests take their time."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from prt.stream.recovery.verification.schedule import Rates, Schedule

HOUR = 3600.0
ROUNDING = 1e-6


def played(
    tables: int, took: list[float], until: float, *, pages: int = 1
) -> dict[int, list[tuple[float, float]]]:
    """The requests of each table, as start and end, if a window takes that many of them."""
    schedule: Schedule[int] = Schedule(Rates(), 0.0)
    requests: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for table in range(tables):
        schedule.add(table)
    now = 0.0
    while now < until:
        table_or_none = schedule.next(now)
        if table_or_none is None:
            now += 0.5
            continue
        start, end = now, now + took[table_or_none % len(took)]
        requests[table_or_none].append((start, end))
        schedule.requested(table_or_none, start, end)
        if len(requests[table_or_none]) % pages == 0:
            schedule.finished(table_or_none, end)
        now = end
    return requests


@settings(max_examples=30, deadline=None)
@given(
    tables=st.integers(1, 40),
    took=st.lists(st.floats(0.001, 2.0), min_size=1, max_size=5),
    pages=st.integers(1, 3),
)
def test_at_most_one_request_a_second_and_one_percent_a_table(
    tables: int, took: list[float], pages: int
) -> None:
    requests = played(tables, took, HOUR / 4, pages=pages)
    starts = sorted(start for own in requests.values() for start, _ in own)
    assert all(later - earlier >= 1.0 - ROUNDING for earlier, later in pairwise(starts))
    for own in requests.values():
        for (start, end), (following, _) in pairwise(own):
            assert end - start <= 0.01 * (following - start) + ROUNDING


def test_few_tables_are_read_every_twenty_seconds_and_many_one_after_the_other() -> None:
    assert len(played(1, [0.005], HOUR)[0]) in range(175, 182)
    for own in played(30, [0.005], HOUR).values():
        assert len(own) in range(90, 121)
    for own in played(120, [0.005], HOUR).values():
        assert len(own) in range(22, 31)


def test_a_sign_makes_a_table_due_and_no_request_the_sooner() -> None:
    schedule: Schedule[str] = Schedule(Rates(), 0.0)
    schedule.add("a")
    schedule.add("b")
    assert schedule.next(0.0) == "a"
    schedule.requested("a", 0.0, 0.1)
    schedule.finished("a", 0.1)
    schedule.hurry("a", 0.2)
    assert schedule.next(0.2) is None
    assert schedule.next(1.0) == "b"
    schedule.requested("b", 1.0, 1.1)
    schedule.finished("b", 1.1)
    assert schedule.next(9.0) is None, "a request of 0.1 s is followed by a rest of 9.9 s"
    assert schedule.next(10.0) == "a"


def test_a_table_with_suspects_is_passed_by_and_a_removed_one_is_gone() -> None:
    schedule: Schedule[str] = Schedule(Rates(), 0.0)
    schedule.add("a")
    schedule.add("b")
    assert schedule.next(0.0, busy=["a"]) == "b"
    schedule.remove("b")
    schedule.hurry("b", 0.0)
    assert schedule.next(0.0, busy=["a"]) is None
