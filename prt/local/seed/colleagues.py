"""The simulated colleagues of the demo traffic, who connect to a project as clients of its Realtime.

`websockets` provides the connections; the frames of the protocol are built here. Each colleague has a
connection for presence, as a browser has. The cursor moves of all colleagues are sent over a single
connection, because every client that joins the document receives the moves of all others.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from prt.local.seed.story.colleagues import (
    COLLEAGUES,
    CURSOR,
    DOCUMENT,
    PRESENCE,
    Act,
    At,
    Colleague,
    Leave,
    Point,
    acts,
)

HEARTBEAT_SECONDS = 25.0
RETRY_SECONDS = 2.0
CLOSE_SECONDS = 1.0
SLOWEST, FASTEST = 5.0, 60.0
"""The bounds for the moves of a cursor per second, whatever the rate of the traffic."""
MOVES_PER_CHANGE = 3.0
MOVES_KEPT = 200
DEBT_SECONDS = 1.0
"""How far behind its schedule a colleague may be and still catch up."""
ANSWER_SECONDS = 30.0

GONE = (OSError, TimeoutError, WebSocketException)


async def run(url: str, key: str, *, rate: float = 2.0, seed: int | None = None) -> None:
    """Simulate the colleagues until cancelled; a lost connection is opened again.

    Args:
        url: The URL of the project.
        key: The API key with which the colleagues connect.
        rate: The traffic's row changes per second, to which the speed of the cursors is adapted.
        seed: The seed of the random generators; None for a different course each time.
    """
    moves_per_second = min(max(rate * MOVES_PER_CHANGE, SLOWEST), FASTEST)
    address = f"{url.replace('http', 'ws', 1)}/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
    cursors = Cursors(address)
    async with asyncio.TaskGroup() as group:
        group.create_task(cursors.run())
        for number, colleague in enumerate(COLLEAGUES):
            random = Random() if seed is None else Random(seed * len(COLLEAGUES) + number)  # noqa: S311
            group.create_task(_live(colleague, address, acts(random, moves_per_second), cursors))


async def _live(colleague: Colleague, address: str, day: Iterator[Act], cursors: Cursors) -> None:
    for act in day:
        await asyncio.sleep(act.after)
        if not isinstance(act, At):
            continue
        try:
            async with _joined(address, PRESENCE, colleague.id) as line:
                await line.track(colleague, act.location)
                await _work(colleague, line, day, cursors)
        except GONE:
            await asyncio.sleep(RETRY_SECONDS)


async def _work(colleague: Colleague, line: Line, day: Iterator[Act], cursors: Cursors) -> None:
    """Play one colleague's acts until the colleague leaves or the connection is lost.

    After a lost connection, the acts continue at the next page.
    """
    now = asyncio.get_running_loop().time
    due = now()
    for act in day:
        due = max(due + act.after, now() - DEBT_SECONDS)
        await asyncio.sleep(due - now())
        match act:
            case At():
                await line.track(colleague, act.location)
            case Point():
                cursors.move(colleague, act)
            case Leave():
                return


class Cursors:
    """The cursor moves of all colleagues. While there is no connection, moves are lost, as in a browser."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._moves: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOVES_KEPT)

    def move(self, colleague: Colleague, point: Point) -> None:
        """Queue a move of a colleague's cursor. Drop the move if the queue is full."""
        if not self._moves.full():
            position = {"x": point.x, "y": point.y}
            self._moves.put_nowait({"userId": colleague.id, "name": colleague.name, "position": position})

    async def run(self) -> None:
        """Send the queued moves, over a new connection whenever one is lost."""
        while True:
            try:
                async with _joined(self._address, DOCUMENT, "colleagues") as line:
                    while True:
                        await line.broadcast(CURSOR, await self._moves.get())
            except GONE:
                await asyncio.sleep(RETRY_SECONDS)


class Line:
    """A connection that joins one topic."""

    def __init__(self, connection: ClientConnection, topic: str) -> None:
        self._connection = connection
        self._topic = f"realtime:{topic}"
        self._refs = itertools.count(1)
        self._online_at = datetime.now(UTC).isoformat(timespec="milliseconds")

    async def join(self, key: str) -> None:
        """Join the topic with a presence key, and wait for the answer.

        Raises:
            ConnectionError: The connection was closed before the answer.
            TimeoutError: There was no answer within `ANSWER_SECONDS`.
        """
        config = {
            "broadcast": {"self": False, "ack": False},
            "presence": {"key": key, "enabled": True},
            "postgres_changes": [],
            "private": False,
        }
        ref = await self._send("phx_join", {"config": config})
        async with asyncio.timeout(ANSWER_SECONDS):
            async for message in self._connection:
                frame = json.loads(message)
                if frame["event"] == "phx_reply" and frame["ref"] == ref:
                    return
        raise ConnectionError("closed before the join was answered")

    async def track(self, colleague: Colleague, location: str) -> None:
        """Track a colleague's presence as the seed's page does, with a name that people can read."""
        meta = {"user_id": colleague.id, "name": colleague.name, "online_at": self._online_at}
        meta["location"] = location
        await self._send("presence", {"type": "presence", "event": "track", "payload": meta})

    async def broadcast(self, event: str, payload: dict[str, Any]) -> None:
        """Send a broadcast to the topic."""
        await self._send("broadcast", {"type": "broadcast", "event": event, "payload": payload})

    async def keep(self) -> None:
        """Send heartbeats, and read and drop all frames, until the connection is closed."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_on())
            while not reading.done():
                await asyncio.wait([reading], timeout=HEARTBEAT_SECONDS)
                if not reading.done():
                    await self._send("heartbeat", {}, topic="phoenix")

    async def _read_on(self) -> None:
        async for _ in self._connection:
            pass

    async def _send(self, event: str, payload: dict[str, Any], topic: str | None = None) -> str:
        ref = str(next(self._refs))
        frame = {
            "topic": topic or self._topic,
            "event": event,
            "payload": payload,
            "ref": ref,
            "join_ref": "1",
        }
        await self._connection.send(json.dumps(frame))
        return ref


@asynccontextmanager
async def _joined(address: str, topic: str, key: str) -> AsyncIterator[Line]:
    """Open a connection that has joined a topic while the block runs. Raise one of GONE if that fails."""
    async with connect(
        address, compression=None, close_timeout=CLOSE_SECONDS, ping_interval=None, proxy=None
    ) as connection:
        line = Line(connection, topic)
        await line.join(key)
        keeping = asyncio.create_task(line.keep())
        try:
            yield line
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
