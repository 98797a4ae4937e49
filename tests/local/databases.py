"""Databases of the test server, each for itself: of a test, of a module, a copy of a filled one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from prt.local.postgres.server import OWNER, SUPERUSER, Postgres
from prt.local.seed import schema


@contextmanager
def database(postgres: Postgres, name: str, template: str = "template0") -> Iterator[str]:
    """An empty one, or a copy of `template`, gone afterwards; its conninfo as superuser."""
    identifier = sql.Identifier(name)
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(identifier, sql.Identifier(template))
        )
        try:
            yield postgres.conninfo(dbname=name)
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(identifier))


@contextmanager
def bootstrapped(postgres: Postgres, name: str) -> Iterator[Connection[Any]]:
    """A superuser's connection to a database with what Supabase brings, and nothing more."""
    with database(postgres, name) as conninfo, psycopg.connect(conninfo, autocommit=True) as connection:
        schema.bootstrap(connection)
        schema.set_passwords(connection, postgres)
        connection.execute('set search_path to "$user", public, extensions')
        yield connection


@contextmanager
def owning(postgres: Postgres, name: str) -> Iterator[Connection[Any]]:
    """A connection to a bootstrapped database as the role of the user's own SQL."""
    with psycopg.connect(postgres.conninfo(OWNER, dbname=name), autocommit=True) as connection:
        yield connection


def superuser_of(url: str) -> str:
    """The superuser's conninfo for the database at this URL, whose password no variable holds."""
    with psycopg.connect(url) as connection:
        (folder,) = values(connection, "show data_directory")
    password = (Path(folder).parent / "password").read_text()
    return make_conninfo(url, user=SUPERUSER, password=password)


@contextmanager
def acting_as(connection: Connection[Any], role: str, user: str | None = None) -> Iterator[Connection[Any]]:
    """A transaction as REST opens it for a token of that role and user, rolled back at the end."""
    claims = {"role": role, "sub": user} if user else {"role": role}
    with connection.transaction(force_rollback=True):
        connection.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
            [role, json.dumps(claims)],
        )
        yield connection


def values(connection: Connection[Any], query: str, *parameters: object) -> list[Any]:
    """Of a query with one column."""
    return [value for (value,) in connection.execute(query.encode(), parameters)]
