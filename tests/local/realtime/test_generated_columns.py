"""Stored generated columns are streamed from every publication, as wal2json reads them."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from tests.local.realtime.serving import Backend

DOUBLED = "(id int primary key, a int, g int generated always as (a * 2) stored)"


@pytest.fixture
def doubled(sql: psycopg.Connection[Any]) -> Any:
    """The connection, beside the published table `doubled`, whose whole old rows are streamed."""
    sql.execute(f"create table doubled {DOUBLED}; alter table doubled replica identity full")
    sql.execute("alter publication supabase_realtime add table doubled")
    yield sql
    sql.execute("drop table doubled")


def test_a_publication_that_a_migration_makes_anew_streams_them(
    doubled: psycopg.Connection[Any], backend: Backend
) -> None:
    async def scenario() -> None:
        with doubled.transaction():
            published = doubled.execute(
                "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_publication_tables"
                " where pubname = 'supabase_realtime'"
            ).fetchone()
            assert published is not None
            doubled.execute("drop publication supabase_realtime")
            doubled.execute(f"create publication supabase_realtime for table {published[0]}".encode())
        async with backend.serving() as running, running.client() as client:
            await client.subscribe(
                "realtime:d", {"event": "*", "schema": "public", "table": "doubled", "filter": "g=eq.6"}
            )
            doubled.execute("insert into doubled (id, a) values (1, 2)")
            doubled.execute("update doubled set a = 3")
            (change,) = await client.changes(1)
            assert (change["record"], change["old_record"]) == (
                {"id": 1, "a": 3, "g": 6},
                {"id": 1, "a": 2, "g": 4},
            )

    asyncio.run(scenario())


@pytest.mark.parametrize("target", ["table doubled", "all tables", "tables in schema public"])
def test_no_publication_refuses_an_update(doubled: psycopg.Connection[Any], target: str) -> None:
    doubled.execute(f"create publication another for {target}".encode())
    try:
        doubled.execute("insert into doubled (id, a) values (1, 2)")
        assert doubled.execute("update doubled set a = 3 returning g").fetchone() == (6,)
    finally:
        doubled.execute("drop publication another")
