"""The database of an embedded project: what Supabase brings, then the seed's 30 tables or the user's own SQL.

Every function takes a connection of psycopg (the wheel's libpq), as superuser and in autocommit.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from psycopg import sql

from prt.local.auth.passwords import hash_password
from prt.local.people import MEMBER, STRANGER

if TYPE_CHECKING:
    from psycopg import Connection

SEED = ("seed/core_tables.sql", "seed/module_tables.sql", "seed/rules.sql", "seed/rows.sql")
PEOPLE = (MEMBER, STRANGER)
NIL = "00000000-0000-0000-0000-000000000000"
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


def clear(connection: Connection[Any]) -> None:
    """Every schema and publication gone but `supabase_realtime`, which a replication stream may be reading.

    What belongs to the cluster stays: roles. `bootstrap` puts the platform back.
    """
    schemas = connection.execute(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    ).fetchall()
    publications = connection.execute(
        "select pubname from pg_publication where pubname <> 'supabase_realtime' or puballtables"
    ).fetchall()
    with connection.transaction():
        for (name,) in publications:
            connection.execute(sql.SQL("drop publication {}").format(sql.Identifier(name)))
        for (name,) in schemas:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))
        connection.execute("create schema public authorization pg_database_owner")
        connection.execute("grant usage on schema public to public")


def seed(connection: Connection[Any]) -> None:
    """The seed's 30 tables with their rules and rows, MEMBER and STRANGER, in a bootstrapped database."""
    with connection.transaction():
        _add_users(connection)
        for name in SEED:
            _run(connection, name)


def _add_users(connection: Connection[Any]) -> None:
    hashes = {password: hash_password(password) for password in {person.password for person in PEOPLE}}
    connection.execute("select set_config('prt.member', %s, true)", [MEMBER.id])
    for person in PEOPLE:
        parameters = {"id": person.id, "email": person.email, "hash": hashes[person.password]}
        connection.execute(
            """
            insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at,
              raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
            values (%(id)s::uuid, %(nil)s, 'authenticated', 'authenticated', %(email)s, %(hash)s, now(),
              '{"provider": "email", "providers": ["email"]}', jsonb_build_object('name', %(name)s::text), now(), now())
            """,
            {**parameters, "nil": NIL, "name": person.name},
        )
        connection.execute(
            """
            insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
            values (%(id)s::text, %(id)s::uuid, jsonb_build_object('sub', %(id)s::text, 'email', %(email)s::text,
              'email_verified', true), 'email', now(), now())
            """,
            parameters,
        )


def _run(connection: Connection[Any], name: str) -> None:
    script = resources.files("prt.local").joinpath("sql", name).read_text(encoding="utf-8")
    # Without parameters the text goes as it is: one round trip and one transaction a file.
    connection.execute(script.encode())
