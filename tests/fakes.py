"""A scripted Realtime server: a real socket that misbehaves on demand, which the real one can't be made to.

A script is `async def script(peer: Peer) -> None`; it reads what the client sends and answers as it likes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.running import PATIENCE

SUBSCRIBED = "Subscribed to PostgreSQL"


class Peer:
    """The server's end of one connection, speaking vsn 2.0.0 or 1.0.0 as the client asked."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.path = connection.request.path if connection.request else ""
        self.is_v2 = "vsn=2.0.0" in self.path

    async def receive(self) -> list[Any]:
        """The next frame that is no heartbeat, as [join_ref, ref, topic, event, payload]."""
        while True:
            data = await self.connection.recv()
            frame = pushed(data) if isinstance(data, bytes) else json.loads(data)
            if isinstance(frame, dict):
                frame = [frame.get(key) for key in ("join_ref", "ref", "topic", "event", "payload")]
            if frame[3] == "heartbeat":
                await self.send(None, frame[1], "phoenix", "phx_reply", {"status": "ok", "response": {}})
                continue
            return frame

    async def send(self, join_ref: Any, ref: Any, topic: str, event: str, payload: Any) -> None:
        if self.is_v2:
            await self.raw(json.dumps([join_ref, ref, topic, event, payload]))
        else:
            await self.raw(json.dumps({"ref": ref, "topic": topic, "event": event, "payload": payload}))

    async def raw(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def accept_join(self) -> list[Any]:
        """Awaits a `phx_join`, answers ok; returns the frame. Leaves that come before it are answered."""
        while True:
            frame = await self.receive()
            if frame[3] == "phx_leave":
                await self.reply(frame, {})
                await self.send(frame[0], frame[0], frame[2], "phx_close", {})
                continue
            assert frame[3] == "phx_join", frame
            bindings = frame[4]["config"]["postgres_changes"]
            ids = [{"id": n + 1, **binding} for n, binding in enumerate(bindings)]
            await self.reply(frame, {"postgres_changes": ids})
            return frame

    async def reply(self, frame: list[Any], response: Any, status: str = "ok") -> None:
        await self.send(frame[0], frame[1], frame[2], "phx_reply", {"status": status, "response": response})

    async def system(self, frame: list[Any], message: str, status: str = "ok") -> None:
        payload = {
            "message": message,
            "status": status,
            "extension": "postgres_changes",
            "channel": frame[2].removeprefix("realtime:"),
        }
        await self.send(frame[0], None, frame[2], "system", payload)

    async def accept(self) -> list[Any]:
        """A join, answered, and READY."""
        frame = await self.accept_join()
        await self.system(frame, SUBSCRIBED)
        return frame

    async def change(self, topic: str, **data: Any) -> None:
        await self.send(None, None, topic, "postgres_changes", {"data": change_data(**data), "ids": [1]})

    async def until_closed(self) -> None:
        """Reads on until the client is gone, answering heartbeats and leaves."""
        while True:
            frame = await self.receive()
            if frame[3] == "phx_leave":
                await self.reply(frame, {})


def pushed(data: bytes) -> list[Any]:
    """A client's binary broadcast in the form of the others; bytes that are no JSON stay bytes."""
    parts, at = [], 7
    for size in data[1:6]:
        parts.append(data[at : at + size].decode())
        at += size
    join_ref, ref, topic, event, _ = parts
    payload = json.loads(data[at:]) if data[6] else data[at:]
    return [join_ref, ref, topic, "broadcast", {"event": event, "payload": payload}]


def change_data(
    table: str = "todos",
    *,
    type: str = "INSERT",  # noqa: A002 - the wire's word
    record: Any = None,
    old_record: Any = None,
    commit_timestamp: str | None = "2026-11-22T16:48:47.650Z",
    errors: list[str] | None = None,
) -> dict[str, Any]:
    """The `data` of a change, in the shape of the real server."""
    data: dict[str, Any] = {"table": table, "type": type}
    if type != "DELETE":
        data["record"] = record if record is not None else {"id": 1, "task": "one"}
    data |= {"columns": [], "errors": errors, "schema": "public", "commit_timestamp": commit_timestamp}
    if type != "INSERT":
        data["old_record"] = old_record if old_record is not None else {"id": 1}
    return data


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def scripted_server(
    script: Script, *, refuse: tuple[int, str] | None = None, refuse_only: str = ""
) -> AsyncIterator[str]:
    """The project URL of a server that runs `script` for each connection.

    `refuse` answers a handshake with that status and body, where its path holds `refuse_only`.
    """

    def on_request(_: ServerConnection, request: Request) -> Response | None:
        if refuse is None or refuse_only not in request.path:
            return None
        status, body = refuse
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body.encode()))})
        return Response(status, HTTPStatus(status).phrase, headers, body.encode())

    async def serve_one(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(Peer(connection))

    server: Server = await serve(
        serve_one, "127.0.0.1", 0, process_request=on_request, max_size=2**24, compression=None
    )
    try:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        await asyncio.wait_for(server.wait_closed(), PATIENCE)
