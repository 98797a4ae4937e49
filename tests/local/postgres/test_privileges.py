"""What the role of migrations may do, and what it may not: the rights of `postgres` in a hosted project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from prt.errors import UsageError
from prt.local.postgres.privileges import call_of
from prt.local.postgres.server import SUPERUSER, Postgres
from prt.local.seed import schema
from tests.local.databases import bootstrapped, owning, values

UNTRUSTED = frozenset({"vector", "moddatetime", "pageinspect"})


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[Connection[Any]]:
    with bootstrapped(postgres, "privileges"), owning(postgres, "privileges") as owner:
        yield owner


@pytest.fixture
def project(filled: Connection[Any]) -> Iterator[Connection[Any]]:
    """The connection of the user's own SQL; what a test does is undone."""
    with filled.transaction(force_rollback=True):
        yield filled


REFUSED = {
    "a program's output": "copy public.lines from program 'id'",
    "a program's input": "copy public.lines to program 'cat'",
    "a file": "copy public.lines from '/etc/passwd'",
    "a file's writing": "copy public.lines to '/tmp/prt-lines'",
    "pg_read_file": "select pg_read_file('/etc/passwd')",
    "pg_read_binary_file": "select pg_read_binary_file('postmaster.pid')",
    "pg_ls_dir": "select pg_ls_dir('/')",
    "lo_import": "select lo_import('/etc/passwd')",
    "lo_export": "select lo_export(1, '/tmp/prt-object')",
    "a reserved setting": "set session_preload_libraries = 'x'",
    "a library": "load '/tmp/x.so'",
    "a function in C": "create function f() returns int language c as '/tmp/x.so', 'f'",
    "the superuser's role": f"set role {SUPERUSER}",
    "the superuser's role, as a setting": f"select set_config('role', '{SUPERUSER}', false)",
    "the superuser's session": f"set session authorization {SUPERUSER}",
    "a superuser of its own": "create role mighty superuser",
    "itself as a superuser": "alter role postgres superuser",
    "the superuser's password": f"alter role {SUPERUSER} password 'x'",
    "the superuser's settings": f"alter role {SUPERUSER} set search_path = public",
    "membership in the superuser": f"grant {SUPERUSER} to postgres",
    "running programs": "grant pg_execute_server_program to postgres",
    "reading files": "grant pg_read_server_files to postgres",
    "writing files": "grant pg_write_server_files to postgres",
    "an extension that reads pages": "create extension pageinspect",
    "an extension that reads files": "create extension file_fdw",
    "the superuser's functions": (
        "create or replace function extensions.prt_publish_all_tables(name text) returns void"
        " language sql as 'select'"
    ),
    "the catalog": "update pg_authid set rolsuper = true",
    "an extension of ours that Supabase keeps back": (
        "select extensions.prt_create_extension('file_fdw', null, null, false, 'public')"
    ),
    "an extension among PostgreSQL's own objects": (
        "select extensions.prt_create_extension('vector', 'pg_catalog', null, false, 'public')"
    ),
    "the removal of PostgreSQL's own language": "select extensions.prt_drop_extension('plpgsql', true, true)",
    "the move of PostgreSQL's own language": "select extensions.prt_move_extension('plpgsql', 'public')",
    "a decoder of one's own": (
        "set role supabase_realtime_admin; select pg_create_logical_replication_slot('s', '/tmp/x.so')"
    ),
    "an event trigger": (
        "create event trigger mine on ddl_command_end execute function realtime.prt_publication_changed()"
    ),
    "a place for extensions": "set extension_control_path = '/tmp'",
    "the superuser's schema": "alter schema extensions owner to postgres",
    "a session of an administrator": "set role dashboard_user",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_what_only_a_superuser_may_is_refused(project: Connection[Any], statement: str) -> None:
    project.execute("create table public.lines (line text)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.execute(statement.encode())


@pytest.mark.parametrize("statement", ["reset role", "reset session authorization", "discard all"])
def test_the_session_leads_to_no_superuser(filled: Connection[Any], statement: str) -> None:
    filled.execute(statement.encode())
    assert values(filled, "select current_setting('is_superuser')") == ["off"]


def test_the_settings_of_the_server_stay(filled: Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        filled.execute("alter system set shared_preload_libraries = 'x'")


def test_a_migration_that_runs_a_program_is_one_line(filled: Connection[Any], tmp_path: Path) -> None:
    file = tmp_path / "1.sql"
    file.write_text("create temp table t (line text);\n\ncopy t from program 'touch /tmp/prt-owned';\n")
    with pytest.raises(UsageError) as caught:
        schema.migrate(filled, [file])
    assert caught.value.message == f"{file}:3: permission denied to COPY to or from an external program"


ALLOWED = {
    "policies on private topics": (
        "create policy listen on realtime.messages for select to authenticated using (true)"
    ),
    "policies on objects": "create policy own on storage.objects for select using (true)",
    "a bucket": "insert into storage.buckets (id, name) values ('plots', 'plots')",
    "a trigger on users": (
        "drop trigger if exists made on auth.users;"
        "create function public.made() returns trigger language plpgsql security definer"
        " as 'begin return new; end';"
        "create trigger made after insert on auth.users for each row execute function public.made()"
    ),
    "a user": "insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.com')",
    "a publication made anew": (
        "drop publication if exists supabase_realtime; create publication supabase_realtime;"
        "create table public.heard (id int); alter publication supabase_realtime add table public.heard"
    ),
    "a trusted extension": "create extension citext with schema extensions",
    "a role": (
        "create role clerk; grant clerk to authenticator; grant select on auth.users to clerk;"
        "alter role authenticator set pgrst.db_schemas = 'public'"
    ),
    "triggers at rest while a dump is loaded": "set local session_replication_role = replica",
    "the schema public made anew": (
        "drop schema public cascade; create schema public; grant usage on schema public to anon"
    ),
    "a setting of the database": "alter database privileges set statement_timeout = '1min'",
    "what row level security hides": "select * from auth.users",
    "the end of another session": "select pg_terminate_backend(0) where false",
    "default privileges": (
        "alter default privileges for role postgres in schema public grant all on tables to anon"
    ),
}


@pytest.mark.parametrize("statements", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_migrations_of_a_hosted_project_do_is_allowed(
    filled: Connection[Any], project: Connection[Any], statements: str
) -> None:
    if "schema public cascade" in statements:
        project.execute("set local client_min_messages = error")
        statements = statements.replace("drop schema public cascade", "alter schema public rename to former")
    project.execute(statements.encode())


def test_extensions_and_publications_that_supabase_allows(postgres: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "1.sql"
    file.write_text(
        "begin;\n"
        "drop publication if exists supabase_realtime;\n"
        "create publication supabase_realtime for all tables;\n"
        "commit;\n"
        'CREATE EXTENSION IF NOT EXISTS "moddatetime" WITH SCHEMA extensions;\n'
        "create extension if not exists moddatetime;\n"
        "comment on extension moddatetime is 'x';\n"
        "create extension earthdistance with schema public cascade;\n"
        "create extension bloom;\n"
        "alter extension bloom set schema extensions;\n"
        "create extension autoinc;\n"
        "drop extension autoinc;\n"
        "drop extension if exists autoinc cascade;\n"
        "create extension pg_trgm;\n"
        "alter extension pg_trgm set schema extensions;\n"
        "create extension refint;\n"
        "create extension dblink schema public;\n"
    )
    with bootstrapped(postgres, "allowed") as superuser, owning(postgres, "allowed") as owner:
        schema.migrate(owner, [file])
        assert values(
            superuser,
            "select extname || ' ' || extnamespace::regnamespace from pg_extension"
            " where extname not in ('plpgsql', 'pgcrypto', 'uuid-ossp') order by 1",
        ) == [
            "bloom extensions",
            "cube public",
            "dblink public",
            "earthdistance public",
            "moddatetime extensions",
            "pg_trgm extensions",
            "refint public",
        ]
        # It signs in without a password, as the user who runs the server.
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("select dblink_connect_u('a', 'port=1')")
        assert values(
            superuser,
            "select puballtables and not rolsuper from pg_publication join pg_roles r on r.oid = pubowner"
            " where pubname = 'supabase_realtime'",
        ) == [True]
        owner.execute("drop publication supabase_realtime")


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("create extension vector", ("vector", None, None, False)),
        (
            'CREATE EXTENSION IF NOT EXISTS "vector" WITH SCHEMA "extensions" VERSION \'1.0\' CASCADE',
            ("vector", "extensions", "1.0", True),
        ),
        ("create extension Vector schema Other", ("vector", "other", None, False)),
        ("create publication every for all tables", ("every",)),
        ("create extension citext", None),
        ('ALTER EXTENSION "vector" SET SCHEMA Extensions', ("vector", "extensions")),
        ("alter extension vector update", None),
        ("drop extension if exists vector", ("vector", True, False)),
        ("drop extension vector cascade", ("vector", False, True)),
        ("drop extension vector, citext", None),
        ("create extension vector; copy t to program 'id'", None),
        ("create extension vector schema public as x", None),
        ("create publication every for all tables with (publish = 'insert')", None),
        ("create publication some for table t", None),
    ],
)
def test_only_whole_statements_have_a_stand_in(statement: str, arguments: tuple[object, ...] | None) -> None:
    call = call_of(statement, UNTRUSTED)
    assert (call and call.arguments) == arguments


def test_functions_of_the_users_never_run_as_the_superuser(postgres: Postgres) -> None:
    """A function that fits its arguments better than PostgreSQL's own is preferred on the search path."""
    with bootstrapped(postgres, "functions") as superuser, owning(postgres, "functions") as owner:
        for kind in ("text", "name", "regprocedure"):
            for schema_of in ("public", "extensions"):
                owner.execute(
                    f"create function {schema_of}.format(text, {kind}) returns text language sql"
                    " as $$ select 'alter role postgres superuser' $$".encode()
                )
        schema.bootstrap(superuser)
        schema.bootstrap(superuser)
        assert values(superuser, "select rolsuper from pg_roles where rolname = 'postgres'") == [False]


def test_triggers_of_the_users_never_run_as_the_superuser(postgres: Postgres) -> None:
    """Auth and Realtime sign in as roles of their own, so `reset role` in a trigger leads to those."""
    with bootstrapped(postgres, "triggers") as superuser:
        assert values(superuser, "select rolname from pg_roles where rolsuper") == [SUPERUSER]
        assert SUPERUSER not in schema.SERVICES
        # A role that replicates may have an old server load any library: no SQL of the users runs as one.
        replicating = values(superuser, "select rolname from pg_roles where rolreplication")
        assert {"supabase_realtime_admin", "supabase_auth_admin", "authenticator"}.isdisjoint(replicating)
        assert "supabase_replication_admin" not in values(
            superuser,
            "select roleid::regrole::text from pg_auth_members where member <> %s::regrole",
            SUPERUSER,
        )
        assert SUPERUSER not in values(
            superuser,
            "select roleid::regrole::text from pg_auth_members where member <> %s::regrole",
            SUPERUSER,
        )
