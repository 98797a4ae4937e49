from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from prt.events import Change
from prt.state.rows.difference import LONGEST, common_length, line_of, value_text
from tests.views.story import change, raw

ROW = {"id": 1, "note": None, "production_id": 7, "status": "todo", "title": "Rig", "updated_at": "10:00"}
FULL = {"status": "doing", "updated_at": "11:00"}


def cells(event: Change, previous: dict[str, Any] | None = None, key: tuple[str, ...] = ("id",)) -> Any:
    line = line_of(event, None if previous is None else bytes(raw(previous)), key)
    return line.origin, [(cell.column, cell.before, cell.after) for cell in line.cells]


def test_an_update_is_compared_with_the_old_row_of_the_server() -> None:
    event = change("UPDATE", "t", new=ROW | FULL, old=ROW)
    assert cells(event, ROW | {"status": "stale"}) == ("server", [("status", "todo", "doing")])


def test_without_one_it_is_compared_with_the_last_row_seen() -> None:
    event = change("UPDATE", "t", new=ROW | FULL, old={"id": 1})
    assert cells(event, ROW) == ("seen", [("status", "todo", "doing")])


def test_without_a_previous_row_the_new_values_are_listed_descriptive_ones_first() -> None:
    event = change("UPDATE", "t", new=ROW | FULL, old={"id": 1})
    assert cells(event) == (
        "unknown",
        [
            ("title", None, "Rig"),
            ("status", None, "doing"),
            ("production_id", None, "7"),
            ("updated_at", None, "11:00"),
        ],
    )


def test_bookkeeping_is_shown_only_if_nothing_else_changed() -> None:
    event = change("UPDATE", "t", new=ROW | {"updated_at": "11:00"}, old={"id": 1})
    assert cells(event, ROW) == ("seen", [("updated_at", "10:00", "11:00")])


def test_an_update_that_changed_nothing_has_no_cells() -> None:
    assert cells(change("UPDATE", "t", new=ROW, old={"id": 1}), ROW) == ("seen", [])


def test_a_changed_key_is_shown() -> None:
    event = change("UPDATE", "t", new=ROW | {"id": 2}, old={"id": 1})
    assert cells(event, ROW) == ("seen", [("id", "1", "2")])
    assert cells(event)[1][0] == ("id", "1", "2")
    assert line_of(event, None, ("id",)).key == "2"


def test_a_new_column_has_no_value_before() -> None:
    assert cells(change("UPDATE", "t", new={"id": 1, "a": 1}, old={"id": 1}), {"id": 1}) == (
        "seen",
        [("a", None, "1")],
    )


def test_a_large_value_that_an_update_left_out_is_unchanged() -> None:
    event = change("UPDATE", "t", new={"id": 1, "status": "b"}, old={"id": 1})
    assert cells(event, {"id": 1, "status": "a", "body": "x" * 9000}) == ("seen", [("status", "a", "b")])


def test_an_insert_shows_its_values_without_nulls_and_key() -> None:
    assert [cell.column for cell in line_of(change("INSERT", "t", new=ROW), None, ("id",)).cells] == [
        *("title", "status", "production_id", "updated_at")
    ]


@pytest.mark.parametrize(
    ("old", "previous", "origin", "columns"),
    [
        ({"id": 1}, None, "unknown", []),
        ({"id": 1}, ROW, "seen", ["title", "status", "production_id", "updated_at"]),
        ({"id": 1, "status": "x"}, ROW, "server", ["status"]),
    ],
)
def test_a_delete_shows_the_known_values(
    old: dict[str, Any], previous: dict[str, Any] | None, origin: str, columns: list[str]
) -> None:
    found, shown = cells(change("DELETE", "t", old=old), previous)
    assert (found, [column for column, _, after in shown if after is None]) == (origin, columns)


def test_the_key_comes_from_either_side_and_may_be_of_several_columns() -> None:
    assert line_of(change("DELETE", "t", old={"a": 1, "b": "x"}), None, ("a", "b")).key == "1, x"
    assert line_of(change("INSERT", "t", new={"title": "x"}), None, ("id",)).key == ""


@pytest.mark.parametrize(
    ("json", "text"),
    [
        ("1", "1"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("null", "null"),
        ("true", "true"),
        ('"text"', "text"),
        ('""', '""'),
        ('"null"', '"null"'),
        ('" padded"', '" padded"'),
        ('"\\u001b[0m"', "\x1b[0m"),
        ('{ "a": [1, 2],\n "b": null }', '{"a":[1,2],"b":null}'),
        ('"\\ud800"', '"\\ud800"'),
    ],
)
def test_value_text(json: str, text: str) -> None:
    assert value_text(Raw(json.encode())) == text


@pytest.mark.parametrize("value", ["x" * 100_000, ["x" * 100] * 1000, {"a": "x" * 100_000}])
def test_large_values_are_cut(value: Any) -> None:
    assert len(value_text(raw({"v": value}))) <= LONGEST + 1
    event = change("UPDATE", "t", new={"id": 1, "v": value, "w": 2}, old={"id": 1, "v": None, "w": 1})
    line = line_of(event, None, ("id",))
    assert all(len(cell.after or "") <= LONGEST + 1 for cell in line.cells)


def test_long_values_are_shown_from_where_they_begin_to_differ() -> None:
    before, after = "x" * 5000 + "cat" + "y" * 5000, "x" * 5000 + "dog" + "y" * 5000
    (cell,) = line_of(
        change("UPDATE", "t", new={"id": 1, "v": after}, old={"id": 1, "v": before}), None, ("id",)
    ).cells
    assert cell.before is not None
    assert cell.after is not None
    assert cell.before.startswith("…xxxxxxxxcatyyy")
    assert cell.after.startswith("…xxxxxxxxdogyyy")


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [("", "", 0), ("abc", "abd", 2), ("abc", "abc", 3), ("a", "abc", 1), ("x", "y", 0)],
)
def test_common_length(one: str, other: str, length: int) -> None:
    assert common_length(one, other) == length


def test_numbers_that_differ_beyond_a_double_differ() -> None:
    new, old = Raw(b'{"id":1,"n":0.10000000000000000001}'), Raw(b'{"id":1,"n":0.10000000000000000002}')
    event = Change(
        at=1, topic="t", event_type="UPDATE", schema="s", table="t", commit_timestamp=None, new=new, old=old
    )
    assert [cell.column for cell in line_of(event, None, ("id",)).cells] == ["n"]


def test_json_that_is_only_written_differently_is_the_same() -> None:
    new = Raw(b'{"id":1,"j":{"a":1,"b":[1,2]},"s":"\\u00e9"}')
    old = Raw('{"id": 1, "j": {"b": [1, 2], "a": 1}, "s": "é"}'.encode())
    event = Change(
        at=1, topic="t", event_type="UPDATE", schema="s", table="t", commit_timestamp=None, new=new, old=old
    )
    assert line_of(event, None, ("id",)).cells == ()


def test_errors_are_kept() -> None:
    assert line_of(change("INSERT", "t", errors=["Error 401: Unauthorized"]), None, ("id",)).errors == (
        "Error 401: Unauthorized",
    )


def test_a_row_that_cannot_be_read_is_reported() -> None:
    event = Change(
        at=1,
        topic="t",
        event_type="INSERT",
        schema="s",
        table="t",
        commit_timestamp=None,
        new=Raw(b'{"\\ud800":1}'),
    )
    line = line_of(event, None, ("id",))
    assert line.cells == ()
    assert line.errors[0].startswith("unreadable row: ")
