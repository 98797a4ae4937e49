"""A Realtime server that goes away and comes back: `python -m tests.benchmarks.outage`.

On stdin `SECONDS` breaks every connection and closes the port for that long. One line of JSON on stdout
for each thing that happens: `{"port": …}` first, `{"ready": KEY, "at": …}` when a client with that API
key was notified that changes flow, `{"back": …}` when the port is open again. Times are monotonic seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes import Peer


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


async def talk(connection: ServerConnection) -> None:
    peer = Peer(connection)
    (key,) = parse_qs(urlsplit(peer.path).query)["apikey"]
    with suppress(ConnectionClosed):
        await peer.accept()
        say(ready=key, at=time.monotonic())
        await peer.until_closed()


def only_websockets(connection: ServerConnection, request: Request) -> Response | None:
    """A client that asks REST for what it missed is refused at once."""
    if "/realtime/" in request.path:
        return None
    return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")


async def listen(port: int) -> Server:
    return await serve(talk, "127.0.0.1", port, compression=None, process_request=only_websockets)


async def main() -> None:
    server = await listen(0)
    port = next(iter(server.sockets)).getsockname()[1]
    say(port=port)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        server.close(close_connections=False)
        for connection in server.connections:
            connection.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(float(line))
        server = await listen(port)
        say(back=time.monotonic())
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
