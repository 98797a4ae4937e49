"""What is remembered of the emitted rows: keys and dates of changes, within bounds."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from prt.events import Change, EventType
from prt.stream.recovery.verification.emitted import (
    BURST_CHANGES,
    CHANGES_A_SECOND,
    UNDATED_SLACK,
    Budget,
    DateReader,
    Emitted,
)
from prt.stream.rest.pages import Shape
from prt.stream.values import moment

DATE = "2026-11-22T16:48:47.5+00:00"
AT = moment(DATE) or 0


def change(new: object, *, kind: EventType = "INSERT", old: object = None) -> Change:
    return Change(
        at=AT,
        topic="t",
        event_type=kind,
        schema="public",
        table="todos",
        commit_timestamp="2026-11-22T16:48:48Z",
        new=Raw(msgspec.json.encode(new)),
        old=Raw(msgspec.json.encode(old or {})),
    )


@pytest.mark.parametrize(
    ("row", "date"),
    [
        ({"id": 1, "updated_at": DATE, "created_at": "2020-01-01T00:00:00Z", "text": [{}]}, AT),
        ({"id": 1, "updated_at": None, "created_at": DATE}, AT),
        ({"id": 1, "created_at": DATE.replace("T", " ")}, AT),
        ({"id": 1, "text": "no date"}, AT + 500_000 + UNDATED_SLACK),
    ],
)
def test_a_row_is_dated_by_its_columns_or_else_by_its_commit(row: object, date: int) -> None:
    reader = DateReader(Shape(key=("id",), written="updated_at", created="created_at"))
    assert reader.new(change(row)) == ((1,), date)


def test_columns_of_any_name_make_the_key() -> None:
    reader = DateReader(Shape(key=("a b", "updated_at"), written="updated_at", created="updated_at"))
    row = {"a b": "x", "updated_at": DATE}
    key, date = reader.new(change(row))
    assert (key, date) == (("x", "2026-11-22T16:48:47.500000+00:00"), AT)
    assert reader.old_key(change({}, kind="DELETE", old=row)) == key
    assert reader.new(change({"a b": None, "updated_at": DATE}))[0] is None


def test_the_latest_date_of_a_row_counts() -> None:
    emitted = Emitted(Budget())
    emitted.note((1,), 20)
    emitted.note((1,), 10)
    assert emitted.has((1,), 20)
    assert not emitted.has((1,), 21)
    emitted.drop((1,))
    assert not emitted.has((1,), 20)


def test_what_no_window_reaches_is_forgotten_and_not_taken_again() -> None:
    budget = Budget(left=10)
    emitted = Emitted(budget)
    for key in range(10):
        emitted.note((key,), key)
    emitted.forget(8)
    assert (len(emitted), budget.left) == (2, 8)
    emitted.note((1,), 7)
    assert len(emitted) == 2


def test_a_spent_budget_gives_up_the_past_of_the_table_that_spends_more() -> None:
    budget = Budget(left=4)
    quiet, busy = Emitted(budget), Emitted(budget)
    quiet.note((0,), 5)
    for key in range(10):
        busy.note((key,), 10 + key)
    assert quiet.has((0,), 5)
    assert not quiet.has((1,), 4)
    assert busy.floor is not None
    assert busy.has((999,), busy.floor), "up to there nobody knows"
    assert not busy.has((999,), 20)
    assert len(quiet) + len(busy) + budget.left == 4


def test_a_flood_is_looked_at_for_a_while_and_then_as_far_as_time_allows() -> None:
    budget = Budget()
    assert budget.allows(BURST_CHANGES, 100.0)
    assert not budget.allows(128, 100.0)
    assert budget.allows(CHANGES_A_SECOND, 101.0)
    assert not budget.allows(128, 101.0)


def test_what_was_not_looked_at_can_not_be_judged() -> None:
    emitted = Emitted(Budget())
    emitted.note((1,), 10)
    emitted.skip(30)
    assert emitted.has((2,), 30)
    assert not emitted.has((2,), 31)
