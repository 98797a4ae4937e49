from __future__ import annotations

from typing import Any

import pytest

from prt.state.rows.difference import LONGEST, Cell
from prt.state.topics.metas import (
    differences,
    joined_values,
    since_of,
    tracked,
    user_of,
    value_text,
    where_of,
)


@pytest.mark.parametrize(
    ("meta", "user"),
    [
        ({"name": "Ada", "email": "ada@example.com", "user_id": "u1"}, "Ada"),
        ({"email": "ada@example.com", "user_id": "u1"}, "ada@example.com"),
        ({"user_id": "u1", "status": "busy"}, "u1"),
        ({"userId": 7}, "7"),
        ({"user": {"id": "u1", "name": "Ada"}}, "Ada"),
        ({"user": {"id": "u1"}}, "u1"),
        ({"user": {"nothing": 1}}, ""),
        ({"name": "  ", "user_id": "u1"}, "u1"),
        ({"name": None, "user_id": True}, ""),
        ({}, ""),
    ],
)
def test_who_it_is(meta: dict[str, Any], user: str) -> None:
    assert user_of([meta]) == user


def test_the_user_comes_from_the_first_meta_with_a_name() -> None:
    assert user_of([{}, {"user_id": "u2"}, {"user_id": "u1"}]) == "u2"


def test_where() -> None:
    assert where_of([{"location": "/a"}, {"location": "/b"}, {"location": "/a"}]) == "/b, /a"
    assert where_of([{"page": "/p"}]) == "/p"
    assert where_of([{}]) == ""


@pytest.mark.parametrize(
    ("value", "since"),
    [
        ("2026-11-22T16:45:14.5Z", 1_795_365_914_500_000),
        ("2026-11-22T17:45:14.5+01:00", 1_795_365_914_500_000),
        ("2026-11-22T16:45:14.5", 1_795_365_914_500_000),
        (1_795_365_914, 1_795_365_914_000_000),
        (1_795_365_914_500, 1_795_365_914_500_000),
        ("yesterday", None),
        (True, None),
        (-5, None),
        (1e300, None),
        (None, None),
        ({"at": 1}, None),
    ],
)
def test_since_when(value: Any, since: int | None) -> None:
    assert since_of([{"online_at": value}]) == since


def test_the_earliest_of_several_connections() -> None:
    assert since_of([{"online_at": 20}, {"joinedAt": 10}, {}]) == 10_000_000


def test_values() -> None:
    assert [value_text(value) for value in ("a b", "", 5, 1.5, None, True, {"x": [1, "ä"]})] == [
        *("a b", "", "5", "1.5", "null", "true", '{"x":[1,"ä"]}')
    ]
    assert value_text("x" * 10_000) == "x" * LONGEST + "…"
    assert joined_values([{"a": 1}, {}, {"a": 2}, {"a": 1}], "a") == "2, 1"
    assert tracked({"a": 1, "presence_ref": "r"}) == {"a": 1}


def test_what_differs() -> None:
    before = {"status": "idle", "desk": 7, "same": [1], "presence_ref": "a"}
    after = {"status": "busy", "same": [1], "mood": None, "presence_ref": "b"}
    assert differences(before, after) == (
        Cell("status", "idle", "busy"),
        Cell("mood", "–", "null"),
        Cell("desk", "7", "–"),
    )
    assert differences(after, after) == ()
