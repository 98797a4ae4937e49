"""Supabase Realtime's websocket for one embedded project.

starlette routes; see `prt.local.server` for who serves.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from prt.errors import UnreachableError
from prt.local.keys import Keys
from prt.local.realtime.broadcast import Topics
from prt.local.realtime.connection import RESTARTING, Connection, handle
from prt.local.realtime.fanout import FanOut
from prt.local.realtime.replication import Stream
from prt.local.realtime.session import Session
from prt.local.realtime.subscriptions import Subscriptions

PATH = "/realtime/v1/websocket"


class Settings(Struct, frozen=True, kw_only=True):
    """The server's limits. The real one answers refusals late: 5 s for a join, 2 s for a handshake."""

    idle_seconds: float = 66.0
    largest_frame: int = 5_000_000
    refused_join_seconds: float = 0.0
    refused_handshake_seconds: float = 0.0
    largest_broadcast: int = 3_000_000
    start_seconds: float = 30.0
    statement_seconds: float = 10.0
    """For a policy or a filter: longer, and the row counts as hidden."""


@dataclass(frozen=True)
class Hub:
    """What the sockets share."""

    keys: Keys
    settings: Settings
    stream: Stream
    admissions: Session
    subscriptions: Subscriptions
    topics: Topics = field(default_factory=Topics)
    connections: set[Connection] = field(default_factory=set)


class Realtime:
    """`conninfo` is a superuser's. Between `start` and `stop` the routes answer."""

    def __init__(self, conninfo: str, keys: Keys, *, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        session = partial(Session, conninfo, statement_seconds=settings.statement_seconds)
        self._changes = session("prt_realtime_changes")
        admissions = session("prt_realtime_subscriptions")
        subscriptions = Subscriptions()
        fanout = FanOut(self._changes, subscriptions, self._settle)
        stream = Stream(conninfo, fanout.deliver, fanout.reset)
        self._hub = Hub(keys, settings, stream, admissions, subscriptions)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once changes are followed. Raises UnreachableError where that takes too long."""
        stream = self._hub.stream
        self._running = asyncio.create_task(stream.run())
        try:
            await asyncio.wait_for(stream.is_live.wait(), self._hub.settings.start_seconds)
        except TimeoutError:
            await self.stop()
            raise UnreachableError(
                f"can't follow PostgreSQL's changes: {stream.trouble or 'a transaction stays open'}",
                "PostgreSQL needs wal_level=logical, and waits for open transactions that write",
            ) from None

    async def stop(self) -> None:
        """Sockets close with 1012; nothing stays connected to PostgreSQL, whose shutdown would wait."""
        for connection in list(self._hub.connections):
            connection.close(RESTARTING)
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._hub.admissions.close()
        await self._changes.close()

    def routes(self) -> list[BaseRoute]:
        return [WebSocketRoute(PATH, self._websocket), Route(PATH, _no_upgrade, methods=["GET"])]

    async def _websocket(self, websocket: WebSocket) -> None:
        await handle(websocket, self._hub)

    async def _settle(self) -> None:
        crowded = [each.outbox for each in self._hub.connections if each.outbox.is_worth_waiting_for]
        if crowded:
            await asyncio.gather(*(outbox.settle() for outbox in crowded))


async def _no_upgrade(_: Request) -> Response:
    return PlainTextResponse("'connection' header must contain 'upgrade', got []", 400)
