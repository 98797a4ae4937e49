"""A plan's limits, and what is lost above a rate."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from prt.config.constants.plans import PLANS, Limits
from prt.local.realtime import Settings
from prt.local.realtime.rates import Rate
from tests.local.realtime.serving import Backend, Client, Running
from tests.local.realtime.test_losses import ids, insert
from tests.local.realtime.test_service import TODOS, run

MUCH = 600
"""As many in a bucket make the average of `settings`: they and the start are two buckets of 300 s."""


def settings(**limits: int) -> Settings:
    """The limits are high but for those that are given, and no bucket ends by itself."""
    high = {"connections": 1000, "messages": 1000, "joins": 1000, "presence": 1000, "channels": 1000}
    return Settings(limits=Limits(**high | limits), rate_seconds=300.0, presence_calls=2 * MUCH)


def rows(backend: Backend, first: int, count: int) -> None:
    """In one statement."""
    backend.sql.execute(
        "insert into todos (id, task) select n, 'x' from generate_series(%s::int, %s) n",
        [first, first + count - 1],
    )


def test_a_burst_passes_until_its_bucket_ends_and_weighs_for_a_minute() -> None:
    """`silent_rate_limit`, in buckets of 5 s: 2,000 updates every 3 s, on a server older than a minute."""
    rate = Rate(100, 5.0)
    for _ in range(16):
        rate.add(1)
        rate.tick()
    for burst in (2, 2):
        rate.add(burst * 2000)
        was_open = not rate.is_exceeded
        rate.tick()
        assert was_open
    assert rate.is_exceeded
    buckets = 0
    while rate.is_exceeded:
        rate.tick()
        buckets += 1
    assert buckets == 11  # 55 s: the first bucket with a burst has left the average


def test_a_fresh_server_averages_over_its_own_life() -> None:
    """`silent_rate_limit_cold`: 4,000 rows within 15 s of its start, well again when it is 40 s old."""
    rate = Rate(100, 5.0)
    rate.tick()
    rate.tick()
    rate.add(4000)
    rate.tick()
    assert rate.is_exceeded
    age = 15
    while rate.is_exceeded:
        rate.tick()
        age += 5
    assert age == 40


def test_without_a_limit_nothing_is_exceeded() -> None:
    rate = Rate(None, 0.1)
    rate.add(10**9)
    rate.tick()
    assert not rate.is_exceeded


def test_above_the_rate_changes_are_dropped_and_nobody_is_notified(backend: Backend) -> None:
    """A row counts once for each subscriber; a table that is first met meanwhile is known afterwards."""

    async def scenario(running: Running) -> None:
        async with running.client() as one, running.client() as two:
            both = {**TODOS, "schema": "public", "table": "*"}
            await one.subscribe("realtime:a", both)
            await two.subscribe("realtime:a", both)
            rows(backend, 1, MUCH // 2)
            for client in (one, two):
                assert await ids(client, MUCH // 2) == list(range(1, MUCH // 2 + 1))
            running.realtime.rates.tick()
            insert(backend, 1001)
            insert(backend, 1, table="todos_full")
            await passed(running, backend)
            running.realtime.rates.tick()
            insert(backend, 2, table="todos_full")
            insert(backend, 1002)
            for client in (one, two):
                assert await ids(client, 2) == [2, 1002]

    run(backend, scenario, settings(messages=1))


async def passed(running: Running, backend: Backend) -> None:
    """The stream has read what was committed before: a position that it confirms is behind it."""
    query = (
        "select pg_sleep(0.01), bool_and(flush_lsn >= %s::pg_lsn) from pg_stat_replication"
        " where application_name = 'prt_realtime_stream'"
    )
    position = backend.sql.execute("select pg_current_wal_lsn()::text").fetchone()
    while True:
        row = (await asyncio.to_thread(backend.sql.execute, query, position)).fetchone()
        if row and row[1]:
            return


def test_above_the_rate_the_receiver_of_a_broadcast_is_closed(backend: Backend) -> None:
    """`limit_events`: the message itself still comes, and its sender stays."""

    async def scenario(running: Running) -> None:
        async with running.client() as sender, running.client() as receiver:
            await sender.enter("realtime:ev", broadcast={"ack": True})
            await receiver.enter("realtime:ev")
            for number in range(MUCH // 2):  # one sent and one received each
                await sender.push("realtime:ev", "broadcast", {"event": "e", "payload": {"n": number}}, "1")
                await sender.expect("phx_reply")
                await receiver.expect("broadcast")
            running.realtime.rates.tick()
            await sender.push("realtime:ev", "broadcast", {"event": "e", "payload": {}}, "1")
            assert (await sender.expect("phx_reply"))["status"] == "ok"
            await receiver.expect("broadcast")
            assert (await receiver.expect("system"))["message"] == "Too many messages per second"
            assert await receiver.expect("phx_close") == {}
            response = await asyncio.to_thread(post, running)
            assert response.status_code == 429
            assert response.json() == {"message": "You have exceeded your rate limit"}

    run(backend, scenario, settings(messages=1))


def post(running: Running) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{running.port}/realtime/v1/api/broadcast",
        json={"messages": [{"topic": "ev", "event": "e", "payload": {}}]},
        headers={"apikey": running.backend.keys.anon},
        trust_env=False,
    )


def test_above_the_rate_a_join_is_refused_and_its_socket_closed(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            for number in range(MUCH):
                assert (await client.enter(f"realtime:{number}"))["status"] == "ok"
            running.realtime.rates.tick()
            answer = await client.enter("realtime:more")
            assert answer["response"]["reason"] == "ClientJoinRateLimitReached: Too many joins per second"
            assert await client.closed() == 1001
        with pytest.raises(InvalidStatus) as refused:
            async with running.client():
                pass
        assert denial(refused.value) == (429, "Too many joins per second")

    run(backend, scenario, settings(joins=1))


def denial(refused: InvalidStatus) -> tuple[int, str]:
    return refused.response.status_code, json.loads(refused.response.body or b"{}")["error"]


def test_no_more_connections_than_the_plan_has(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter("realtime:a")
            with pytest.raises(InvalidStatus) as refused:
                async with running.client():
                    pass
            assert denial(refused.value) == (429, "Too many connected users")

    run(backend, scenario, settings(connections=1))


def test_no_more_channels_of_a_connection_than_the_plan_has(backend: Backend) -> None:
    """`limit_channels`."""

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert (await client.enter("realtime:a"))["status"] == "ok"
            refused = await client.enter("realtime:b")
            assert refused["response"]["reason"] == "ChannelRateLimitReached: Too many channels"
            await leave(client, "realtime:a")
            assert (await client.enter("realtime:b"))["status"] == "ok"

    run(backend, scenario, settings(channels=1))


async def leave(client: Client, topic: str) -> None:
    await client.push(topic, "phx_leave", {}, join_ref="1")
    await client.expect("phx_reply")
    await client.expect("phx_close")


def test_above_the_rate_presence_closes_the_channel(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter("realtime:a")
            call = {"event": "untrack"}
            for _ in range(MUCH):
                await client.push("realtime:a", "presence", call, "1")
                await client.expect("phx_reply")
            running.realtime.rates.tick()
            await client.push("realtime:a", "presence", call, "1")
            assert (await client.expect("system"))["message"] == "Too many presence messages per second"
            await client.expect("phx_close")

    run(backend, scenario, settings(presence=1))


def test_a_plan_bounds_the_size_of_a_broadcast() -> None:
    assert [PLANS[plan].largest_broadcast for plan in ("free", "pro", "no-cap")] == [
        256_000,
        3_000_000,
        3_000_000,
    ]
