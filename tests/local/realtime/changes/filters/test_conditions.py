"""A filter holds exactly if PostgreSQL agrees, whether it is decided here or there."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from prt.local.postgres.server import Postgres
from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding.catalog import Column
from prt.local.realtime.changes.filters import conditions
from prt.local.realtime.changes.filters.grammar import Filter
from tests.local.realtime.changes.decoding.test_values import in_session, types_of

COMPARED = ("eq", "neq", "lt", "lte", "gt", "gte", "isdistinct", "in")
TEXTUAL = ("like", "ilike", "match", "imatch")

VALUES: dict[str, tuple[str | None, ...]] = {
    "int4": ("-2147483648", "-1", "0", "7", "10", "9", None),
    "int8": ("9223372036854775807", "9223372036854775806", "-5", None),
    "numeric": ("NaN", "Infinity", "-Infinity", "1", "1.0", "1.00000000000000000001", "-7", None),
    "float8": ("NaN", "Infinity", "-0", "0", "1e-300", "0.1", None),
    "float4": ("0.1", "0.3", "3.4e38", None),
    "bool": ("t", "f", None),
    "text": ("", "a", "B", "b", "é", "z", "😀", "a b", None),
    "varchar": ("", "alpha", "Beta", None),
    "character": ("a", "b", None),
    "uuid": ("00000000-0000-0000-0000-00000000000A", "ffffffff-0000-0000-0000-000000000000", None),
    "date": ("infinity", "-infinity", "0044-03-15 BC", "0100-01-01", "2026-11-22", "12026-01-01", None),
    "timestamp": ("2026-01-02 03:04:05", "2026-01-02 03:04:05.5", "0001-01-01 BC", "infinity", None),
    "timestamptz": ("2026-01-02 03:04:05+00", "2026-01-02 03:04:05.1+02", "10000-01-01+00", None),
    "time": ("00:00:00", "23:59:59.999999", "24:00:00", None),
    "public.mood": ("sad", "ok", "happy", None),
    "jsonb": ('{"a": 1}', '{"a": 1.0}', "null", None),
    "int4range": ("[1,5)", "empty", None),
    "interval": ("1 day", "24:00:00", "-1 mon", None),
    "bytea": ("\\x00", "\\xff", "00", None),
    "inet": ("10.0.0.1", "10.0.0.0/8", None),
}

PATTERNS = ("a%", "%", "_", "", "A_", "a\\%", "%é%", "^a", "[a-b]", "a.", "x|😀")


def judged(
    server: Postgres, type_name: str, filters: list[Filter], texts: list[str | None]
) -> list[list[bool]]:
    """For each filter, whether it holds for each text."""
    oid, types = types_of(server, type_name)
    column = Column(name="c", type=types[oid], cast=type_name, is_identity=True, is_primary=False)

    async def ask(connection: Connection) -> list[list[bool]]:
        found = []
        for filter_ in filters:
            condition = await conditions.condition(filter_, column).answered(connection, texts)
            found.append([condition.holds(text) for text in texts])
        return found

    return asyncio.run(in_session(server, ask))


def expected(connection: psycopg.Connection[Any], type_name: str, filter_: Filter, text: str | None) -> bool:
    symbol = "= any" if filter_.operator == "in" else conditions.SYMBOLS[filter_.operator]
    right = f"(%s::{type_name}[])" if filter_.operator == "in" else f"(%s::{type_name})"
    if filter_.operator in TEXTUAL:
        right = "%s"
    row = connection.execute(
        f"select coalesce({'not' if filter_.is_negated else ''} (%s::{type_name} {symbol} {right}), false)",
        [text, filter_.value],
    ).fetchone()
    assert row is not None
    return bool(row[0])


def canonical(connection: psycopg.Connection[Any], type_name: str, text: str | None) -> str | None:
    """The text that the stream would bring."""
    row = connection.execute(f"select format('%%s', %s::{type_name}), %s::{type_name} is null", [text, text])
    value, is_null = row.fetchone() or (None, True)
    return None if is_null else value


def sent(type_name: str, text: str | None) -> str | None:
    """What wal2json makes of it, which is what the real server's filters see."""
    if type_name in ("numeric", "float8", "float4") and text in ("NaN", "Infinity", "-Infinity"):
        return None
    return text[2:] if type_name == "bytea" and text is not None else text


def cases(type_name: str, operators: tuple[str, ...], arguments: list[str]) -> list[Filter]:
    return [
        Filter("c", operator, argument, is_negated)
        for operator in operators
        for argument in (list_literals(arguments) if operator == "in" else arguments)
        for is_negated in (False, True)
    ]


def list_literals(arguments: list[str]) -> list[str]:
    quoted = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in arguments]
    return ["{}", "{NULL}", "{" + ",".join(quoted[:2]) + "}", "{NULL," + quoted[-1] + "}"]


@pytest.mark.parametrize("type_name", VALUES)
def test_compares_like_postgresql(server: Postgres, type_name: str) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True, options="-c timezone=UTC") as connection:
        texts = [canonical(connection, type_name, text) for text in VALUES[type_name]]
        filters = cases(type_name, COMPARED, [text for text in VALUES[type_name] if text is not None])
        for filter_, found in zip(filters, judged(server, type_name, filters, texts), strict=True):
            wanted = [expected(connection, type_name, filter_, sent(type_name, text)) for text in texts]
            assert found == wanted, (filter_, texts)


@pytest.mark.parametrize("type_name", ["text", "varchar", "character"])
def test_matches_patterns_like_postgresql(server: Postgres, type_name: str) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        texts = [canonical(connection, type_name, text) for text in (*VALUES["text"], "a%", "a\nb", "AB")]
        filters = cases(type_name, TEXTUAL, list(PATTERNS))
        for filter_, found in zip(filters, judged(server, type_name, filters, texts), strict=True):
            wanted = [expected(connection, type_name, filter_, text) for text in texts]
            assert found == wanted, (filter_, texts)


@pytest.mark.parametrize(
    ("value", "matched"),
    [("null", [None]), ("unknown", [None]), ("true", ["t"]), ("false", ["f"])],
)
def test_is_sees_null(server: Postgres, value: str, matched: list[str | None]) -> None:
    texts: list[str | None] = ["t", "f", None]
    holds, negated = judged(server, "bool", [Filter("c", "is", value), Filter("c", "is", value, True)], texts)
    assert [text for text, held in zip(texts, holds, strict=True) if held] == matched
    assert [not held for held in holds] == negated


def test_a_value_that_is_none_of_the_type_is_equal_to_nothing(server: Postgres) -> None:
    """It was one when the filter was let in: the column was altered since."""
    filters = [Filter("c", "eq", "abc"), Filter("c", "eq", "abc", True)]
    assert judged(server, "int4", filters, ["1", None]) == [[False, False], [False, False]]


@pytest.mark.parametrize(
    ("type_name", "filter_", "matched"),
    [
        ("numeric", Filter("c", "eq", "NaN"), []),
        ("float8", Filter("c", "in", "{Infinity,1}"), ["1"]),
        ("float4", Filter("c", "is", "null"), ["NaN", "Infinity", None]),
        ("numeric", Filter("c", "isdistinct", "1"), ["NaN", "Infinity", None]),
        ("date", Filter("c", "eq", "infinity"), ["infinity"]),
    ],
)
def test_numbers_that_are_not_finite_are_null(
    server: Postgres, type_name: str, filter_: Filter, matched: list[str | None]
) -> None:
    texts: list[str | None] = ["infinity"] if type_name == "date" else ["NaN", "Infinity", "1", None]
    (holds,) = judged(server, type_name, [filter_], texts)
    assert [text for text, held in zip(texts, holds, strict=True) if held] == matched
