"""The pool, and transactions as somebody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from prt.local.postgres import pool
from prt.local.postgres.pool import Database, NoConnectionError
from prt.local.postgres.server import Postgres
from tests.local.databases import bootstrapped


@pytest.fixture(scope="module")
def admin(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    with bootstrapped(postgres, "pooled") as connection:
        connection.execute("create table public.things (id int primary key)")
        yield connection


@pytest.fixture
def conninfo(postgres: Postgres, admin: psycopg.Connection[Any]) -> str:
    admin.execute("truncate public.things")
    return make_conninfo(postgres.conninfo("authenticator"), dbname="pooled")


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def one(connection: AsyncConnection[Any], query: str) -> Any:
    row = await (await connection.execute(query.encode())).fetchone()
    return None if row is None else row[0]


def count(admin: psycopg.Connection[Any]) -> int:
    row = admin.execute("select count(*) from public.things").fetchone()
    assert row is not None
    return int(row[0])


def test_a_transaction_has_the_role_and_the_claims_and_no_other_does(conninfo: str) -> None:
    claims = {"sub": "it's \\ 100% $1", "role": "authenticated", "nested": {"a": [None]}}

    async def work() -> tuple[Any, ...]:
        async with Database(conninfo, size=1) as database:
            async with database.acting_as(
                "authenticated", claims, settings={"request.path": "/x"}
            ) as connection:
                role = await one(connection, "select current_user")
                told = await one(connection, "select current_setting('request.jwt.claims')")
                path = await one(connection, "select current_setting('request.path')")
            async with database.connection() as connection:
                after = await one(connection, "select current_user")
                left = await one(connection, "select current_setting('request.jwt.claims', true)")
            return role, json.loads(told), path, after, left

    assert run(work()) == ("authenticated", claims, "/x", "authenticator", "")


def test_it_commits_at_the_end_and_rolls_back_on_an_exception(
    conninfo: str, admin: psycopg.Connection[Any]
) -> None:
    async def insert(database: Database, *ids: int) -> None:
        async with database.acting_as("anon", {}) as connection:
            for number in ids:
                await connection.execute("insert into things values (%s)", (number,))

    async def work() -> None:
        async with Database(conninfo, size=1) as database:
            await insert(database, 1)
            with pytest.raises(psycopg.errors.UniqueViolation):
                await insert(database, 2, 1)

    run(work())
    assert count(admin) == 1


def test_what_fails_at_the_commit_is_raised(conninfo: str, admin: psycopg.Connection[Any]) -> None:
    admin.execute("create table late (id int references public.things deferrable initially deferred)")

    async def work() -> None:
        async with Database(conninfo) as database, database.acting_as("anon", {}) as connection:
            await connection.execute("insert into late values (9)")

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(work())
    admin.execute("drop table late")


def test_a_read_only_transaction_cannot_write(conninfo: str) -> None:
    async def work() -> None:
        async with (
            Database(conninfo) as database,
            database.acting_as("anon", {}, is_read_only=True) as connection,
        ):
            await connection.execute("insert into things values (1)")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        run(work())


@pytest.mark.parametrize(
    ("role", "error"),
    [
        ("nobody", psycopg.errors.InvalidParameterValue),
        ("postgres", psycopg.errors.InsufficientPrivilege),
        ("supabase_auth_admin", psycopg.errors.InsufficientPrivilege),
    ],
)
def test_a_role_that_the_login_may_not_take_is_refused_and_the_connection_lives(
    conninfo: str, role: str, error: type[psycopg.Error]
) -> None:
    async def work() -> Any:
        async with Database(conninfo, size=1) as database:
            with pytest.raises(error):
                async with database.acting_as(role, {}):
                    pass
            async with database.acting_as("anon", {}) as connection:
                return await one(connection, "select current_user")

    assert run(work()) == "anon"


def test_connections_are_reused_and_bounded(conninfo: str) -> None:
    async def work() -> set[int]:
        pids: set[int] = set()
        three = asyncio.Barrier(3)
        async with Database(conninfo, size=3) as database:

            async def ask() -> None:
                async with database.acting_as("anon", {}) as connection:
                    await three.wait()
                    pids.add(await one(connection, "select pg_backend_pid()"))

            await asyncio.gather(*(ask() for _ in range(30)))
        return pids

    assert len(run(work())) == 3


def test_waiting_for_a_connection_ends(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.01)

    async def work() -> None:
        async with Database(conninfo, size=1) as database, database.connection(), database.connection():
            pass

    with pytest.raises(NoConnectionError):
        run(work())


def test_connections_that_died_while_idle_are_replaced(conninfo: str, admin: psycopg.Connection[Any]) -> None:
    async def work() -> Any:
        async with Database(conninfo, size=2) as database:
            async with database.connection(), database.connection():
                pass
            admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where usename = 'authenticator' and datname = 'pooled'"
            )
            async with database.acting_as("anon", {}) as connection:
                return await one(connection, "select current_user")

    assert run(work()) == "anon"


def test_a_cancelled_transaction_leaves_nothing_behind(conninfo: str, admin: psycopg.Connection[Any]) -> None:
    async def work() -> Any:
        async with Database(conninfo, size=1) as database:
            waits = asyncio.Event()

            async def slow() -> None:
                async with database.acting_as("anon", {}) as connection:
                    await connection.execute("insert into things values (1)")
                    waits.set()
                    await connection.execute("select pg_sleep(60)")

            task = asyncio.create_task(slow())
            await waits.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with database.connection() as connection:
                return await one(connection, "select current_user")

    assert run(work()) == "authenticator"
    assert count(admin) == 0


def test_nothing_stays_connected(conninfo: str) -> None:
    async def work() -> set[AsyncConnection[Any]]:
        used: set[AsyncConnection[Any]] = set()
        async with Database(conninfo, size=2) as database:
            async with database.connection() as first, database.acting_as("anon", {}) as second:
                used |= {first, second}
            async with database.connection() as third:
                used.add(third)
        return used

    used = run(work())
    assert len(used) == 2
    assert all(connection.closed for connection in used)


def test_a_wrong_password_shows_at_once(conninfo: str) -> None:
    async def work() -> None:
        async with Database(make_conninfo(conninfo, password="wrong")):
            pass

    with pytest.raises(psycopg.OperationalError):
        run(work())
