from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prt.local.realtime.changes.decoding import jsonb

NORMALISED = {
    "{}": "{}",
    "[]": "[]",
    ' [ 1 ,2, "x" ,null,true,false ] ': '[1, 2, "x", null, true, false]',
    '{"bb":1,"a":2,"é":3,"ab":4}': '{"a": 2, "ab": 4, "bb": 1, "é": 3}',
    '{"a":1,"a":2}': '{"a": 2}',
    "1e2": "100",
    "1.50e1": "15.0",
    "1E-10": "0.0000000001",
    "-0": "0",
    "-0.00": "0.00",
    "12345678901234567890.1234567890123456789": "12345678901234567890.1234567890123456789",
    r'"é\/\u0041\n\u001f\"\\"': '"é/A\\n\\u001f\\"\\\\"',
    r'"\ud800"': r'"\ud800"',
    '{"a":{"c":1,"b":[{"z":1,"y":2}]}}': '{"a": {"b": [{"y": 2, "z": 1}], "c": 1}}',
}  # fmt: skip


@pytest.mark.parametrize(("text", "normalised"), NORMALISED.items(), ids=lambda text: text[:30])
def test_normalises(text: str, normalised: str) -> None:
    assert jsonb.normalised(text) == normalised


def test_what_is_too_deep_stays_as_it_is() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    assert jsonb.normalised(deep) == deep


@pytest.mark.parametrize(
    "text",
    [
        '{"b": 1e999999999999, "a": 1}',
        "1e-99999999999999999999",
        "1E+00999999999",
        "[" + ",".join(["1e131071"] * 9) + "]",
    ],
)
def test_numbers_of_too_many_digits_stay_as_they_are(text: str) -> None:
    """Else a few bytes of a client's would become gigabytes."""
    assert jsonb.normalised(text) == text


def test_the_longest_number_of_postgresql_is_written_out() -> None:
    assert jsonb.normalised("[1e0131071, 1e5]") == f"[1{'0' * 131_071}, 100000]"


# PostgreSQL has no text with NUL, and no lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=5).map(float)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=JSON, is_ascii=st.booleans())
def test_prints_like_postgresql(sql: psycopg.Connection[Any], value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    row = sql.execute("select %s::jsonb::text", [text]).fetchone()
    assert row is not None
    assert jsonb.normalised(text) == row[0]
