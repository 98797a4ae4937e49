"""What the real server loses without a frame about it, as the transcripts `silent_*` show it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from prt.local.realtime import Settings
from prt.local.realtime.changes.decoding import replication
from prt.local.realtime.changes.decoding.replication import Stream
from tests.local.realtime.channels.test_messages import TOPIC, enter, received, send
from tests.local.realtime.serving import Backend, Client, Running
from tests.local.realtime.test_service import TODOS, records, run

FULL = {"event": "*", "schema": "public", "table": "todos_full"}
SUBSCRIBED = "Subscribed to PostgreSQL"
UNABLE = (
    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given"
    " connect parameters: [event: *, schema: public, table: todos, filters: [], select: nil]"
)

QUICK = Settings(changes_retry_seconds=(0.01,), broadcasts_retry_seconds=(0.01,))

OF_CHANGES = "application_name = 'prt_realtime_stream'"
OF_BROADCASTS = "application_name = 'prt_realtime_broadcasts'"
ALL = "application_name like 'prt_realtime%'"


@contextmanager
def no_new_slot(backend: Backend) -> Iterator[None]:
    """A new slot waits for transactions that write: none starts within the block."""
    with psycopg.connect(backend.conninfo) as writer:
        writer.execute("insert into marker values (-1)")
        yield
        writer.rollback()


def end(backend: Backend, which: str) -> None:
    backend.sql.execute(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where {which}")


def insert(backend: Backend, *numbers: int, table: str = "todos") -> None:
    for number in numbers:
        backend.sql.execute(f"insert into {table} (id, task) values (%s, 'x')", [number])


async def ids(client: Client, count: int) -> list[int]:
    """Return the next frames, which must be changes: nothing else was sent."""
    return [record["id"] for record in records(await client.changes(count))]


@pytest.mark.parametrize("which", [OF_CHANGES, ALL])
def test_a_new_slot_starts_at_the_present_and_nobody_is_notified(backend: Backend, which: str) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            insert(backend, 1)
            assert await ids(client, 1) == [1]
            with no_new_slot(backend):
                end(backend, which)
                insert(backend, 2)
                await client.expect_nothing_more()  # heartbeats are answered
            await running.streaming()
            insert(backend, 3)
            assert await ids(client, 1) == [3]

    run(backend, scenario, QUICK)


def test_a_closed_database_is_waited_for_in_silence(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            backend.sql.execute(
                "update pg_database set datallowconn = false where datname = current_database()"
            )
            try:
                end(backend, ALL)
                insert(backend, 1)
                await client.expect_nothing_more()
            finally:
                backend.sql.execute(
                    "update pg_database set datallowconn = true where datname = current_database()"
                )
            await running.streaming()
            insert(backend, 2)
            assert await ids(client, 1) == [2]

    run(backend, scenario, QUICK)


def test_the_pauses_before_a_new_slot_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second after a killed backend; a database that was closed for 25 s is found again 6 s later."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            raise asyncio.CancelledError

    async def nothing(_: list[bytes]) -> None:
        raise AssertionError

    monkeypatch.setattr(replication.asyncio, "sleep", pause)
    stream = Stream(
        "host=127.0.0.1 port=1", "s", "p", nothing, retry_seconds=Settings().changes_retry_seconds
    )
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stream.run())
    assert pauses == [2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 16.0]


def test_broadcasts_of_the_database_are_lost_longer_and_a_replay_brings_them(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client, running.client() as changes:
            await enter(client, backend.user(1))
            await changes.subscribe("realtime:a", TODOS)
            send(backend.sql, 1)
            assert await received(client) == 1
            with no_new_slot(backend):
                end(backend, OF_BROADCASTS)
                send(backend.sql, 2)
                insert(backend, 1)
                assert await ids(changes, 1) == [1]  # the slot of changes is another one
                await client.expect_nothing_more()
            await running.streaming("prt_realtime_broadcasts")
            send(backend.sql, 3)
            assert await received(client) == 3
            await client.push(TOPIC, "phx_leave", {}, join_ref="1")
            await client.expect("phx_reply")
            await client.expect("phx_close")
            await enter(client, backend.user(1), replay={"since": 0, "limit": 25})
            assert [await received(client) for _ in range(3)] == [1, 2, 3]

    run(backend, scenario, QUICK)


@contextmanager
def altered(backend: Backend) -> Iterator[None]:
    """Afterwards the publication has its tables again."""
    tables = "select format('%%I.%%I', schemaname, tablename) from pg_publication_tables where pubname = %s"
    former = [name for (name,) in backend.sql.execute(tables, ["supabase_realtime"])]
    try:
        yield
    finally:
        backend.sql.execute("drop publication if exists supabase_realtime")
        backend.sql.execute(f"create publication supabase_realtime for table {', '.join(former)}".encode())


async def reported(client: Client) -> tuple[str, str]:
    payload = await client.expect("system")
    return payload["status"], payload["message"]


def test_a_table_that_leaves_the_publication_takes_its_neighbours_along(backend: Backend) -> None:
    """`publication_table_removed_and_added`."""

    async def scenario(running: Running) -> None:
        async with running.client() as both, running.client() as gone, running.client() as stay:
            await both.subscribe("realtime:t", TODOS, FULL)
            await gone.subscribe("realtime:gone", TODOS)
            await stay.subscribe("realtime:stay", FULL)
            backend.sql.execute("alter publication supabase_realtime drop table todos")
            insert(backend, 1)
            insert(backend, 1, table="todos_full")
            assert (await ids(both, 1), await ids(stay, 1)) == ([1], [1])

            await running.realtime.publication.check()
            assert [await reported(both) for _ in range(2)] == [("error", UNABLE)] * 2
            assert (await reported(gone), await reported(stay)) == (("error", UNABLE), ("ok", SUBSCRIBED))
            backend.sql.execute("alter publication supabase_realtime add table todos")
            insert(backend, 2)
            insert(backend, 2, table="todos_full")
            assert await ids(stay, 1) == [2]
            await both.expect_nothing_more()

            await running.realtime.publication.check()
            assert (await reported(both), await reported(stay)) == (("ok", SUBSCRIBED), ("ok", SUBSCRIBED))
            insert(backend, 3)
            insert(backend, 3, table="todos_full")
            assert (await ids(both, 2), await ids(stay, 1)) == ([3, 3], [3])
            await gone.expect_nothing_more()
            await gone.subscribe("realtime:new", TODOS)
            insert(backend, 4)
            assert await ids(gone, 1) == [4]

    with altered(backend):
        run(backend, scenario)


def test_a_publication_made_anew_within_the_minute_loses_what_was_between(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            insert(backend, 1)
            assert await ids(client, 1) == [1]
            tables = "todos, todos_full, marker"
            with altered(backend):
                backend.sql.execute("drop publication supabase_realtime")
                backend.sql.execute("create publication supabase_realtime")
                insert(backend, 2)
                backend.sql.execute(f"alter publication supabase_realtime add table {tables}".encode())
                insert(backend, 3)
                assert await ids(client, 1) == [3]
            await running.realtime.publication.check()
            await client.expect_nothing_more()

    run(backend, scenario)


def test_a_recreated_table_is_received_only_after_the_next_check(backend: Backend) -> None:
    """Its name is the former one's, the table is another: `pg_ddl_while_subscribed`."""

    async def scenario(running: Running) -> None:
        create = (
            "create table ddl_t (id int primary key, task text);"
            "alter publication supabase_realtime add table ddl_t"
        )
        backend.sql.execute(create)
        await running.realtime.publication.check()
        async with running.client() as client:
            await client.subscribe("realtime:a", {**TODOS, "table": "ddl_t"})
            backend.sql.execute("drop table ddl_t;" + create)
            insert(backend, 1, table="ddl_t")
            await running.delivered()
            await running.realtime.publication.check()
            assert await reported(client) == ("ok", SUBSCRIBED)
            insert(backend, 2, table="ddl_t")
            assert await ids(client, 1) == [2]

    try:
        run(backend, scenario)
    finally:
        backend.sql.execute("drop table if exists ddl_t")


def test_the_publication_is_looked_at_without_being_asked(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", FULL)
            backend.sql.execute("alter publication supabase_realtime drop table todos")
            assert await reported(client) == ("ok", SUBSCRIBED)

    with altered(backend):
        run(backend, scenario, Settings(publication_seconds=0.05))
