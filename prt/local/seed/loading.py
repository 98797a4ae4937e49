"""Filling of a database with Supabase's schemas and the seed or the user's SQL; emptying and reset.

It uses psycopg, a PostgreSQL driver.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection, sql

from prt.local.postgres.server import Postgres
from prt.local.project.options import Options
from prt.local.seed import schema

LOCK_SECONDS = 10
PLATFORM_SCHEMAS = ["auth", "storage", "realtime", "extensions", "vault", "supabase_migrations"]
"""The schemas of Supabase, whose tables are never emptied."""


def load(postgres: Postgres, options: Options) -> frozenset[str]:
    """Fill an empty database: Supabase's schemas, then the user's SQL or the seed.

    Returns:
        The roles that exist before the user's SQL runs.

    Raises:
        UsageError: The user's SQL fails.
    """
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        return _fill(connection, postgres, options)


def reset(postgres: Postgres, options: Options, *, keep_roles: frozenset[str] | None) -> frozenset[str]:
    """Remove everything from the database and fill it again; sessions and replication streams continue.

    Roles that are not in `keep_roles` are dropped; None keeps all roles. The result is that of `load`.
    """
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'".encode())
            _drop_everything(connection, keep_roles)
        return _fill(connection, postgres, options)


def empty_written(postgres: Postgres, since: int | None) -> tuple[list[str], int]:
    """Empty the user's tables in which the transaction `since` or a later one wrote rows; none if it is None.

    Tables that refer to them are emptied too. Each row contains the id of the transaction that wrote it, so a
    committed row is found at once. The counters of `pg_stat_user_tables` could be late. Realtime sends
    nothing for a TRUNCATE.

    Returns:
        The names of the tables with such rows, and the current transaction id for the next call.
    """
    with psycopg.connect(postgres.conninfo()) as connection:
        connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'".encode())
        tables = [] if since is None else _written_since(connection, since)
        if tables:
            connection.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(tables)))
        connection.commit()
        row = connection.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return [table.as_string(None).replace('"', "") for table in tables], row[0]


def _written_since(connection: Connection[Any], since: int) -> list[sql.Identifier]:
    found = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname !~ '^pg_'"
        " and schemaname <> 'information_schema' and schemaname <> all(%s) order by 1, 2",
        [PLATFORM_SCHEMAS],
    ).fetchall()
    return [
        table
        for table in (sql.Identifier(*name) for name in found)
        if connection.execute(
            sql.SQL("select exists (select from {} where xmin::text::bigint >= %s)").format(table), [since]
        ).fetchone()
        == (True,)
    ]


def _fill(connection: Connection[Any], postgres: Postgres, options: Options) -> frozenset[str]:
    schema.bootstrap(connection, authenticator_password=postgres.password)
    roles = frozenset(name for (name,) in connection.execute("select rolname from pg_roles"))
    if options.migrations:
        schema.migrate(connection, list(options.migrations))
    elif options.seed:
        schema.seed(connection)
    return roles


def _drop_everything(connection: Connection[Any], keep_roles: frozenset[str] | None) -> None:
    """Drop all schemas, publications and event triggers, and the roles that the user's SQL created.

    Supabase's roles stay: roles belong to the whole cluster, and the project's services are logged in with
    some.
    """
    for kind, names in (
        ("event trigger", "select evtname from pg_event_trigger"),
        (
            "publication",
            "select pubname from pg_publication"
            " where pubname not in ('supabase_realtime', 'prt_realtime_changes', 'prt_realtime_messages')",
        ),
        (
            "schema",
            "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'",
        ),
    ):
        for (name,) in connection.execute(names.encode()).fetchall():
            _drop(connection, kind, name)
    # The same statements as in initdb.
    connection.execute("create schema public authorization pg_database_owner")
    connection.execute("grant usage on schema public to public")
    if keep_roles is None:
        return
    for (name,) in connection.execute("select rolname from pg_roles").fetchall():
        if name not in keep_roles:
            connection.execute(sql.SQL("drop owned by {} cascade").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def _drop(connection: Connection[Any], kind: str, name: str) -> None:
    connection.execute(sql.SQL("drop {} {} cascade").format(sql.SQL(kind), sql.Identifier(name)))
