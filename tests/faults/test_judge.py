"""The judge sees every kind of loss that is made up for it, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from msgspec import Raw

from prt.events import Change, ChangeSource, Event, EventType, Gap, Status
from prt.views.sinks import ndjson
from tests.faults.judge import Write, events_of, judge

START = 1_780_000_000_000_000
SECOND = 1_000_000
TABLE = "public.orders"


def write(seconds: float, key: int, version: int | None, event: EventType = "UPDATE") -> Write:
    return Write(table=TABLE, key=key, event=event, version=version, committed=us(seconds))


def us(seconds: float) -> int:
    return START + round(seconds * SECOND)


def status(seconds: float, name: str) -> Status:
    return Status(at=us(seconds), status=name, topic="t", tables=[TABLE])  # type: ignore[arg-type]


def change(
    seconds: float,
    key: int,
    version: int | None,
    *,
    source: ChangeSource = "stream",
    committed: float | None = None,
) -> Change:
    row = Raw(msgspec.json.encode({"id": key, "version": version}))
    commit = us(seconds if committed is None else committed)
    return Change(
        at=us(seconds),
        topic="t",
        event_type="DELETE" if version is None else "UPDATE",
        schema="public",
        table="orders",
        commit_timestamp=ndjson.timestamp(commit) if source == "stream" else None,
        new=Raw(b"{}") if version is None else row,
        old=row,
        source=source,
    )


def gap(
    start: float, end: float, *, at: float, complete: bool = True, tables: list[str] | None = None
) -> Gap:
    return Gap(
        at=us(at), start=us(start), end=us(end), tables=tables or [TABLE], cause="cut", complete=complete
    )


WRITES = [
    write(1, 1, 10),
    write(4, 2, 20),
    write(5, 2, 21),
    write(6, 3, 30),
    write(9, 1, 11),
]
"""Row 1 before and after a cut at 3 s that is healed at 8 s; rows 2 and 3 meanwhile."""


def well() -> list[Event]:
    return [
        status(0, "READY"),
        change(1, 1, 10),
        status(3, "CLOSED"),
        status(8, "READY"),
        change(8.1, 2, 21, source="backfill"),
        change(8.2, 3, 30, source="backfill"),
        gap(1, 8, at=8.3),
        change(9, 1, 11),
    ]


def test_a_cut_that_is_accounted_for_passes() -> None:
    verdict = judge(WRITES, well())
    assert verdict.violations == ()
    assert (verdict.writes, verdict.delivered, verdict.recovered, verdict.declared) == (5, 2, 3, 0)
    assert (verdict.lost_silently, verdict.gaps) == (0, 1)


def test_what_is_declared_incomplete_may_be_missing() -> None:
    events = [*well()[:5], gap(1, 8, at=8.3, complete=False), change(9, 1, 11)]
    verdict = judge(WRITES, events)
    assert verdict.violations == ()
    assert verdict.declared == 1


def without(index: int) -> Callable[[list[Event]], list[Event]]:
    return lambda events: events[:index] + events[index + 1 :]


def instead(index: int, *put: Event) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [*events[:index], *put, *events[index + 1 :]]


@pytest.mark.parametrize(
    ("spoil", "words", "lost"),
    [
        (without(6), "no gap covers it", 3),
        (lambda events: without(1)(instead(6, gap(2, 8, at=8.3))(events)), "no gap covers it", 1),
        (without(5), "last state never came", 1),
        (instead(4, change(8.1, 2, 20, source="backfill")), "last state never came", 2),
        (instead(6, gap(4.5, 8, at=8.3)), "no gap covers it", 1),
        (instead(6, gap(1, 5.5, at=8.3)), "no gap covers it", 1),
        (instead(6, gap(1, 8, at=8.3, tables=["public.notes"])), "no gap covers it", 3),
        (instead(6, gap(-5, 8, at=8.3)), "begins 1000000 µs before the last commit less the overlap", 0),
        (instead(6, gap(1, 8.2, at=8.3)), "ends 200000 µs after READY", 0),
        (instead(6, gap(9, 8, at=8.3)), "ends before it begins", 3),
        (instead(7, change(9, 1, 11), change(9, 1, 11)), "came 2 times", 1),
        (instead(4, *[change(8.1, 2, 21, source="backfill")] * 2), "came 2 times", 0),
        (instead(7, change(9, 1, 11), change(9.1, 1, 12)), "was never written", 0),
        (instead(7, change(9, 1, 11), change(9.1, 2, 20)), "came after what was written later", 0),
    ],
    ids=[
        "no gap",
        "lost before the gap",
        "complete, but a row is missing",
        "complete, but with a former state",
        "begins too late",
        "ends too soon",
        "names another table",
        "begins too early",
        "ends after READY",
        "runs backwards",
        "the stream told it twice",
        "the backfill told it twice",
        "never written",
        "backwards",
    ],
)
def test_a_violation_is_seen(spoil: Callable[[list[Event]], list[Event]], words: str, lost: int) -> None:
    verdict = judge(WRITES, spoil(well()))
    assert any(words in violation for violation in verdict.violations), verdict
    if lost:
        assert verdict.lost_silently == lost


def test_a_deleted_row_has_to_be_reported_or_declared() -> None:
    writes = [write(1, 1, 10), write(4, 1, None, "DELETE")]
    ready, lost, again = status(0, "READY"), status(3, "CLOSED"), status(8, "READY")
    reported: list[Event] = [
        ready,
        change(1, 1, 10),
        lost,
        again,
        change(8.1, 1, None, source="backfill"),
        gap(1, 8, at=9),
    ]
    assert judge(writes, reported).violations == ()
    silent: list[Event] = [ready, change(1, 1, 10), lost, again, gap(1, 8, at=9)]
    assert judge(writes, silent).lost_silently == 1
    declared: list[Event] = [ready, change(1, 1, 10), lost, again, gap(1, 8, at=9, complete=False)]
    assert judge(writes, declared).declared == 1


def test_what_was_written_before_ready_or_after_the_end_is_not_promised() -> None:
    writes = [write(-1, 1, 9), *WRITES, write(20, 1, 12)]
    verdict = judge(writes, well(), until=us(10))
    assert (verdict.writes, verdict.violations) == (5, ())


def test_a_queue_that_overflowed_is_judged_without_a_ready() -> None:
    writes = [write(1, 1, 10), write(2, 2, 20), write(3, 3, 30)]
    events: list[Event] = [
        status(0, "READY"),
        change(1, 1, 10),
        gap(2, 2, at=4, complete=False),
        change(4, 3, 30, committed=3),
    ]
    assert judge(writes, events).violations == ()
    events[2] = gap(2, 5, at=4, complete=False)
    assert any("after it was told" in violation for violation in judge(writes, events).violations)


def test_lines_are_judged_like_events() -> None:
    lines = [msgspec.json.decode(ndjson.encode(event)) for event in well()]
    assert judge(WRITES, events_of(lines)) == judge(WRITES, well())
