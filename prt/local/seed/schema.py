"""The SQL scripts that create an embedded project's database: Supabase's schemas, and the seed's 30 tables.

All functions need a psycopg connection in autocommit that is logged in as a superuser.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from psycopg import Connection, sql

from prt.local.auth.passwords import hash_password
from prt.local.postgres.extensions import FOLDER
from prt.local.postgres.migrations import migrate
from prt.local.seed.people import MEMBER, STRANGER

__all__ = ["bootstrap", "migrate", "seed"]

PLATFORM = (
    "roles.sql",
    "auth.sql",
    "bootstrap.sql",
    "realtime.sql",
    "publication.sql",
    "extensions.sql",
    "storage.sql",
)
SEED = tuple(f"seed/{part}.sql" for part in ("users", "core_tables", "module_tables", "rules", "rows"))
PEOPLE = (MEMBER, STRANGER)


def bootstrap(connection: Connection[Any], *, authenticator_password: str) -> None:
    """Create or update Supabase's roles, schemas, tables, functions, grants and publications."""
    for name in PLATFORM:
        _run(connection, name)
    _stand_in(connection)
    # The password is hashed here, so that it appears neither in a log nor in pg_stat_activity.
    hashed = connection.pgconn.encrypt_password(
        authenticator_password.encode(), b"authenticator", b"scram-sha-256"
    )
    connection.execute(sql.SQL("alter role authenticator password {}").format(sql.Literal(hashed.decode())))


def seed(connection: Connection[Any]) -> None:
    """Create the seed's 30 tables with their rows, and the users MEMBER and STRANGER.

    `bootstrap` must have run before.
    """
    hashes = {password: hash_password(password) for password in {person.password for person in PEOPLE}}
    people = [
        {"id": person.id, "email": person.email, "name": person.name, "hash": hashes[person.password]}
        for person in PEOPLE
    ]
    with connection.transaction():
        connection.execute(
            "select set_config('prt.people', %s, true), set_config('prt.member', %s, true)",
            [json.dumps(people), MEMBER.id],
        )
        for name in SEED:
            _run(connection, name)


def _stand_in(connection: Connection[Any]) -> None:
    """Create the functions of those bundled extensions that the server can't install.

    PostgreSQL before version 18 can't load extensions from another folder than its own.
    """
    scripts = {path.name.partition("--")[0]: path for path in FOLDER.glob("extension/*.sql")}
    available = {name for (name,) in connection.execute("select name from pg_available_extensions")}
    for name in scripts.keys() - available:
        with connection.transaction():
            connection.execute("set local search_path to extensions")
            connection.execute(scripts[name].read_bytes())


def _run(connection: Connection[Any], name: str) -> None:
    script = resources.files("prt.local.seed").joinpath("sql", name).read_text(encoding="utf-8")
    # Without parameters, psycopg sends the whole file as it is: in one round trip and one transaction.
    connection.execute(script.encode())
