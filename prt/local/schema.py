"""The database of an embedded project: what Supabase brings, then the seed's 30 tables or the user's own SQL.

Every function takes a connection of psycopg (the wheel's libpq), as superuser and in autocommit.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from psycopg import Connection

PLATFORM = ("roles.sql", "auth.sql", "bootstrap.sql", "extensions.sql", "storage.sql")


def bootstrap(connection: Connection[Any], *, authenticator_password: str) -> None:
    """Roles, schemas, auth's tables and functions, default grants, publication: safe to run again."""
    for name in PLATFORM:
        _run(connection, name)
    # Hashed here, so that the password stands in no log and no pg_stat_activity.
    hashed = connection.pgconn.encrypt_password(
        authenticator_password.encode(), b"authenticator", b"scram-sha-256"
    )
    connection.execute(sql.SQL("alter role authenticator password {}").format(sql.Literal(hashed.decode())))


def _run(connection: Connection[Any], name: str) -> None:
    script = resources.files("prt.local").joinpath("sql", name).read_text(encoding="utf-8")
    # Without parameters psycopg sends the text as it is, so one round trip runs a whole file in one transaction.
    connection.execute(script.encode())
