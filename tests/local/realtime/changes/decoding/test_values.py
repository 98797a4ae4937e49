"""Values are printed as PostgreSQL's own `to_jsonb` prints them, but for the server's three habits."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prt.local.postgres.server import Postgres
from prt.local.postgres.session import Connection, Session
from prt.local.realtime.changes.decoding import catalog, values
from prt.local.realtime.changes.decoding.values import Type

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
DATES = st.dates()
MOMENTS = st.datetimes(min_value=datetime.datetime(1, 1, 1), max_value=datetime.datetime(9999, 12, 31))

SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "int8": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False),
    "float4": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float8": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "text": TEXT,
    "varchar": TEXT,
    "date": DATES | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "12026-01-01"]),
    "timestamp": MOMENTS | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "12026-01-01 10:00"]),
    "timestamptz": MOMENTS | st.sampled_from(["infinity", "0044-03-15 BC", "2026-01-01 00:00:00.5+02"]),
    "time": st.times(),
    "interval": st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999)),
    "uuid": st.uuids(),
    "inet": st.ip_addresses(),
    "int4[]": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)),
    "text[]": st.lists(st.none() | TEXT),
    "bool[]": st.lists(st.booleans()),
    "timestamptz[]": st.lists(MOMENTS),
    "public.mood[]": st.lists(st.sampled_from(["sad", "ok", "happy"])),
    "jsonb[]": st.lists(st.sampled_from(['{"b": 1, "a": [1.50]}', "null", '"x"', "5"])),
}


FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def converted(server: Postgres, type_name: str, value: Any) -> tuple[str, str]:
    """What we print, and what PostgreSQL prints, for a value of the type."""
    with psycopg.connect(server.conninfo(), autocommit=True, options="-c timezone=UTC") as connection:
        return both(connection, types_of(server, type_name), type_name, value)


def types_of(server: Postgres, type_name: str) -> tuple[int, dict[int, Type]]:
    async def ask(connection: Connection) -> tuple[int, dict[int, Type]]:
        cursor = await connection.execute("select %s::regtype::oid::int8", [type_name])
        row = await cursor.fetchone()
        assert row is not None
        return row[0], await catalog.types_of(connection, [row[0]])

    return asyncio.run(in_session(server, ask))


async def in_session(server: Postgres, ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    session = Session(server.conninfo(), "prt_test", statement_seconds=10)
    try:
        return await session.run(ask)
    finally:
        await session.close()


def both(
    connection: psycopg.Connection[Any], known: tuple[int, dict[int, Type]], type_name: str, value: Any
) -> tuple[str, str]:
    oid, types = known
    row = connection.execute(
        f"select format('%%s', v), to_jsonb(v)::text from (select %s::{type_name} as v) as s", [value]
    ).fetchone()
    assert row is not None
    return values.converter(oid, types)(row[0]), row[1]


@pytest.mark.parametrize("type_name", SAMPLES)
def test_prints_like_postgresql(server: Postgres, type_name: str) -> None:
    known = types_of(server, type_name)
    with psycopg.connect(server.conninfo(), autocommit=True, options="-c timezone=UTC") as connection:

        @settings(
            max_examples=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(value=SAMPLES[type_name])
        def compare(value: Any) -> None:
            ours, theirs = both(connection, known, type_name, value)
            assert ours == theirs

        compare()


@pytest.fixture(scope="module")
def own_types(server: Postgres) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(
            "create schema own; create domain own.cents as bigint;"
            "create domain own.five as char(5);"
            "create type own.pair as (bb int, a text, c public.mood);"
            "create type own.nested as (p own.pair, l int[]);"
            "create domain own.bytes as bytea;"
            "create domain own.ratio as numeric;"
            "create type own.sized as (c char(5), b bit(3), r numeric, x bytea, cs char(5)[]);"
            "create extension if not exists hstore with schema extensions"
        )


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("int4[]", "[0:1]={1,2}"),
        ("int4[]", "{{1,2},{3,NULL}}"),
        ("int4[]", "{}"),
        ("text[]", '{"NULL",NULL,"",a b,"\\\\","{}"}'),
        ("box[]", "{(1,2),(0,0);(3,4),(2,2)}"),
        ("point", "(1,2)"),
        ("money", "-1234.5"),
        ("int4range", "[1,5)"),
        ("bit varying", "101"),
        ("oid", "5"),
        ("int2vector", "1 2 3"),
        ("tsvector", "a:1 b:2"),
        ("own.cents", "5"),
        ("own.cents[]", "{5}"),
        ("own.five", "ab"),
        ("own.pair", '(1,"x ""y"" \\\\, (z)",happy)'),
        ("own.pair", "(,,)"),
        ("own.pair", '(,"",)'),
        ("own.pair[]", '{"(1,\\"a,b\\",sad)",NULL}'),
        ("own.nested", '("(1,""q"",)","{1,2}")'),
        ("numeric[]", "{NaN,1.50,Infinity,NULL}"),
        ("float8[]", "{NaN,-Infinity,1e300,-0}"),
        ("bytea[]", '{"\\\\xde","\\\\x"}'),
        ("own.ratio", "NaN"),
        ("own.bytes", "\\xde"),
        ("own.sized", '(ab,101,Infinity,"\\\\xde","{ab,c}")'),
        ("own.five[]", "{ab}"),
        ("extensions.hstore", 'a=>1, b=>NULL, "c d"=>"x\\"y", ""=>""'),
        ("extensions.hstore", ""),
        ("extensions.hstore[]", '{"a=>\\"b, c\\"",NULL}'),
    ],
)
@pytest.mark.usefixtures("own_types")
def test_prints_rarer_types_like_postgresql(server: Postgres, type_name: str, value: str) -> None:
    ours, theirs = converted(server, type_name, value)
    assert ours == theirs


@pytest.mark.parametrize(
    ("oid", "text", "printed"),
    [
        (values.NUMERIC, "NaN", "null"),
        (values.FLOATS[0], "Infinity", "null"),
        (values.FLOATS[1], "-Infinity", "null"),
        (values.BYTEA, "\\xdeadbeef00", '"deadbeef00"'),
        (values.BYTEA, "\\x", '""'),
        (values.BPCHAR, "ab   ", '"a"'),
        (values.BIT, "101", '"1"'),
    ],
)
def test_keeps_the_servers_habits(oid: int, text: str, printed: str) -> None:
    assert values.converter(oid, {})(text) == printed


@pytest.mark.parametrize(
    ("type_name", "text", "printed"),
    [("char(5)[]", '{"ab   ",NULL}', '["a", null]'), ("bit(3)[]", "{101,011}", '["1", "0"]')],
)
def test_arrays_lose_the_length_too(server: Postgres, type_name: str, text: str, printed: str) -> None:
    oid, types = types_of(server, type_name)
    assert values.converter(oid, types)(text) == printed


def test_a_type_that_is_gone_is_text() -> None:
    assert values.converter(999_999, {})('a"b') == '"a\\"b"'
