"""Filling of a database with Supabase's schemas and the seed or the user's SQL; emptying and reset.

It uses psycopg, a PostgreSQL driver.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection, sql

from prt.local.postgres.server import OWNER, SUPERUSER, Postgres
from prt.local.project.options import Options
from prt.local.seed import schema

LOCK_SECONDS = 10
PLATFORM_SCHEMAS = ["auth", "storage", "realtime", "extensions", "vault", "supabase_migrations"]
"""The schemas of Supabase, whose tables are never emptied."""

SETTINGS = """
select format('alter %s reset all', concat_ws(' in ',
  case when setrole <> 0 then format('role %I', pg_get_userbyid(setrole)) end,
  case when setdatabase <> 0 then format('database %I', current_database()) end))
from pg_db_role_setting
where setdatabase in (0, (select oid from pg_database where datname = current_database()))
"""
"""Selects statements that reset the settings of this database, of roles, and of roles in this database."""


def prepare(postgres: Postgres, *, is_seeded: bool) -> None:
    """Fill an empty database with the schemas that all projects have, and with the seed's tables if asked."""
    with _superuser(postgres) as connection:
        _prepare(connection, is_seeded=is_seeded)


def fill(postgres: Postgres, options: Options, *, password: str | None = None) -> frozenset[str]:
    """Set the passwords in a prepared database, and fill it with the seed's rows or the user's SQL.

    Args:
        postgres: The server.
        options: The options of the project, with its SQL files.
        password: The superuser's present password, if it is not yet that of `postgres`.

    Returns:
        The roles that exist before the user's SQL runs.

    Raises:
        UsageError: The user's SQL fails.
    """
    with _superuser(postgres, password) as connection:
        return _fill(connection, postgres, options)


def set_superuser_password(postgres: Postgres, password: str) -> None:
    """Give the superuser this password. In a prepared database no other role has one."""
    with _superuser(postgres) as connection:
        schema.set_password(connection, password, SUPERUSER)


def reset(postgres: Postgres, options: Options, *, keep_roles: frozenset[str] | None) -> frozenset[str]:
    """Remove everything from the database and fill it again; sessions and replication streams continue.

    Roles that are not in `keep_roles` are dropped; None keeps all roles. The result is that of `fill`.
    """
    with _superuser(postgres) as connection:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'".encode())
            _drop_everything(connection, keep_roles)
            # In the same transaction, so that no other session creates anything in between.
            _prepare(connection, is_seeded=options.has_seed)
        return _fill(connection, postgres, options)


def _superuser(postgres: Postgres, password: str | None = None) -> Connection[Any]:
    """Return a connection as the superuser, whose functions and operators are PostgreSQL's own.

    The users' SQL may set a search path or a role for all sessions of the database; these don't count here.
    """
    options = "-c search_path=pg_catalog -c role=none -c session_replication_role=origin"
    return psycopg.connect(postgres.conninfo(password=password), options=options, autocommit=True)


def empty_written(postgres: Postgres, since: int | None) -> tuple[list[str], int]:
    """Empty the user's tables in which the transaction `since` or a later one wrote rows; none if it is None.

    Tables that refer to them are emptied too. Each row contains the id of the transaction that wrote it, so a
    committed row is found at once. The counters of `pg_stat_user_tables` could be late. Realtime sends
    nothing for a TRUNCATE.

    Returns:
        The names of the tables with such rows, and the current transaction id for the next call.
    """
    # As whoever owns the tables: their triggers run as the role that empties them.
    with psycopg.connect(postgres.conninfo(OWNER)) as connection:
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


def _prepare(connection: Connection[Any], *, is_seeded: bool) -> None:
    schema.bootstrap(connection)
    if is_seeded:
        # Our own SQL, in a database in which nothing is the users' own.
        connection.execute(sql.SQL("set session authorization {}").format(sql.Identifier(OWNER)))
        connection.execute('set search_path to "$user", public, extensions')
        schema.seed_tables(connection)
        connection.execute("reset session authorization; set search_path to pg_catalog")


def _fill(connection: Connection[Any], postgres: Postgres, options: Options) -> frozenset[str]:
    schema.set_passwords(connection, postgres)
    roles = frozenset(name for (name,) in connection.execute("select rolname from pg_roles"))
    if options.migrations or options.seed:
        # A session of its own: whatever the SQL does, `reset role` does not lead to a superuser.
        with psycopg.connect(postgres.conninfo(OWNER), autocommit=True) as owner:
            if options.migrations:
                schema.migrate(owner, list(options.migrations))
            else:
                schema.seed_rows(owner)
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
    for (statement,) in connection.execute(SETTINGS.encode()).fetchall():
        connection.execute(statement.encode())
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
