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
from prt.local.postgres.migrations import migrate
from prt.local.postgres.server import OWNER, SUPERUSER, Postgres
from prt.local.seed.people import MEMBER, STRANGER

__all__ = ["bootstrap", "migrate", "seed", "set_passwords"]

PLATFORM = tuple(
    f"{part}.sql"
    for part in ("roles", "auth", "bootstrap", "realtime", "extensions", "storage", "privileges")
)
SEED = tuple(f"seed/{part}.sql" for part in ("users", "core_tables", "module_tables", "rules", "rows"))
SERVICES = ("authenticator", "supabase_auth_admin", "supabase_realtime_admin")
"""The roles as which REST, Auth and Realtime sign in."""
PEOPLE = (MEMBER, STRANGER)


def bootstrap(connection: Connection[Any]) -> None:
    """Create roles, schemas, Auth's tables and functions, default grants, publications: safe to run again."""
    for name in PLATFORM:
        _run(connection, name)


def set_passwords(connection: Connection[Any], postgres: Postgres) -> None:
    """Give the roles that sign in the passwords of this server."""
    for password, roles in (
        (postgres.password, (SUPERUSER, *SERVICES)),
        (postgres.owner_password, (OWNER,)),
    ):
        # Hashed here, so that the password stands in no log and no pg_stat_activity. The user's name is no
        # part of the hash.
        hashed = connection.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256")
        for role in roles:
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(role), sql.Literal(hashed.decode())
                )
            )


def seed(connection: Connection[Any]) -> None:
    """The seed's 30 tables with their rules and rows, MEMBER and STRANGER, in a bootstrapped database."""
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


def _run(connection: Connection[Any], name: str) -> None:
    script = resources.files("prt.local.seed").joinpath("sql", name).read_text(encoding="utf-8")
    # Without parameters the text goes as it is: one round trip and one transaction a file.
    connection.execute(script.encode())
