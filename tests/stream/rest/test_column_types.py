"""Filters that would cost every client its changes, on tables with columns of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from prt.errors import UsageError
from prt.stream.binding import Binding
from prt.stream.rest.client import Rest
from prt.stream.rest.column_types import refuse_unfilterable, unfilterable
from prt.stream.rest.session import Endpoint
from tests.stream.scripted import project_of

SCHEMA = """
create type public.checked_pair as (a int, b text);
create domain public.checked_tags as text[];
create table public.checked_types (
  id int primary key, tags text[], "Odd, name" int[][], pair public.checked_pair, own public.checked_tags,
  title text, size int, done boolean, body jsonb, at timestamptz, span int4range, parts int4multirange,
  owner uuid, raw bytea, place point, bits bit(3), path jsonpath);
"""
GONE = (
    "drop table public.checked_types; drop type public.checked_pair; drop domain public.checked_tags cascade;"
)
BLOCKING = {"tags": "array", "pair": "composite", "own": "array"}
HARMLESS = ["title", "size", "done", "body", "at", "span", "parts", "owner", "raw", "place", "bits", "path"]


@pytest.fixture
def endpoint(project: dict[str, str]) -> Iterator[Endpoint]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(SCHEMA)
        try:
            yield Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_SERVICE_ROLE_KEY"])
        finally:
            connection.execute(GONE)


def kinds(endpoint: Endpoint, *bindings: Binding) -> dict[str, str]:
    async def main() -> dict[str, str]:
        async with Rest(lambda: endpoint, pauses=()) as rest:
            return {one.column: one.kind for one in await unfilterable(rest, bindings)}

    return asyncio.run(main())


def test_array_and_composite_columns_are_found_and_no_others(endpoint: Endpoint) -> None:
    filters = ",".join(f"{column}=eq.1" for column in (*BLOCKING, *HARMLESS))
    assert kinds(endpoint, Binding(table="checked_types", filter=filters)) == BLOCKING


def test_what_is_not_known_is_not_refused(endpoint: Endpoint) -> None:
    others = [
        Binding(table="checked_types"),
        Binding(table="checked_types", filter="nowhere=eq.1"),
        Binding(table="nowhere", filter="tags=eq.{a}"),
        Binding(table="checked_types", schema="nowhere", filter="tags=eq.{a}"),
        Binding(table="*", filter="tags=eq.{a}"),
    ]
    assert kinds(endpoint, *others) == {}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_a_project_whose_rest_does_not_answer_is_watched_all_the_same(status: int) -> None:
    async def main() -> None:
        async with (
            project_of((status, b"{}")) as project,
            Rest(lambda: Endpoint(url=project.url, key="key"), pauses=()) as rest,
        ):
            await refuse_unfilterable(rest, [Binding(table="todos", filter="tags=eq.{a}")])

    asyncio.run(main())


def test_it_is_an_error_of_usage_with_its_reason(endpoint: Endpoint) -> None:
    async def main() -> None:
        async with Rest(lambda: endpoint, pauses=()) as rest:
            await refuse_unfilterable(rest, [Binding(table="checked_types", filter="title=eq.a,tags=eq.{a}")])

    with pytest.raises(UsageError, match="tags is an array column; a filter on it makes the server lose"):
        asyncio.run(main())
