from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, structs

from prt.events import Change
from prt.state.rows.cache import Rows
from tests.views.story import change, raw

ROW = {"id": 1, "name": "a", "note": "x"}


def seen(row: dict[str, Any]) -> bytes:
    return bytes(raw(row))


def test_an_update_finds_the_row_before() -> None:
    rows = Rows()
    assert rows.apply(change("INSERT", "t", new=ROW)) is None
    assert rows.apply(change("UPDATE", "t", new=ROW | {"name": "b"}, old={"id": 1})) == seen(ROW)
    assert rows.apply(change("UPDATE", "t", new=ROW, old={"id": 1})) == seen(ROW | {"name": "b"})


def test_a_delete_finds_its_row_and_forgets_it() -> None:
    rows = Rows()
    rows.apply(change("INSERT", "t", new=ROW))
    assert rows.apply(change("DELETE", "t", old={"id": 1})) == seen(ROW)
    assert rows.apply(change("DELETE", "t", old={"id": 1})) is None
    assert len(rows) == 0


def test_rows_of_other_tables_schemas_and_keys_are_others() -> None:
    rows = Rows()
    rows.apply(change("INSERT", "t", new=ROW))
    assert rows.apply(change("UPDATE", "u", new=ROW, old={"id": 1})) is None
    assert rows.apply(change("UPDATE", "t", schema="s", new=ROW, old={"id": 1})) is None
    assert rows.apply(change("UPDATE", "t", new=ROW | {"id": 2}, old={"id": 2})) is None
    assert rows.apply(change("UPDATE", "t", new=ROW | {"id": "1"}, old={"id": "1"})) is None


def test_a_row_whose_key_changes_is_followed() -> None:
    rows = Rows()
    rows.apply(change("INSERT", "t", new=ROW))
    assert rows.apply(change("UPDATE", "t", new=ROW | {"id": 2}, old={"id": 1})) == seen(ROW)
    assert rows.apply(change("DELETE", "t", old={"id": 1})) is None
    assert rows.apply(change("DELETE", "t", old={"id": 2})) == seen(ROW | {"id": 2})


def test_the_key_is_learned_from_an_old_row_with_fewer_columns() -> None:
    rows = Rows()
    one = {"org": 1, "nr": 1, "v": 1}
    rows.apply(change("UPDATE", "t", new=one, old={"org": 1, "nr": 1}))
    rows.apply(change("UPDATE", "t", new=one | {"nr": 2}, old={"org": 1, "nr": 2}))

    assert rows.key_columns("public", "t") == ("org", "nr")
    assert rows.apply(change("UPDATE", "t", new=one | {"v": 2}, old={"org": 1, "nr": 1})) == seen(one)


def test_a_whole_old_row_teaches_no_key() -> None:
    rows = Rows()
    rows.apply(change("UPDATE", "t", new=ROW, old=ROW))
    assert rows.key_columns("public", "t") == ("id",)
    assert rows.apply(change("UPDATE", "t", new=ROW | {"name": "b"}, old=ROW)) == seen(ROW)


def test_a_given_key_is_kept_whatever_the_events_contain() -> None:
    rows = Rows(keys={("public", "t"): ("slug",)})
    rows.apply(change("INSERT", "t", new={"slug": "a", "v": 1}))
    assert rows.apply(change("UPDATE", "t", new={"slug": "a", "v": 2}, old={"v": 1})) == seen(
        {"slug": "a", "v": 1}
    )
    assert rows.key_columns("public", "t") == ("slug",)


def test_rows_without_a_key_are_not_kept_and_named() -> None:
    rows = Rows()
    rows.apply(change("INSERT", "t", new={"a": 1}))
    rows.apply(change("DELETE", "u", old={"a": 1}))
    assert rows.keyless == {("public", "t"), ("public", "u")}
    assert len(rows) == 0


def test_a_row_with_errors_is_not_taken_for_the_whole_row() -> None:
    rows = Rows()
    rows.apply(change("INSERT", "t", new=ROW))
    assert rows.apply(change("UPDATE", "t", new={"id": 1}, errors=["Error 413: Payload Too Large"])) is None
    assert rows.apply(change("DELETE", "t", old={"id": 1})) == seen(ROW)
    rows.apply(change("INSERT", "u", new={}, errors=["Error 401: Unauthorized"]))
    assert rows.keyless == set()


def test_the_least_recently_changed_row_goes_first() -> None:
    rows = Rows(limit=2)
    for number in (1, 2):
        rows.apply(change("INSERT", "t", new={"id": number}))
    rows.apply(change("UPDATE", "t", new={"id": 1, "v": 1}, old={"id": 1}))
    rows.apply(change("INSERT", "t", new={"id": 3}))

    assert rows.apply(change("DELETE", "t", old={"id": 2})) is None
    assert rows.apply(change("DELETE", "t", old={"id": 1})) is not None


def test_bytes_are_bounded_also_as_rows_grow_and_go() -> None:
    rows = Rows(limit_bytes=1000)
    for number in range(50):
        rows.apply(change("INSERT", "t", new={"id": number, "text": "x" * 80}))
        rows.apply(change("UPDATE", "t", new={"id": number, "text": "x" * 85}, old={"id": number}))
        if number % 7 == 0:
            rows.apply(change("DELETE", "t", old={"id": number}))
        assert rows._bytes == sum(len(kept.row) for kept in rows._rows.values()) <= 1000
    assert len(rows) >= 8


def test_a_row_that_is_larger_than_all_is_not_kept() -> None:
    rows = Rows(limit_bytes=100)
    rows.apply(change("INSERT", "t", new={"id": 1, "text": "x" * 200}))
    assert (len(rows), rows._bytes) == (0, 0)


def test_rows_that_cannot_be_read_harm_nothing() -> None:
    odd = Raw(b'{"\\ud800": 1, "id": 5}')
    rows = Rows()
    for event_type in ("INSERT", "UPDATE", "DELETE"):
        assert (
            rows.apply(
                Change(
                    at=1,
                    topic="t",
                    event_type=event_type,
                    schema="s",
                    table="t",
                    commit_timestamp=None,
                    new=odd,
                    old=odd,
                )
            )
            is None
        )


def at(second: int, microsecond: int = 0) -> str:
    return f"2026-11-22T16:45:{second:02d}.{microsecond:06d}+00:00"


def streamed(event_type: Any, row: dict[str, Any], second: int) -> Change:
    """A change that was committed at that second."""
    new = {} if event_type == "DELETE" else {"new": row}
    old = {} if event_type == "INSERT" else {"old": {"id": row["id"]}}
    return structs.replace(change(event_type, "t", **new, **old), commit_timestamp=at(second))


def read(row: dict[str, Any], source: Any = "snapshot") -> Change:
    return change("INSERT", "t", new=row, source=source, lag=None)


def shown(rows: Rows, key: int = 1) -> Any:
    row = rows.row("public", "t", str(key).encode())
    return None if row is None else json.loads(row)


def dated(second: int, **columns: Any) -> dict[str, Any]:
    return {"id": 1, "updated_at": at(second)} | columns


def test_a_row_that_was_read_replaces_one_of_the_stream_only_if_it_is_later() -> None:
    rows = Rows()
    rows.apply(streamed("INSERT", dated(10, v=1), 11))
    for outdated in (dated(9, v=0), dated(10, v=0), {"id": 1, "v": 0}):
        assert rows.process(read(outdated)) == (None, False)
        assert shown(rows) == dated(10, v=1)
    assert rows.process(read(dated(12, v=2))) == (seen(dated(10, v=1)), True)
    assert shown(rows) == dated(12, v=2)


def test_the_stream_replaces_what_was_read_unless_that_is_later() -> None:
    rows = Rows()
    rows.apply(read(dated(12, v=2)))
    assert rows.process(streamed("UPDATE", dated(10, v=1), 11)) == (None, False)
    assert shown(rows) == dated(12, v=2)
    # It began before the other one was committed, and waited for it.
    assert rows.process(streamed("UPDATE", dated(11, v=3), 13)) == (seen(dated(12, v=2)), True)


def test_updates_of_the_stream_are_never_put_in_another_order() -> None:
    rows = Rows()
    rows.apply(streamed("INSERT", dated(12, v=1), 13))
    assert rows.process(streamed("UPDATE", dated(10, v=2), 14))[1]
    assert shown(rows) == dated(10, v=2)


def test_a_deleted_row_is_not_brought_back_by_an_older_one() -> None:
    rows = Rows()
    rows.apply(streamed("DELETE", {"id": 1}, 20))
    assert rows.process(read(dated(19)))[1] is False
    assert rows.process(read({"id": 1}))[1] is False
    assert shown(rows) is None
    assert rows.process(read(dated(21)))[1] is True
    assert shown(rows) == dated(21)


def test_a_former_key_is_not_brought_back_either() -> None:
    rows = Rows()
    rows.apply(
        structs.replace(change("UPDATE", "t", new=dated(10, id=2), old={"id": 1}), commit_timestamp=at(11))
    )
    assert rows.process(read(dated(9)))[1] is False


def test_a_delete_that_was_inferred_is_one_though_it_has_errors() -> None:
    rows = Rows()
    rows.apply(read(dated(1)))
    gone = change("DELETE", "t", old={"id": 1}, source="backfill", errors=["deleted or no longer visible"])
    assert rows.process(gone) == (seen(dated(1)), True)
    assert shown(rows) is None


def test_of_two_rows_that_were_read_the_later_one_stays() -> None:
    for first, second in (("snapshot", "backfill"), ("backfill", "snapshot")):
        rows = Rows()
        rows.apply(read(dated(5, v=first), first))
        rows.apply(read(dated(5, v=second), second))
        assert shown(rows)["v"] == "backfill"
        assert rows.process(read(dated(4)))[1] is False
        assert rows.process(read(dated(6, v="later")))[1] is True


class Log:
    """A row's life in a database: each transaction began before it committed, one after the other."""

    def __init__(self, steps: list[tuple[bool, int]]) -> None:
        self.changes: list[Change] = []
        self.states: list[dict[str, Any] | None] = [None]
        for number, (is_delete, waited) in enumerate(steps, 1):
            second = 10 + 2 * number
            former = self.states[-1]
            if is_delete:
                if former is not None:
                    self.changes.append(streamed("DELETE", {"id": 1}, second))
                    self.states.append(None)
                continue
            row = dated(max(second - waited, 0), v=number)
            self.changes.append(streamed("INSERT" if former is None else "UPDATE", row, second))
            self.states.append(row)


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=6),
    reads=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["snapshot", "backfill"])), max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_any_interleaving_of_the_sources_ends_in_the_row_of_the_database(
    steps: list[tuple[bool, int]], reads: list[tuple[int, str]], order: random.Random
) -> None:
    """Whatever was read, at whatever moment of the log, and whenever it came here."""
    log = Log(steps)
    states = [(log.states[min(moment, len(log.states) - 1)], source) for moment, source in sorted(reads)]
    sources = [log.changes]
    for name in ("snapshot", "backfill"):
        sources.append([read(row, name) for row, source in states if row is not None and source == name])
    rows = Rows()
    for event in interleaved(sources, order):
        rows.process(event)
    if log.changes:
        assert shown(rows) == log.states[-1]


@given(
    lost=st.integers(1, 3),
    steps=st.lists(st.tuples(st.booleans(), st.just(1)), min_size=4, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_what_the_stream_lost_is_there_whenever_it_was_read(
    lost: int, steps: list[tuple[bool, int]], order: random.Random
) -> None:
    """The last changes never come; a row that was read after them shows what they did."""
    log = Log([*steps, (False, 1)])
    final = log.states[-1]
    assert final is not None
    sources = [log.changes[: max(len(log.changes) - lost, 0)], [read(final, "backfill")]]
    rows = Rows()
    for event in interleaved(sources, order):
        rows.process(event)
    assert shown(rows) == final


def interleaved(sources: list[list[Change]], order: random.Random) -> list[Change]:
    """Each source in its own order."""
    left = [list(source) for source in sources if source]
    events: list[Change] = []
    while left:
        source = order.choice(left)
        events.append(source.pop(0))
        left = [one for one in left if one]
    return events
