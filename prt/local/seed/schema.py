"""The SQL scripts that create an embedded project's database: Supabase's schemas, and the seed's 30 tables.

All functions need a psycopg connection in autocommit: `bootstrap` and those that set passwords that of the
superuser, the others that of the role `postgres`, which is not a superuser.
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
SERVICES = (
    "authenticator",
    "supabase_auth_admin",
    "supabase_realtime_admin",
    "supabase_replication_admin",
)
"""The roles as which REST, Auth, Realtime and Realtime's streams log in."""
PEOPLE = (MEMBER, STRANGER)


def bootstrap(connection: Connection[Any]) -> None:
    """Create or update Supabase's roles, schemas, tables, functions, grants and publications.

    The search path of the connection is `pg_catalog` afterwards. With another one the superuser might call a
    function of the user.
    """
    connection.execute("set search_path to pg_catalog")
    for name in PLATFORM:
        _run(connection, name)
    _stand_in(connection)


def set_passwords(connection: Connection[Any], postgres: Postgres) -> None:
    """Set the passwords of this server for all roles that log in."""
    set_password(connection, postgres.password, SUPERUSER, *SERVICES)
    set_password(connection, postgres.owner_password, OWNER)


def set_password(connection: Connection[Any], password: str, *roles: str) -> None:
    """Set the password of roles."""
    # The password is hashed here, so that it appears neither in a log nor in pg_stat_activity. The hash does
    # not depend on the name of the role.
    hashed = connection.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256").decode()
    alter = sql.SQL("alter role {} password {}")
    connection.execute(
        sql.SQL("; ").join(alter.format(sql.Identifier(role), sql.Literal(hashed)) for role in roles)
    )


def seed(connection: Connection[Any]) -> None:
    """Create the seed's 30 tables with their rows, and the users MEMBER and STRANGER.

    `bootstrap` must have run before.
    """
    seed_tables(connection)
    seed_rows(connection)


def seed_rows(connection: Connection[Any]) -> None:
    """Fill the seed's tables. Their dates are relative to now, so a cached cluster does not have the rows."""
    with connection.transaction():
        connection.execute("select set_config('prt.member', %s, true)", [MEMBER.id])
        for name in SEED_ROWS:
            _run(connection, name)


def seed_tables(connection: Connection[Any]) -> None:
    """Create the users MEMBER and STRANGER, and the seed's 30 tables with their rules but without rows."""
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
    # Without parameters, psycopg sends the whole file as it is: in one round trip and one transaction.
    connection.execute(_script(name).encode())


def _script(name: str) -> str:
    return resources.files("prt.local.seed").joinpath("sql", name).read_text(encoding="utf-8")
