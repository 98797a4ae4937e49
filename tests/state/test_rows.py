from __future__ import annotations

from typing import Any

from msgspec import Raw

from prt.events import Change
from prt.state.rows import Rows
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


def test_a_given_key_stands_whatever_the_wire_says() -> None:
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
