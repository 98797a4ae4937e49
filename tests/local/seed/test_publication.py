"""The publication that Realtime streams follows supabase_realtime, but for what the real server ignores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import Connection

from prt.local.postgres.server import Postgres
from tests.local.databases import bootstrapped, values

OURS = "prt_realtime_changes"


@pytest.fixture(scope="module")
def project(postgres: Postgres) -> Iterator[Connection[Any]]:
    with bootstrapped(postgres, "schema_publication") as connection:
        connection.execute(
            "create schema one;"
            "create table one.a (id int primary key, n int);"
            "create table one.b (id int primary key, n int generated always as (1) stored);"
            "create table parted (id int primary key) partition by range (id);"
            "create table part partition of parted for values from (0) to (9);"
            "grant create on database schema_publication to postgres;"
            "alter publication supabase_realtime owner to postgres"
        )
        yield connection


@pytest.fixture
def connection(project: Connection[Any]) -> Iterator[Connection[Any]]:
    with project.transaction(force_rollback=True):
        yield project


def tables(connection: Connection[Any], publication: str = OURS) -> list[str]:
    query = (
        "select concat_ws(' ', tablename, rowfilter, nullif(cardinality(attnames), 2))"
        " from pg_publication_tables where pubname = %s order by 1"
    )
    return values(connection, query, publication)


def test_row_filters_and_column_lists_are_not_taken_over(connection: Connection[Any]) -> None:
    connection.execute("alter publication supabase_realtime add table one.a (id) where (id > 5)")
    assert tables(connection, "supabase_realtime") == ["a (id > 5) 1"]
    assert tables(connection) == ["a"]


def test_partitions_come_under_their_own_names(connection: Connection[Any]) -> None:
    connection.execute("alter publication supabase_realtime set (publish_via_partition_root = true)")
    connection.execute("alter publication supabase_realtime add table parted")
    assert tables(connection, "supabase_realtime") == ["parted 1"]
    assert tables(connection) == ["part 1"]


def test_tables_leave_and_stay(connection: Connection[Any]) -> None:
    connection.execute("alter publication supabase_realtime add table one.a, one.b, part")
    connection.execute("alter publication supabase_realtime set table one.a")
    assert tables(connection) == ["a"]
    connection.execute("drop publication supabase_realtime")
    assert tables(connection) == []
    connection.execute("create publication supabase_realtime for table one.b")
    assert tables(connection) == ["b"]


def test_whole_schemas(connection: Connection[Any]) -> None:
    connection.execute("alter publication supabase_realtime add tables in schema one")
    connection.execute("create table one.later (id int primary key, n int)")
    assert tables(connection) == ["a", "b", "later"]
    connection.execute("alter publication supabase_realtime drop tables in schema one")
    assert tables(connection) == []


def test_all_tables_and_back(connection: Connection[Any]) -> None:
    connection.execute(
        "drop publication supabase_realtime; create publication supabase_realtime for all tables"
    )
    assert {"a", "b"} <= set(tables(connection))
    connection.execute("drop publication supabase_realtime; create publication supabase_realtime")
    assert tables(connection) == []


def test_which_events_are_published(connection: Connection[Any]) -> None:
    published = "select array[pubinsert, pubupdate, pubdelete] from pg_publication where pubname = %s"
    connection.execute("alter publication supabase_realtime set (publish = 'insert, delete')")
    assert values(connection, published, OURS) == [[True, False, True]]
    connection.execute("alter publication supabase_realtime set (publish = '')")
    assert values(connection, published, OURS) == [[False, False, False]]


def test_generated_columns_are_published(connection: Connection[Any]) -> None:
    """Also in a publication that was made anew; else an UPDATE under replica identity full would fail."""
    connection.execute(
        "drop publication supabase_realtime; create publication supabase_realtime for table one.b"
    )
    connection.execute("alter table one.b replica identity full; insert into one.b values (1)")
    connection.execute("update one.b set id = 2")
    assert tables(connection) == ["b"]


def test_follows_a_role_that_is_no_superuser(connection: Connection[Any]) -> None:
    connection.execute("alter table one.a owner to postgres; grant usage on schema one to postgres")
    connection.execute("set role postgres")
    connection.execute("alter publication supabase_realtime add table one.a")
    connection.execute("reset role")
    assert tables(connection) == ["a"]


def test_other_publications_mean_nothing(connection: Connection[Any]) -> None:
    connection.execute("create publication theirs for table one.a; drop publication theirs")
    assert tables(connection) == []
