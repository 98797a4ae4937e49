"""What is known of one table: its key from what streams, and what was told of it lately."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from prt.events import Change, EventType
from prt.stream.binding import Binding
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import Ledger, learned_key
from prt.stream.rest.pages import Road, Row, Shape

SECOND = 1_000_000
SHAPE = Shape(key=("id",), written="updated_at", created=None)
ROAD = Road(cursor="updated_at")
NOTES = Binding(table="notes")


def change(kind: EventType, new: Any, old: Any, errors: list[str] | None = None) -> Change:
    return Change(
        at=0,
        topic="t",
        event_type=kind,
        schema="public",
        table="notes",
        commit_timestamp=None,
        new=Raw(msgspec.json.encode(new)),
        old=Raw(msgspec.json.encode(old)),
        errors=errors,
    )


def row(key: int, moment: int) -> Row:
    return Row((key,), Raw(b'{"id":%d}' % key), (moment, None), ())


WHOLE = {"id": 1, "tenant": 2, "text": "x"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ([], None),
        ([change("INSERT", WHOLE, {})], None),
        ([change("UPDATE", WHOLE, {"tenant": 2, "id": 1})], ("tenant", "id")),
        ([change("UPDATE", WHOLE, WHOLE)], None),
        ([change("UPDATE", WHOLE, {})], None),
        ([change("DELETE", {}, {"tenant": 2})], None),
        ([change("INSERT", WHOLE, {}), change("DELETE", {}, {"tenant": 2})], ("tenant",)),
        ([change("DELETE", {}, {"tenant": 2}), change("INSERT", WHOLE, {})], ("tenant",)),
        ([change("INSERT", WHOLE, {}), change("DELETE", {}, WHOLE)], None),
        ([change("UPDATE", WHOLE, {"id": 1}, ["Error 413: Payload Too Large"])], None),
    ],
)
def test_the_key_from_what_streams(changes: list[Change], key: tuple[str, ...] | None) -> None:
    assert learned_key(changes) == key


def knows(ledger: Ledger, one: Row) -> bool:
    """Whether a reading that begins now takes the row for known."""
    return ledger.open(SHAPE, Memory(lambda *_: None)).judge(one) == "known"


def test_told_rows_are_kept_as_long_as_they_can_be_read_again() -> None:
    ledger = Ledger(("public", "notes"))
    old, late = row(1, 10 * SECOND), row(2, 20 * SECOND)
    for one in (old, late):
        ledger.told(one.key, one.stamp, 0)
        ledger.came_to(NOTES, ROAD, one, None)
    place = ledger.place(NOTES, ROAD)
    place.is_read = True
    ledger.close(5 * SECOND)
    assert knows(ledger, old), "a gap may begin before what was but read"
    ledger.recovered()
    ledger.close(5 * SECOND)
    assert knows(ledger, late)
    assert not knows(ledger, old)


def test_a_place_goes_on_and_never_into_the_future_of_the_server() -> None:
    ledger = Ledger(("public", "notes"))
    for moment in (10, 30, 20):
        ledger.came_to(NOTES, ROAD, row(1, moment * SECOND), None)
    assert ledger.place(NOTES, ROAD).through == 30 * SECOND
    ledger.came_to(NOTES, ROAD, row(1, 99 * SECOND), 40 * SECOND)
    assert ledger.place(NOTES, ROAD).through == 40 * SECOND


def test_rows_that_were_only_read_can_be_doubted() -> None:
    ledger = Ledger(("public", "notes"))
    older, doubtful, told = row(1, 10), row(2, 20), row(3, 20)
    ledger.read(older, 0, is_older=True)
    ledger.read(doubtful, 0, is_older=False)
    ledger.told(told.key, told.stamp, 0)
    ledger.read(told, 0, is_older=False)
    ledger.doubt(10)
    assert [knows(ledger, one) for one in (older, doubtful, told)] == [True, False, True]
    ledger.read(doubtful, 0, is_older=False)
    ledger.doubt(21)
    assert knows(ledger, doubtful), "it is older than the gap"
