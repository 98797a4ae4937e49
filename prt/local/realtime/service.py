"""Supabase Realtime for one embedded project.

starlette routes; see `prt.local.serving.server` for who serves. psycopg only for the errors of `session.py`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

import psycopg
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from prt.errors import UnreachableError
from prt.local.postgres.session import Session, Sessions
from prt.local.realtime.changes.decoding.replication import Stream
from prt.local.realtime.changes.delivery import Delivery
from prt.local.realtime.changes.fanout import FanOut
from prt.local.realtime.changes.lanes import Lanes
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.channels import api
from prt.local.realtime.channels.connection import RESTARTING, handle
from prt.local.realtime.channels.hub import Hub
from prt.local.realtime.channels.messages import Messages, prune
from prt.local.realtime.channels.presence import Presences
from prt.local.realtime.channels.topics import Topics
from prt.local.realtime.settings import Settings
from prt.local.serving.keys import Keys

CONNECTIONS = 4
"""For the filters of all clients, and as many for their joins."""

PATH = "/realtime/v1/websocket"


class Realtime:
    """`conninfo` is a superuser's. Between `start` and `stop` the routes answer."""

    def __init__(self, conninfo: str, keys: Keys, *, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        session = partial(Session, conninfo, statement_seconds=settings.statement_seconds)
        self._changes = session("prt_realtime_changes")
        self._laned = session("prt_realtime_lanes")
        self._filters = Sessions(
            partial(Session, conninfo, "prt_realtime_filters", statement_seconds=settings.filter_seconds),
            CONNECTIONS,
        )
        topics, subscriptions = Topics(), Subscriptions()
        messages = Messages(topics, settings.largest_broadcast)
        delivery = Delivery(subscriptions)
        self.lanes = Lanes(
            subscriptions,
            self._filters,
            self._laned,
            delivery,
            self._settle,
            budget_seconds=settings.filter_seconds,
        )
        fanout = FanOut(
            session=self._changes,
            subscriptions=subscriptions,
            delivery=delivery,
            lanes=self.lanes,
            settle=self._settle,
            broadcast=messages.deliver,
        )

        def on_start() -> None:
            """Whoever was subscribed when the stream broke lost changes, and is told so."""
            fanout.reset()
            for subscription in subscriptions:
                subscription.resubscribed()

        self._hub = Hub(
            keys=keys,
            settings=settings,
            stream=Stream(conninfo, fanout.deliver, on_start),
            admissions=Sessions(partial(session, "prt_realtime_subscriptions"), CONNECTIONS),
            policies=session("prt_realtime_policies"),
            subscriptions=subscriptions,
            topics=topics,
            presences=Presences(topics),
            messages=messages,
        )
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns once changes are followed. Raises UnreachableError where that takes too long."""
        stream = self._hub.stream
        self._running = [asyncio.create_task(work) for work in (stream.run(), self._prune())]
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
        for task in self._running:
            task.cancel()
        for task in self._running:
            with suppress(asyncio.CancelledError):
                await task
        await self.lanes.close()
        hub = self._hub
        for sessions in (hub.admissions, hub.policies, self._changes, self._laned, self._filters):
            await sessions.close()

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute(PATH, self._websocket),
            Route(PATH, _no_upgrade, methods=["GET"]),
            *api.routes(self._hub),
        ]

    async def _websocket(self, websocket: WebSocket) -> None:
        await handle(websocket, self._hub)

    async def _prune(self) -> None:
        while True:
            with suppress(psycopg.Error, OSError):  # a reset may have the table in its hands
                await self._hub.policies.run(prune)
            await asyncio.sleep(self._hub.settings.prune_seconds)

    async def _settle(self) -> None:
        crowded = [each.outbox for each in self._hub.connections if each.outbox.is_worth_waiting_for]
        if crowded:
            await asyncio.gather(*(outbox.settle() for outbox in crowded))


async def _no_upgrade(_: Request) -> Response:
    return PlainTextResponse("'connection' header must contain 'upgrade', got []", 400)
