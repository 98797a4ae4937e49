"""JSON that PostgreSQL makes and Python's readers refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from prt.decoding import decoded, decoded_row
from prt.events import Change
from prt.state.conditions.expectations import parse_expectations
from tests.views import story

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("1e400", Decimal("1e400")),
        ("-1e400", Decimal("-1e400")),
        ('{"a":[1e400,2]}', {"a": [Decimal("1e400"), 2]}),
        ("9" * 5000, Decimal("9" * 5000)),
        (DEEP, DEEP),
    ],
)
def test_every_value_of_the_database_can_be_read(text: str, value: Any) -> None:
    assert decoded(text.encode()) == value


def test_an_odd_value_leaves_the_others_of_its_row() -> None:
    deep = "[" * 900 + "]" * 900
    row = decoded_row(f'{{"id":7,"n":1e400,"j":{deep},"t":"x"}}'.encode())

    assert (row["id"], row["n"], row["t"]) == (7, Decimal("1e400"), "x")
    assert decoded_row(b'{"id":7,"n":1e400}') == {"id": 7, "n": Decimal("1e400")}
    assert decoded_row(b"[1]") == {}


@pytest.mark.parametrize("condition", ["n=1e400", "n=1E+400", 'j={"k":1e400}'])
def test_an_expectation_of_such_a_value_is_met(condition: str) -> None:
    """Single quotes keep the JSON's double quotes from the words' reader."""
    raw = b'{"id":1,"n":1e400,"j":{"k":1e400}}'
    event = story.change("INSERT", "t", new={"id": 1})
    change = Change(**{name: getattr(event, name) for name in event.__struct_fields__} | {"new": raw})

    assert parse_expectations([f"INSERT t '{condition}'"]).apply(change)
