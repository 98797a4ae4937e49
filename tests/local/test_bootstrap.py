from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from prt.local.postgres.server import Postgres
from prt.local.seed import schema
from prt.local.seed.people import MEMBER
from tests.local.databases import acting_as, bootstrapped, values


@pytest.fixture
def bare_project(postgres: Postgres) -> Iterator[Connection[Any]]:
    with bootstrapped(postgres, "schema_bare") as connection:
        yield connection


def test_bootstrap_repeats(bare_project: Connection[Any], postgres: Postgres) -> None:
    schema.bootstrap(bare_project)
    assert values(bare_project, "select pubname from pg_publication order by 1") == [
        "prt_realtime_changes",
        "prt_realtime_messages",
        "supabase_realtime",
    ]


def test_functions_read_the_claims(bare_project: Connection[Any]) -> None:
    with acting_as(bare_project, "authenticated", MEMBER.id) as caller:
        row = caller.execute(
            "select auth.uid()::text, auth.role(), auth.jwt() ->> 'sub', auth.email()"
        ).fetchone()
    assert row == (MEMBER.id, "authenticated", MEMBER.id, None)
    assert bare_project.execute("select auth.uid(), auth.role(), auth.jwt()").fetchone() == (None, None, None)


def test_one_setting_a_claim_is_read_too(bare_project: Connection[Any]) -> None:
    with bare_project.transaction(force_rollback=True):
        bare_project.execute("select set_config('request.jwt.claim.sub', %s, true)", [MEMBER.id])
        assert values(bare_project, "select auth.uid()::text") == [MEMBER.id]


@pytest.mark.parametrize("maker", ["postgres", "supabase_admin"])
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_default_grants_hold_for_new_objects(bare_project: Connection[Any], maker: str, role: str) -> None:
    bare_project.execute(sql.SQL("set role {}").format(sql.Identifier(maker)))
    bare_project.execute("create table public.fresh (id bigserial primary key, body text)")
    bare_project.execute("create function public.one() returns int language sql as 'select 1'")
    bare_project.execute("reset role")
    with acting_as(bare_project, role) as caller:
        caller.execute("insert into fresh (body) values ('x')")
        caller.execute("update fresh set body = 'y'")
        assert values(caller, "select body from fresh where one() = 1") == ["y"]
        caller.execute("delete from fresh")


def test_authenticator_logs_in_and_is_nobody_by_itself(
    bare_project: Connection[Any], postgres: Postgres
) -> None:
    bare_project.execute("create table public.fresh (id int)")
    conninfo = postgres.conninfo("authenticator", dbname="schema_bare")
    with psycopg.connect(conninfo, autocommit=True) as authenticator:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            authenticator.execute("select * from public.fresh")
        for role in ("anon", "authenticated", "service_role"):
            with acting_as(authenticator, role):
                authenticator.execute("select * from public.fresh")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(authenticator, "postgres"):
            pass


def test_password_of_authenticator_is_sent_hashed(postgres: Postgres) -> None:
    with bootstrapped(postgres, "schema_hashed") as connection:
        statements: list[bytes] = []

        class Spy(psycopg.Cursor[Any]):
            def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
                statements.append(
                    query
                    if isinstance(query, bytes)
                    else query.as_bytes(self)
                    if isinstance(query, sql.Composable)
                    else str(query).encode()
                )
                return super().execute(query, *args, **kwargs)

        connection.cursor_factory = Spy
        schema.set_passwords(connection, postgres)
    assert not any(postgres.password.encode() in statement for statement in statements)
    assert any(b"SCRAM-SHA-256$" in statement for statement in statements)


def test_stand_ins_of_missing_extensions(bare_project: Connection[Any]) -> None:
    with acting_as(bare_project, "authenticated") as caller:
        row = caller.execute(
            "select uuid_generate_v4() <> extensions.uuid_generate_v4(), length(gen_random_bytes(70)), "
            "gen_random_bytes(16) <> gen_random_bytes(16), encode(digest('abc', 'sha256'), 'hex')"
        ).fetchone()
    assert row is not None
    assert row[:3] == (True, 70, True)
    assert row[3] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_storage_and_realtime_take_the_policies_of_migrations(bare_project: Connection[Any]) -> None:
    bare_project.execute("insert into storage.buckets (id, name, public) values ('plots', 'plots', true)")
    bare_project.execute(
        "create policy own on storage.objects for insert to authenticated "
        "with check (bucket_id = 'plots' and (storage.foldername(name))[1] = auth.uid()::text)"
    )
    bare_project.execute(
        "create policy listen on realtime.messages for select to authenticated "
        "using (realtime.topic() = 'room')"
    )
    insert = b"insert into storage.objects (bucket_id, name) values ('plots', %s)"
    with acting_as(bare_project, "authenticated", MEMBER.id) as member:
        member.execute(insert, [f"{MEMBER.id}/stage/plot.v2.pdf"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), member.transaction():
            member.execute(insert, ["others/plot.pdf"])
    row = bare_project.execute(
        "select storage.filename('a/b.tar.gz'), storage.extension('a/b.tar.gz')"
    ).fetchone()
    assert row == ("b.tar.gz", "gz")


def test_sql_files_lie_inside_the_package() -> None:
    folder = Path(schema.__file__).parent / "sql"
    shipped = {str(file.relative_to(folder)) for file in folder.rglob("*.sql")}
    assert shipped == {*schema.PLATFORM, *schema.SEED_TABLES, *schema.SEED_ROWS}
