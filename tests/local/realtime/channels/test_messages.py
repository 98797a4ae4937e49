"""Broadcasts of the database: sent by functions, triggers and plain inserts, replayed, forgotten."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from prt.local.postgres.server import running as running_postgres
from prt.local.project.options import Options
from prt.local.realtime import Settings
from prt.local.seed.loading import fill, prepare, reset
from tests.local.databases import acting_as
from tests.local.realtime.serving import Backend, Client, Running

TOPIC = "realtime:room:1"
SEND = "select realtime.send(%s::jsonb, 'e', %s, %s)"


def run(
    backend: Backend, scenario: Callable[[Running], Awaitable[None]], settings: Settings | None = None
) -> None:
    async def serve() -> None:
        async with backend.serving(settings) as running:
            await scenario(running)

    asyncio.run(serve())


def send(
    sql: psycopg.Connection[Any], number: int, topic: str = "room:1", *, is_private: bool = True
) -> None:
    sql.execute(SEND, [json.dumps({"n": number}), topic, is_private])


async def enter(client: Client, token: str, **broadcast: Any) -> Any:
    return await client.enter(TOPIC, token=token, private=True, broadcast=broadcast)


async def received(client: Client) -> int:
    number: int = (await client.expect("broadcast"))["payload"]["n"]
    return number


def test_a_transaction_is_received_in_its_order_or_not_at_all(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1))
            with backend.sql.transaction(force_rollback=True):
                send(backend.sql, 0)
            with backend.sql.transaction():
                for number in range(1, 300):
                    send(backend.sql, number)
            assert [await received(client) for _ in range(1, 300)] == list(range(1, 300))

    run(backend, scenario)


def test_private_and_public_topics_of_one_name_are_two(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as public, running.client() as private:
            await public.enter(TOPIC)
            await enter(private, backend.user(1))
            send(backend.sql, 1)
            send(backend.sql, 2, is_private=False)
            assert (await received(private), await received(public)) == (1, 2)
            await private.expect_nothing_more()

    run(backend, scenario)


def test_an_id_of_the_senders_own_stays(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1))
            backend.sql.execute(SEND, ['{"id": 7}', "room:1", True])
            message = await client.expect("broadcast")
            assert message["payload"] == {"id": 7}
            assert len(message["meta"]["id"]) == 36

    run(backend, scenario)


@pytest.mark.parametrize("values", ["null, 'e', true", "'{}', null, true", "'{}', 'e', null"])
def test_incomplete_messages_reach_nobody(backend: Backend, values: str) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1))
            backend.sql.execute(
                "insert into realtime.messages (topic, extension, payload, event, private)"
                f" values ('room:1', 'broadcast', {values})".encode()
            )
            send(backend.sql, 2)
            assert await received(client) == 2

    run(backend, scenario)


def test_too_large_messages_reach_nobody(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1))
            backend.sql.execute(SEND, [json.dumps({"x": "x" * 1000}), "room:1", True])
            send(backend.sql, 2)
            assert await received(client) == 2

    run(backend, scenario, Settings(largest_broadcast=1000))


def test_sending_fails_nobodys_transaction(sql: psycopg.Connection[Any]) -> None:
    notices: list[str] = []
    sql.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    sql.execute(SEND, ["[]", "room:1", True])
    assert notices == ['ErrorSendingBroadcastMessage: path element at position 1 is not an integer: "id"']


def test_sending_from_sql_obeys_the_policies(sql: psycopg.Connection[Any]) -> None:
    for topic, written in (("room:1", 1), ("ro:1", 0)):
        with acting_as(sql, "authenticated") as caller:
            caller.execute(SEND, ["{}", topic, True])
            caller.execute("reset role")
            row = caller.execute("select count(*) from realtime.messages").fetchone()
            assert row == (written,), topic


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("'t', 'e', 'TRUNCATE', 'a', 'b', null, null", "Unexpected operation type: TRUNCATE"),
        (
            "'t', 'e', 'INSERT', 'a', 'b', null, null, 'STATEMENT'",
            "function can only be triggered for each row, not for each statement",
        ),
    ],
)
def test_changes_of_rows_only(sql: psycopg.Connection[Any], arguments: str, reason: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException) as refused:
        sql.execute(f"select realtime.broadcast_changes({arguments})".encode())
    assert refused.value.diag.message_primary == f"Failed to process the row: {reason}"


def test_the_spool_is_nobodys_change_unless_published(backend: Backend) -> None:
    everything = {"event": "*", "schema": "*"}

    async def scenario(running: Running) -> None:
        async with running.client(backend.keys.service_role) as client:
            await client.subscribe("realtime:all", everything)
            send(backend.sql, 1)
            await running.delivered()
            assert (await client.changes(1))[0]["table"] == "marker"

    async def published(running: Running) -> None:
        async with running.client(backend.keys.service_role) as client:
            await client.subscribe("realtime:all", everything)
            send(backend.sql, 1)
            assert (await client.changes(1))[0]["record"]["topic"] == "room:1"

    run(backend, scenario)
    backend.sql.execute("alter publication supabase_realtime add table realtime.messages")
    try:
        run(backend, published)
    finally:
        backend.sql.execute("alter publication supabase_realtime drop table realtime.messages")


async def replayed(running: Running, client: Client, **replay: Any) -> list[int]:
    """What is replayed, up to what is sent now."""
    sql = running.backend.sql
    assert (await enter(client, running.backend.user(1), replay=replay))["status"] == "ok"
    send(sql, 99)
    found = []
    while (message := await client.expect("broadcast"))["meta"].get("replayed"):
        found.append(message["payload"]["n"])
    sql.execute("delete from realtime.messages where payload ->> 'n' = '99'")
    await client.push(TOPIC, "phx_leave", {}, join_ref="1")
    await client.expect("phx_reply")
    await client.expect("phx_close")
    return found


def test_the_past_has_limits(backend: Backend) -> None:
    for number in range(40):
        send(backend.sql, number)
    send(backend.sql, 40, "room:2")
    send(backend.sql, 41, is_private=False)
    backend.sql.execute(
        "insert into realtime.messages (topic, extension, payload, event, private, inserted_at) values"
        """ ('room:1', 'presence', '{"n": 42}', 'e', true, clock_timestamp() at time zone 'utc'),"""
        """ ('room:1', 'broadcast', '{"n": -1}', 'e', true, now() at time zone 'utc' - interval '73 h')"""
    )

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert await replayed(running, client, since=0) == list(range(15, 40))
            assert await replayed(running, client, since=0, limit=1000) == list(range(15, 40))
            assert await replayed(running, client, since=0, limit=3) == [37, 38, 39]
            assert await replayed(running, client, since=0, limit=0) == [39]
            assert await replayed(running, client, since=int(time.time() * 1000) + 60_000) == []

    run(backend, scenario)


@pytest.mark.parametrize(
    ("is_private", "replay", "reason"),
    [
        (False, {"since": 1}, "Replay is not allowed for public channels"),
        (True, {"since": "yesterday"}, "Replay params are not valid"),
        (True, {"limit": 1.5}, "Replay params are not valid"),
        (True, {"limit": 5}, "Replay params are not valid"),
        (True, {"since": 10**17}, "Replay params are not valid"),
    ],
)
def test_no_past_to_be_had(backend: Backend, is_private: bool, replay: Any, reason: str) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            refused = await client.enter(
                TOPIC, token=backend.user(1), private=is_private, broadcast={"replay": replay}
            )
            assert refused["response"] == {"reason": f"UnableToReplayMessages: {reason}"}

    run(backend, scenario)


def test_the_past_goes_over_into_the_present_without_a_seam(backend: Backend) -> None:
    """Nothing is lost or sent twice, whenever a client joins while messages arrive."""

    async def scenario(running: Running) -> None:
        is_done = asyncio.Event()

        async def write() -> None:
            writer = await psycopg.AsyncConnection.connect(backend.conninfo, autocommit=True)
            async with writer:
                for number in itertools.count():
                    await writer.execute(SEND, [json.dumps({"n": number}), "room:1", True])
                    if is_done.is_set():
                        return

        writing = asyncio.create_task(write())
        for _ in range(20):
            async with running.client() as client:
                await enter(client, backend.user(1), replay={"since": 0, "limit": 5})
                found = [await received(client) for _ in range(20)]
                assert found == list(range(found[0], found[0] + 20))
                client.websocket.transport.abort()  # a good end would wait for all that nobody reads
        is_done.set()
        await writing

    run(backend, scenario)


def test_readiness_of_the_replication_may_be_waited_for(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert (await client.enter("realtime:a", broadcast={"replication_ready": True}))["status"] == "ok"
            ready = await client.expect("system")
            assert (ready["status"], ready["message"]) == ("ok", "Replication connection established")

    run(backend, scenario)


def test_a_replication_that_does_not_come_back_ends_the_channel(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        # A new slot waits for transactions that write.
        with psycopg.connect(backend.conninfo) as writer:
            writer.execute("insert into marker values (-1)")
            backend.sql.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'prt_realtime_broadcasts'"
            )
            async with running.client() as client:
                while True:
                    await client.enter("realtime:a", broadcast={"replication_ready": True})
                    reported = await client.expect("system")
                    if reported["status"] == "error":
                        break  # the first ones may have come before the stream noticed
                    await client.push("realtime:a", "phx_leave", {}, join_ref="1")
                    await client.expect("phx_reply")
                    await client.expect("phx_close")
                assert reported["message"] == "Replication connection was not established in time"
                assert await client.expect("phx_close") == {}
            writer.rollback()

    run(backend, scenario, Settings(start_seconds=0.5))


def test_the_table_stays_small(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prt.local.realtime.channels.messages.KEPT_ROWS", 3)
    for number in range(5):
        send(backend.sql, number)
    backend.sql.execute(
        "update realtime.messages set inserted_at = inserted_at - interval '73 hours'"
        " where payload ->> 'n' = '4'"
    )

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1))
            send(backend.sql, 5)
            assert await received(client) == 5
            while (left := await asyncio.to_thread(rest)) != [2, 3, 5]:
                assert 5 in left

    def rest() -> list[int]:
        rows = backend.sql.execute("select (payload ->> 'n')::int from realtime.messages order by 1")
        return [number for (number,) in rows]

    run(backend, scenario, Settings(prune_seconds=0.01))


def test_a_reset_keeps_it_flowing() -> None:
    """The stream goes on while all that is in the database goes and comes back."""
    nothing = Options(seed=False)
    with running_postgres() as postgres:
        prepare(postgres, is_seeded=False)
        roles = fill(postgres, nothing)
        with psycopg.connect(postgres.conninfo(), autocommit=True) as sql:
            backend = Backend(postgres.conninfo(), sql)

            async def scenario(running: Running) -> None:
                async with running.client() as client:
                    await client.enter(TOPIC)
                    await asyncio.to_thread(reset, postgres, nothing, keep_roles=roles)
                    send(sql, 1, is_private=False)
                    assert await received(client) == 1

            run(backend, scenario)
