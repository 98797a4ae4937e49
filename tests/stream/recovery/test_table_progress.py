"""What is known of one table: its key from what streams, and what was emitted of it lately."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from prt.events import Change, EventType
from prt.stream.binding import Binding
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import TableProgress, learned_key
from prt.stream.rest.pages import ReadOrder, Row, Shape

SECOND = 1_000_000
SHAPE = Shape(key=("id",), written="updated_at", created=None)
READ_ORDER = ReadOrder(cursor="updated_at")
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


def contains(progress: TableProgress, one: Row) -> bool:
    """Whether a reading that begins now takes the row for known."""
    return progress.open(SHAPE, Memory(lambda *_: None)).judge(one) == "known"


def test_emitted_rows_are_kept_as_long_as_they_can_be_read_again() -> None:
    progress = TableProgress(("public", "notes"))
    old, late = row(1, 10 * SECOND), row(2, 20 * SECOND)
    for one in (old, late):
        progress.note_emitted(one.key, one.stamp, 0)
        progress.note_reached(NOTES, READ_ORDER, one, None)
    reached = progress.reached_by(NOTES, READ_ORDER)
    reached.is_read = True
    progress.close(5 * SECOND)
    assert contains(progress, old), "a gap may begin before what was but read"
    progress.recovered()
    progress.close(5 * SECOND)
    assert contains(progress, late)
    assert not contains(progress, old)


def test_a_place_goes_on_and_never_into_the_future_of_the_server() -> None:
    progress = TableProgress(("public", "notes"))
    for moment in (10, 30, 20):
        progress.note_reached(NOTES, READ_ORDER, row(1, moment * SECOND), None)
    assert progress.reached_by(NOTES, READ_ORDER).through == 30 * SECOND
    progress.note_reached(NOTES, READ_ORDER, row(1, 99 * SECOND), 40 * SECOND)
    assert progress.reached_by(NOTES, READ_ORDER).through == 40 * SECOND


def test_rows_that_were_only_read_can_be_doubted() -> None:
    progress = TableProgress(("public", "notes"))
    older, doubtful, emitted = row(1, 10), row(2, 20), row(3, 20)
    progress.read(older, 0, is_older=True)
    progress.read(doubtful, 0, is_older=False)
    progress.note_emitted(emitted.key, emitted.stamp, 0)
    progress.read(emitted, 0, is_older=False)
    progress.doubt(10)
    assert [contains(progress, one) for one in (older, doubtful, emitted)] == [True, False, True]
    progress.read(doubtful, 0, is_older=False)
    progress.doubt(21)
    assert contains(progress, doubtful), "it is older than the gap"
