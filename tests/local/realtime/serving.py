"""A Realtime server for a test, and a client that sends only what the test asks for."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from prt.local.realtime import Realtime, Settings
from prt.local.serving.keys import Keys, generate
from prt.local.serving.server import application, serving
from tests.running import PATIENCE

MARKERS = itertools.count(1)


class Client:
    """Frames as they come, text or bytes; `close_code` once it is closed."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self._refs = itertools.count(1)

    async def send(self, frame: str | bytes) -> None:
        await self.websocket.send(frame)

    async def receive(self) -> str | bytes:
        return await asyncio.wait_for(self.websocket.recv(), PATIENCE)

    async def receive_json(self) -> Any:
        return json.loads(await self.receive())

    async def closed(self) -> int:
        """Read to the end and return the close code."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        assert self.websocket.close_code is not None
        return self.websocket.close_code

    async def push(self, topic: str, event: str, payload: Any, join_ref: str | None = None) -> str:
        """A frame of version 1; its ref."""
        ref = str(next(self._refs))
        frame = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
        await self.send(json.dumps(frame))
        return ref

    async def join(self, topic: str, *bindings: dict[str, Any], token: str | None = None) -> str:
        """Joined; its ref. Fails unless the answer is ok."""
        config = {"config": {"postgres_changes": list(bindings)}, "access_token": token}
        ref = await self.push(topic, "phx_join", config, join_ref="1")
        reply = await self.receive_json()
        assert (reply["event"], reply["payload"]["status"]) == ("phx_reply", "ok"), reply
        return ref

    async def enter(self, topic: str, *, token: str | None = None, **config: Any) -> Any:
        """Asks to join with that config; the payload of the answer."""
        await self.push(topic, "phx_join", {"config": config, "access_token": token}, join_ref="1")
        return (await self.receive_json())["payload"]

    async def expect(self, event: str) -> Any:
        """The payload of the next frame, which must be such an event."""
        frame = await self.receive_json()
        assert frame["event"] == event, frame
        return frame["payload"]

    async def expect_nothing_more(self) -> None:
        """What was on its way has come before a heartbeat's answer."""
        ref = await self.push("phoenix", "heartbeat", {})
        frame = await self.receive_json()
        assert (frame["topic"], frame["ref"]) == ("phoenix", ref), frame

    async def subscribe(self, topic: str, *bindings: dict[str, Any], token: str | None = None) -> None:
        """Join, and wait for the message that changes flow."""
        await self.join(topic, *bindings, token=token)
        frame = await self.receive_json()
        assert frame["payload"]["message"] == "Subscribed to PostgreSQL", frame

    async def changes(self, count: int) -> list[dict[str, Any]]:
        """The `data` of the next frames, which must be changes."""
        found = [await self.receive_json() for _ in range(count)]
        assert {frame["event"] for frame in found} == {"postgres_changes"}, found
        return [frame["payload"]["data"] for frame in found]


@dataclass
class Backend:
    """Where the servers of a test connect to, with which keys. `conninfo` is the superuser's."""

    conninfo: str
    sql: psycopg.Connection[Any]
    keys: Keys = field(default_factory=generate)

    @property
    def own_conninfo(self) -> str:
        """As whom Realtime signs in."""
        return make_conninfo(self.conninfo, user="supabase_realtime_admin")

    @asynccontextmanager
    async def serving(self, settings: Settings | None = None) -> AsyncIterator[Running]:
        realtime = Realtime(self.own_conninfo, self.keys, settings=settings)
        await realtime.start()
        try:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                async with serving(application(realtime.routes()), listener):
                    yield Running(self, realtime, listener.getsockname()[1])
        finally:
            await realtime.stop()

    def user(self, number: int, **claims: Any) -> str:
        """A session of one of the two users of the transcripts' policies."""
        subject = "-".join(str(number) * size for size in (8, 4, 4, 4, 12))
        return self.keys.sign({"sub": subject, "role": "authenticated", **claims})


@dataclass
class Running:
    backend: Backend
    realtime: Realtime
    port: int

    def url(self, key: str | None = None, vsn: str = "1.0.0") -> str:
        return (
            f"ws://127.0.0.1:{self.port}/realtime/v1/websocket"
            f"?apikey={key or self.backend.keys.anon}&vsn={vsn}"
        )

    @asynccontextmanager
    async def client(
        self, key: str | None = None, vsn: str = "1.0.0", url: str | None = None
    ) -> AsyncIterator[Client]:
        async with connect(
            url or self.url(key, vsn), max_size=None, ping_interval=None, compression=None, proxy=None
        ) as websocket:
            yield Client(websocket)

    async def streaming(self, name: str = "prt_realtime_stream") -> None:
        """A slot exists again after its backend was ended and waited for."""
        query = (
            "select pg_sleep(0.01), count(*) from pg_stat_replication"
            " where application_name = %s and state <> 'startup'"
        )
        async with asyncio.timeout(PATIENCE):
            while True:
                row = (await asyncio.to_thread(self.backend.sql.execute, query, [name])).fetchone()
                if row and row[1]:
                    return

    async def delivered(self) -> None:
        """Everything committed before this call has been handed to its sockets, or to nobody."""
        marker = next(MARKERS)
        async with self.client(self.backend.keys.service_role) as client:
            await client.subscribe("realtime:marker", {"event": "*", "schema": "public", "table": "marker"})
            await asyncio.to_thread(self.backend.sql.execute, "insert into marker values (%s)", [marker])
            while (await client.receive_json())["payload"]["data"]["record"]["id"] != marker:
                pass
        await self.realtime.lanes.emptied()
