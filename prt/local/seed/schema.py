"""The database of an embedded project: what Supabase brings, then the seed's 30 tables or the user's own SQL.

Every function takes a connection of psycopg, PostgreSQL's client, in autocommit: `bootstrap` the superuser's,
the others that of the role `postgres`, which is none.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from psycopg import Connection, sql

from prt.local.auth.passwords import hash_password
from prt.local.postgres.extensions import FOLDER
from prt.local.postgres.migrations import migrate
from prt.local.postgres.server import OWNER, SUPERUSER, Postgres
from prt.local.seed.people import MEMBER, STRANGER

__all__ = ["bootstrap", "migrate", "seed", "seed_rows", "seed_tables", "set_passwords"]

PLATFORM = tuple(
    f"{part}.sql"
    for part in (
        "roles",
        "auth",
        "bootstrap",
        "realtime",
        "publication",
        "extensions",
        "storage",
        "privileges",
    )
)
SEED_TABLES = tuple(f"seed/{part}.sql" for part in ("users", "core_tables", "module_tables", "rules"))
SEED_ROWS = ("seed/rows.sql",)
SERVICES = ("authenticator", "supabase_auth_admin", "supabase_realtime_admin")
"""The roles as which REST, Auth and Realtime sign in."""
PEOPLE = (MEMBER, STRANGER)


def bootstrap(connection: Connection[Any]) -> None:
    """Create roles, schemas, Auth's tables and functions, default grants, publications: safe to run again.

    The search path of the connection is `pg_catalog` afterwards. With any other the superuser might call a
    function of the users' own.
    """
    connection.execute("set search_path to pg_catalog")
    for name in PLATFORM:
        _run(connection, name)
    _stand_in(connection)


def set_passwords(connection: Connection[Any], postgres: Postgres) -> None:
    """Give the roles that sign in the passwords of this server."""
    set_password(connection, postgres.password, SUPERUSER, *SERVICES)
    set_password(connection, postgres.owner_password, OWNER)


def set_password(connection: Connection[Any], password: str, *roles: str) -> None:
    """Give roles a password."""
    # Hashed here, so that it stands in no log and no pg_stat_activity. A role's name is no part of the hash.
    hashed = connection.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256").decode()
    alter = sql.SQL("alter role {} password {}")
    connection.execute(
        sql.SQL("; ").join(alter.format(sql.Identifier(role), sql.Literal(hashed)) for role in roles)
    )


def seed(connection: Connection[Any]) -> None:
    """Fill a bootstrapped database: MEMBER and STRANGER, the seed's 30 tables, their rules and rows."""
    seed_tables(connection)
    seed_rows(connection)


def seed_rows(connection: Connection[Any]) -> None:
    """Fill the seed's tables. The rows date themselves from now, so they are not kept between starts."""
    with connection.transaction():
        connection.execute("select set_config('prt.member', %s, true)", [MEMBER.id])
        for name in SEED_ROWS:
            _run(connection, name)


def seed_tables(connection: Connection[Any]) -> None:
    """Create MEMBER and STRANGER, and the seed's 30 tables with their rules."""
    hashes = {password: hash_password(password) for password in {person.password for person in PEOPLE}}
    people = [
        {"id": person.id, "email": person.email, "name": person.name, "hash": hashes[person.password]}
        for person in PEOPLE
    ]
    with connection.transaction():
        connection.execute("select set_config('prt.people', %s, true)", [json.dumps(people)])
        for name in SEED_TABLES:
            _run(connection, name)


def _stand_in(connection: Connection[Any]) -> None:
    """Create the functions of extensions that the server lacks and, before version 18, can't be given."""
    scripts = {path.name.partition("--")[0]: path for path in FOLDER.glob("extension/*.sql")}
    available = {name for (name,) in connection.execute("select name from pg_available_extensions")}
    for name in scripts.keys() - available:
        with connection.transaction():
            connection.execute("set local search_path to extensions")
            connection.execute(scripts[name].read_bytes())


def _run(connection: Connection[Any], name: str) -> None:
    # Without parameters the text goes as it is: one round trip and one transaction a file.
    connection.execute(_script(name).encode())


def _script(name: str) -> str:
    return resources.files("prt.local.seed").joinpath("sql", name).read_text(encoding="utf-8")
