"""Columns of every legal name, in everything that is asked over REST, against the embedded project."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import psycopg
import pytest
from psycopg import sql

from prt.stream.binding import Binding
from prt.stream.filters import postgrest
from prt.stream.rest.answers import Answer, UnknownColumnError, unread
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Reader, ReadOrder, Shape, shape_of
from prt.stream.rest.session import Endpoint

NAMES = (
    *(
        'we"ird',
        '"quoted"',
        "q'uote",
        "com,ma",
        "dot.ted",
        "per%cent",
        "back\\slash",
        "\\",
        "x(y)",
        "[z]",
        "{b}",
    ),
    *(
        "sp ace",
        " lead",
        "trail ",
        "ünïcödé_表",
        "UPPER",
        "a=b",
        "a:b",
        "a::b",
        "a->b",
        "a->>'b'",
        "*",
        "-1",
        "1x",
    ),
    *(
        "select",
        "order",
        "and",
        "or",
        "not.and",
        "limit",
        "on_conflict",
        "null",
        "a&b",
        "a#b",
        "a+b",
        "a/b",
        "a?b",
    ),
    *(
        "new\nline",
        "tab\tand\x1b[31mred",
        "😀",
        "e\u0301",
        "\u202eturned",
        "$1",
        "%(x)s",
        "{}",
        "a;b--",
        "/*",
    ),
)


@pytest.fixture(scope="module")
def rest_of(project: dict[str, str]) -> Iterator[dict[str, str]]:
    """A table for each name: `t0`, `t1`, …"""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
        for number, name in enumerate(NAMES):
            table = sql.Identifier("public", f"named_{number}")
            database.execute(
                sql.SQL(
                    "create table {0} ({1} text primary key, {2} timestamptz default now());"
                    "insert into {0} ({1}) values ('a,\"(b'), ('z'), ('y\\')"
                ).format(table, sql.Identifier(name), sql.Identifier(f"{name[:40]}, when"))
            )
            database.execute(sql.SQL("grant all on {} to anon, service_role").format(table))
        yield project
        for number, _ in enumerate(NAMES):
            database.execute(sql.SQL("drop table {}").format(sql.Identifier("public", f"named_{number}")))


def endpoint_of(project: dict[str, str]) -> Endpoint:
    return Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_SERVICE_ROLE_KEY"])


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_column_of_any_name_selects_orders_filters_and_names_rows(
    rest_of: dict[str, str], number: int
) -> None:
    name = NAMES[number]
    when = f"{name[:40]}, when"

    async def main() -> None:
        async with Rest(lambda: endpoint_of(rest_of), pauses=()) as rest:
            binding = Binding(table=f"named_{number}", select=(name,))
            shape = await shape_of(rest, binding, (name,), when)
            assert shape == Shape(key=(name,), written=when, created=None)
            reader = Reader(rest, binding, shape)
            for read_order in (ReadOrder(cursor=None), ReadOrder(cursor=when)):
                rows = [
                    row.key
                    for answer in [a async for a in reader.pages(read_order, since=None)]
                    for row in answer.rows
                ]
                assert sorted(rows) == [('a,"(b',), ("y\\",), ("z",)]
            assert len((await reader.latest(ReadOrder(cursor=when), 2)).rows) == 2
            assert not await reader.has_undated(when)
            asked = [('a,"(b',), ("y\\",), ("gone",)]
            (found,) = [there async for _, there in reader.present(asked)]
            assert found == set(asked[:2])
            # Several columns name a row: a logic tree instead of a list.
            both = Reader(rest, binding, Shape(key=(name, when), written=None, created=None))
            pages = [some async for some in both.keys()]  # noqa: SIM118 - it is no mapping
            keys = [key for some in pages for key in some]
            assert {key for _, there in [p async for p in both.present(keys)] for key in there} == set(keys)
            where = [postgrest.condition(name, "eq.z")]
            (updated,) = await rest.update("public", binding.table, where, {name: "zz"})
            assert b"zz" in bytes(updated)
            (deleted,) = await rest.delete("public", binding.table, [postgrest.condition(name, "in.(zz)")])
            assert b"zz" in bytes(deleted)
            (inserted,) = await rest.insert("public", binding.table, [{name: "z"}])
            assert b'"z"' in bytes(inserted)

    asyncio.run(main())


@pytest.mark.parametrize(
    "number", [n for n, name in enumerate(NAMES) if name == name.strip() and not set(name) & {",", "="}]
)
def test_a_filter_that_realtime_took_is_read_for_rest(rest_of: dict[str, str], number: int) -> None:
    """A comma ends a condition of Realtime's, `=` ends a name, and blanks around it are lost."""
    name = NAMES[number]

    async def main() -> list[object]:
        async with Rest(lambda: endpoint_of(rest_of), pauses=()) as rest:
            binding = Binding(table=f"named_{number}", filter=f"{name}=eq.z")
            reader = Reader(rest, binding, Shape(key=(name,), written=None, created=None))
            pages = [keys async for keys in reader.keys()]  # noqa: SIM118 - it is no mapping
            return [key for keys in pages for key in keys]

    assert asyncio.run(main()) == [("z",)]


@pytest.mark.parametrize("wanted", ['no"ne', "none", "no.ne"])
@pytest.mark.parametrize(
    "words", ["column t.{} does not exist", 'column "{}" does not exist', 'column t."{}" does not exist']
)
def test_the_column_that_is_missing_is_recognised(words: str, wanted: str) -> None:
    body = msgspec.json.encode({"code": "42703", "message": words.format(wanted)})
    error = unread("public", "t", Answer(400, body, None))
    assert isinstance(error, UnknownColumnError)
    assert error.is_of(wanted)
    assert not error.is_of("other")
