"""One state, printed by Realtime and by PostgREST."""

from __future__ import annotations

from typing import Any

import pytest

from prt.stream import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01+00:00", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01 01:00:00.000001+01:00", 1),
        ("1970-01-01T00:00:00.9", 900_000),
        ("infinity", None),
        ("0044-03-15T00:00:00+00:00 BC", None),
        ("1970-01-01", None),
        ("a text", None),
        (5, None),
        (None, None),
    ],
)
def test_moments(text: Any, expected: int | None) -> None:
    assert values.moment(text) == expected


def test_a_moment_and_its_text() -> None:
    assert values.moment(values.timestamp(1_700_000_000_123_456)) == 1_700_000_000_123_456


@pytest.mark.parametrize(
    ("streamed", "read", "is_same"),
    [
        (1, 1, True),
        (1, 2, False),
        (1.5, 1.50, True),
        (12345678901234567, 12345678901234568, False),
        ("a", "b", False),
        ("ab", "abc", False),
        ("2026-11-22T16:49:27.990+00:00", "2026-11-22T17:49:27.99+01:00", True),
        ("2026-11-22T16:49:27.990+00:00", "2026-11-22T16:49:27.991+00:00", False),
        ("2026-11-22T16:49:27", "infinity", False),
        ("dead", "\\xdead", True),
        ("dead", "\\xdeaf", False),
        ("a", "ab   ", True),
        (None, "NaN", True),
        (None, "text", False),
        (["2026-11-22T16:49:27.990Z", 1], ["2026-11-22T16:49:27.99+00:00", 1], True),
        ([1], [1, 2], False),
        ({"a": 1, "b": None}, {"b": None, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (True, "t", False),
    ],
)
def test_prints_of_a_value(streamed: Any, read: Any, is_same: bool) -> None:
    assert values.is_same(streamed, read) is is_same


@pytest.mark.parametrize(
    ("streamed", "read", "is_cut"),
    [
        ("E", "EUR", True),
        ("E", "E", False),
        ("E", "USD", False),
        ("EU", "EUR", False),
        ("", "EUR", False),
        (None, "EUR", False),
        (["a", None], ["ab   ", None], True),
        ({"c": "a"}, {"c": "ab", "d": 1}, True),
        ({"c": 1}, {"d": 1}, False),
    ],
)
def test_a_value_of_which_only_the_first_character_came(streamed: Any, read: Any, is_cut: bool) -> None:
    assert values.is_cut(streamed, read) is is_cut


def test_columns_that_one_side_lacks_are_ignored() -> None:
    assert values.is_same_row({"id": 1, "kept": 1}, {"id": 1, "toast": "x"})
    assert not values.is_same_row({"id": 1, "a": 1}, {"id": 1, "a": 2})


def test_keys() -> None:
    assert values.key_of({"id": 1, "b": "x"}, ["b", "id"]) == ("x", 1)
    assert values.key_of({"at": "2026-11-22T16:49:27.990Z"}, ["at"]) == values.key_of(
        {"at": "2026-11-22T16:49:27.99+00:00"}, ["at"]
    )
    assert values.key_of({"id": None}, ["id"]) is None
    assert values.key_of({}, ["id"]) is None
    assert hash(values.key_of({"id": [1, {"a": 2}]}, ["id"])) is not None
