"""A Realtime server of one busy topic: `python -m tests.benchmarks.moving`.

One line of JSON on stdout for each thing that happens, `{"port": …}` first; on stdin `KIND RATE SECONDS`
asks for presence diffs (`diffs`) or cursor moves (`moves`) to the client that joined, so many a second.
Each contains when it was sent (`sent`, seconds since the epoch).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from tests.benchmarks.flood import say
from tests.fakes import Peer

TICK_SECONDS = 0.005
PEOPLE = 500


def meta(person: int, number: int) -> dict[str, Any]:
    """What the seed's page tracks, with the time of sending."""
    return {
        "phx_ref": f"F{person}-{number}",
        "user_id": f"00000000-0000-4000-8000-{person:012d}",
        "online_at": "2026-11-22T16:48:55.000Z",
        "location": f"/productions/{number % 40}",
        "sent": time.time(),
    }


class People:
    """Who is there; each move is one of them going somewhere else."""

    def __init__(self) -> None:
        self.metas = {person: meta(person, 0) for person in range(PEOPLE)}
        self._number = 0

    def state(self) -> dict[str, Any]:
        return {f"user {person}": {"metas": [one]} for person, one in self.metas.items()}

    def diff(self) -> tuple[str, Any]:
        self._number += 1
        person = self._number * 7 % PEOPLE
        former, self.metas[person] = self.metas[person], meta(person, self._number)
        joined = {**self.metas[person], "phx_ref_prev": former["phx_ref"]}
        key = f"user {person}"
        return "presence_diff", {
            "joins": {key: {"metas": [joined]}},
            "leaves": {key: {"metas": [former]}},
        }

    def move(self) -> tuple[str, Any]:
        self._number += 1
        position = {"x": self._number % 1920, "y": self._number % 1080}
        user = f"00000000-0000-4000-8000-{self._number % 20:012d}"
        payload = {"userId": user, "position": position, "sent": time.time()}
        return "broadcast", {"type": "broadcast", "event": "cursor-move", "payload": payload}


async def send(
    peer: Peer, topic: str, make: Callable[[], tuple[str, Any]], rate: int, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), 0
    say(started=time.time())
    while sent < rate * seconds:
        due = min(round((loop.time() - started) * rate), round(rate * seconds))
        frames = []
        for _ in range(sent, due):
            event, payload = make()
            text = (
                [None, None, topic, event, payload]
                if peer.is_v2
                else {"ref": None, "topic": topic, "event": event, "payload": payload}
            )
            data = json.dumps(text, separators=(",", ":")).encode()
            frames.append(Frame(Opcode.TEXT, data).serialize(mask=False))
        peer.connection.transport.write(b"".join(frames))
        await peer.connection.drain()
        sent = due
        await asyncio.sleep(TICK_SECONDS)
    say(sent=sent)


async def serve_topic() -> None:
    orders: asyncio.Queue[list[str]] = asyncio.Queue()

    async def talk(connection: ServerConnection) -> None:
        peer, people = Peer(connection), People()
        join = await peer.accept_join()
        if join[4]["config"]["presence"]["enabled"]:
            await peer.send(join[0], None, join[2], "presence_state", people.state())
        say(joined=peer.path.partition("vsn=")[2][:5])

        async def obey() -> None:
            kind, rate, seconds = await orders.get()
            make = people.diff if kind == "diffs" else people.move
            await send(peer, join[2], make, int(rate), float(seconds))

        obeying = asyncio.create_task(obey())
        try:
            with suppress(ConnectionClosed):
                await peer.until_closed()
        finally:
            obeying.cancel()

    def no_rest(connection: ServerConnection, request: Request) -> Response | None:
        return None if "Upgrade" in request.headers else connection.respond(HTTPStatus.NOT_FOUND, "")

    async with serve(talk, "127.0.0.1", 0, process_request=no_rest, compression=None) as server:
        say(port=server.sockets[0].getsockname()[1])
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            orders.put_nowait(line.decode().split())


if __name__ == "__main__":
    asyncio.run(serve_topic())
