"""A Realtime server that sends row changes as fast as it can: `python -m tests.benchmarks.flood`.

Speaks vsn 1.0.0 and 2.0.0. One line of JSON on stdout for each thing that happens, `{"port": …}` first;
on stdin `N` asks for N new rows for the client that joined, `N UPDATE` for as many changes of a hundred rows.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from tests.fakes import Peer

CHUNK = 500
ROWS = 100
"""Rows that are updated again and again."""
RECORD = {
    "id": "00000000-0000-4000-8000-000000000000",
    "title": "Hang the truss",
    "status": "in_progress",
    "done": False,
    "priority": 2,
    "production_id": "11111111-1111-4111-8111-111111111111",
    "inserted_at": "2026-11-22T16:48:54.719258+00:00",
}
TYPES = {
    "id": "uuid",
    "done": "bool",
    "priority": "int4",
    "production_id": "uuid",
    "inserted_at": "timestamptz",
}


def change(number: int, event: str = "INSERT") -> dict[str, Any]:
    """A change as the real server words it, some 640 bytes with its envelope.

    At this speed a hundred changes share the millisecond of their commit.
    """
    key = {"id": f"00000000-0000-4000-8000-{number if event == 'INSERT' else number % ROWS:012d}"}
    former = {} if event == "INSERT" else {"old_record": key}
    return {
        "data": {
            "table": "project_tasks",
            "type": event,
            "record": {**RECORD, **key},
            **former,
            "columns": [{"name": name, "type": TYPES.get(name, "text")} for name in RECORD],
            "errors": None,
            "schema": "public",
            "commit_timestamp": f"2026-11-22T16:48:55.{number // 100:03d}Z",
        },
        "ids": [1],
    }


def frames(topic: str, event: str = "INSERT", *, is_v2: bool) -> list[bytes]:
    """A chunk of changes as they stand on the wire: a server's frames carry no mask, so they can be kept."""
    made = []
    for number in range(CHUNK):
        payload = change(number, event)
        text = (
            [None, None, topic, "postgres_changes", payload]
            if is_v2
            else {"ref": None, "topic": topic, "event": "postgres_changes", "payload": payload}
        )
        data = json.dumps(text, separators=(",", ":")).encode()
        made.append(Frame(Opcode.TEXT, data).serialize(mask=False))
    return made


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


async def flood(connection: ServerConnection, chunk: list[bytes], count: int) -> None:
    """Raw bytes to the transport: the server must not be what is measured."""
    whole, rest = b"".join(chunk), b"".join(chunk[: count % CHUNK])
    say(started=time.time(), bytes=len(whole) // CHUNK)
    for data in [whole] * (count // CHUNK) + [rest]:
        connection.transport.write(data)
        await connection.drain()
    say(sent=time.time())


async def serve_flood() -> None:
    orders: asyncio.Queue[str] = asyncio.Queue()

    async def talk(connection: ServerConnection) -> None:
        peer = Peer(connection)
        join = await peer.accept()
        chunks = {event: frames(join[2], event, is_v2=peer.is_v2) for event in ("INSERT", "UPDATE")}
        say(joined=peer.path.partition("vsn=")[2][:5])

        async def obey() -> None:
            while True:
                count, _, event = (await orders.get()).partition(" ")
                await flood(connection, chunks[event or "INSERT"], int(count))

        obeying = asyncio.create_task(obey())
        try:
            # A client that has its count goes without a word.
            with suppress(ConnectionClosed):
                await peer.until_closed()
        finally:
            obeying.cancel()

    def no_rest(connection: ServerConnection, request: Request) -> Response | None:
        """Clients ask REST where a table stands; there is no REST here."""
        return None if "Upgrade" in request.headers else connection.respond(HTTPStatus.NOT_FOUND, "")

    options = {"process_request": no_rest, "compression": None, "max_size": None}
    async with serve(talk, "127.0.0.1", 0, **options) as server:
        say(port=server.sockets[0].getsockname()[1])
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            orders.put_nowait(line.decode().strip())


if __name__ == "__main__":
    asyncio.run(serve_flood())
