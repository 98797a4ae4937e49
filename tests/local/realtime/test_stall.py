"""A server that is stopped and goes on: `silent_server_stalled`, `silent_broadcast_server_stalled`."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any
from urllib.parse import urlsplit

import psycopg
from websockets.asyncio.client import connect

from prt.local.project.attach import ephemeral
from tests.local.processes import listener_of, wait_until
from tests.local.realtime.serving import Client

SETTINGS = {"sender_seconds": 0.5, "broadcasts_retry_seconds": (0.01,)}

TABLE = (
    "create table public.rows (id int primary key);alter publication supabase_realtime add table public.rows"
)
STREAM = "select count(*) from pg_stat_replication where state <> 'startup' and application_name = %s"


def count(sql: psycopg.Connection[Any], query: str, *parameters: object) -> int:
    row = sql.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return int(row[0])


def send(sql: psycopg.Connection[Any], number: int) -> None:
    sql.execute("select realtime.send(jsonb_build_object('n', %s::int), 'e', 'room', false)", [number])


def test_a_stopped_server_loses_broadcasts_of_the_database_and_no_change() -> None:
    with (
        ephemeral(seed=False, realtime=SETTINGS) as project,
        psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as sql,
    ):
        sql.execute(TABLE)
        asyncio.run(scenario(project, sql))


async def scenario(project: dict[str, str], sql: psycopg.Connection[Any]) -> None:
    url = urlsplit(project["SUPABASE_URL"])
    path = f"ws://{url.netloc}/realtime/v1/websocket?apikey={project['SUPABASE_ANON_KEY']}&vsn=1.0.0"
    async with (
        connect(path, ping_interval=None, proxy=None) as one,
        connect(path, ping_interval=None, proxy=None) as two,
    ):
        changes, broadcasts = Client(one), Client(two)
        await changes.subscribe("realtime:c", {"event": "*", "schema": "public", "table": "rows"})
        await broadcasts.enter("realtime:room")
        send(sql, 0)
        assert (await broadcasts.expect("broadcast"))["payload"]["n"] == 0

        server = listener_of(url.port or 0)
        os.kill(server, signal.SIGSTOP)
        try:
            send(sql, 1)
            sql.execute("insert into public.rows select generate_series(1, 10)")
            ref = await changes.push("phoenix", "heartbeat", {})
            # PostgreSQL ends a stream that gives no sign of life, but not the one of changes.
            ended = "prt_realtime_broadcasts"
            await asyncio.to_thread(wait_until, lambda: count(sql, STREAM, ended) == 0, "the stream's end")
            assert count(sql, STREAM, "prt_realtime_stream") == 1
            send(sql, 2)
        finally:
            os.kill(server, signal.SIGCONT)

        came = [await changes.receive_json() for _ in range(11)]
        assert [frame["ref"] for frame in came if frame["event"] == "phx_reply"] == [ref]
        rows = [frame["payload"]["data"]["record"]["id"] for frame in came if "data" in frame["payload"]]
        assert rows == list(range(1, 11))
        await asyncio.to_thread(wait_until, lambda: count(sql, STREAM, ended) == 1, "another stream")
        send(sql, 3)
        assert (await broadcasts.expect("broadcast"))["payload"]["n"] == 3
