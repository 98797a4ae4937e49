from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prt.local.postgres.server import Postgres, running
from prt.local.seed import schema
from tests.local.databases import values
from tests.local.realtime.serving import Backend

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL of our own: these tests end backends, and add roles' grants."""
    with running() as postgres:
        with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
            schema.bootstrap(connection)
            schema.set_passwords(connection, postgres)
            for name in ("schema.sql", "messages.sql"):
                connection.execute((TRANSCRIPTS / name).read_bytes())
            connection.execute(
                "create table public.marker (id bigint primary key);"
                "alter publication supabase_realtime add table public.marker"
            )
        yield postgres


@pytest.fixture
def sql(server: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A superuser in autocommit; all published tables are empty, nothing of another test is left."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        empty(connection)
        yield connection


def empty(connection: psycopg.Connection[Any]) -> None:
    """Only what has held something: a truncation costs milliseconds a table, whether or not it is empty."""
    written = values(
        connection,
        "select relation::text from ("
        " select format('%%I.%%I', schemaname, tablename)::regclass as relation from pg_publication_tables"
        " where pubname = 'supabase_realtime' union select 'realtime.messages'::regclass"
        ") as emptied where pg_relation_size(relation) > 0",
    )
    if written:
        connection.execute(f"truncate {', '.join(written)}".encode())
    counted = values(
        connection,
        "select quote_ident(schemaname) || '.' || quote_ident(sequencename) from pg_sequences"
        " where last_value is not null",
    )
    for name in counted:
        connection.execute(f"alter sequence {name} restart".encode())


@pytest.fixture
def backend(server: Postgres, sql: psycopg.Connection[Any]) -> Backend:
    return Backend(server.conninfo(), sql)
