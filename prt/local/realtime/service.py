"""The Realtime server of one embedded project, with its tasks, database sessions and routes.

The routes are starlette's (`prt.local.serving.server`). psycopg is imported only for the exceptions that
`session.py` raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psycopg
from psycopg.conninfo import make_conninfo
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from prt.errors import UnreachableError
from prt.local.postgres.session import Session, Sessions
from prt.local.realtime.changes.decoding.catalog import CHANGES_PUBLICATION, MESSAGES_PUBLICATION
from prt.local.realtime.changes.decoding.replication import Stream
from prt.local.realtime.changes.delivery import Delivery
from prt.local.realtime.changes.fanout import FanOut
from prt.local.realtime.changes.lanes import Lanes
from prt.local.realtime.changes.polling import Deliver, Intervals, Poller
from prt.local.realtime.changes.publication import Publication
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.channels import api
from prt.local.realtime.channels.connection import RESTARTING, handle
from prt.local.realtime.channels.hub import Hub
from prt.local.realtime.channels.message_stream import MessageStream
from prt.local.realtime.channels.messages import Messages, prune
from prt.local.realtime.channels.presence import Presences
from prt.local.realtime.channels.topics import Topics
from prt.local.realtime.rates import Rates
from prt.local.realtime.settings import Settings
from prt.local.serving.keys import Keys
from prt.local.serving.turns import Turns

CONNECTIONS = 4
"""The number of database connections for the filters of all clients, and of those for their joins."""

PATH = "/realtime/v1/websocket"
REPLICATOR = "supabase_replication_admin"
"""The role as which the streams log in. It is not that of the sessions, which run policies of the user."""


class Realtime:
    """A Realtime server, whose routes answer between `start` and `stop`.

    The role of `conninfo` owns realtime.messages, and may become the role of any token. `REPLICATOR` has the
    same password.
    `publication` is checked and `rates` are averaged at regular intervals; a caller that can't wait calls
    `publication.check` or `rates.tick`.
    """

    def __init__(
        self, conninfo: str, keys: Keys, *, settings: Settings | None = None, turns: Turns | None = None
    ) -> None:
        settings = settings or Settings()
        session = partial(Session, conninfo, statement_seconds=settings.statement_seconds)
        self._changes = session("prt_realtime_changes")
        self._laned = session("prt_realtime_lanes")
        self._filters = Sessions(
            partial(Session, conninfo, "prt_realtime_filters", statement_seconds=settings.filter_seconds),
            CONNECTIONS,
        )
        policies = session("prt_realtime_policies")
        turns = turns or Turns()
        topics, subscriptions = Topics(turns.charge_for_sending), Subscriptions()
        messages = Messages(topics, settings.largest_broadcast)
        self.rates = Rates(settings.limits, settings.rate_seconds)
        self.publication = Publication(policies, settings.publication_seconds)
        delivery = Delivery(subscriptions, self.rates.changes.add)
        self.lanes = Lanes(
            subscriptions,
            self._filters,
            self._laned,
            delivery,
            self._settle,
            budget_seconds=settings.filter_seconds,
        )
        self._fanout = FanOut(
            session=self._changes,
            subscriptions=subscriptions,
            delivery=delivery,
            lanes=self.lanes,
            settle=self._settle,
            is_polled=settings.poll_seconds is not None,
        )
        self._poller = _poller(settings, self._deliver, self._fanout.reset)
        stream, broadcasts = self._streams(conninfo, settings, messages)
        self._hub = Hub(
            keys=keys,
            turns=turns,
            settings=settings,
            rates=self.rates,
            stream=stream,
            broadcasts=broadcasts,
            publication=self.publication,
            admissions=Sessions(partial(session, "prt_realtime_subscriptions"), CONNECTIONS),
            policies=policies,
            subscriptions=subscriptions,
            topics=topics,
            presences=Presences(topics),
            messages=messages,
        )
        self._running: list[asyncio.Task[None]] = []

    def _streams(self, conninfo: str, settings: Settings, messages: Messages) -> tuple[Stream, Stream]:
        """Return the streams of table changes and of `realtime.messages`; each can fail without the other."""
        conninfo = make_conninfo(conninfo, user=REPLICATOR)
        changes = Stream(
            conninfo,
            "prt_realtime_stream",
            CHANGES_PUBLICATION,
            self._poller.put if self._poller else self._deliver,
            self._poller.clear if self._poller else self._fanout.reset,
            retry_seconds=settings.changes_retry_seconds,
        )
        broadcasts = Stream(
            conninfo,
            "prt_realtime_broadcasts",
            MESSAGES_PUBLICATION,
            MessageStream(messages, self._settle).deliver,
            retry_seconds=settings.broadcasts_retry_seconds,
            sender_seconds=settings.sender_seconds,
        )
        return changes, broadcasts

    async def start(self) -> None:
        """Start all tasks, and return when both streams are running.

        Raises:
            UnreachableError: A stream has not started within `settings.start_seconds`.
        """
        hub = self._hub
        work = [hub.stream.run(), hub.broadcasts.run(), self.publication.run(), self._prune(), self._count()]
        if self._poller:
            work.append(self._poller.run())
        self._running = [asyncio.create_task(each) for each in work]
        try:
            async with asyncio.timeout(hub.settings.start_seconds):
                for stream in (hub.stream, hub.broadcasts):
                    await stream.is_live.wait()
                await self.publication.check()
        except (TimeoutError, psycopg.Error, OSError) as error:
            await self.stop()
            trouble = hub.stream.trouble or hub.broadcasts.trouble or str(error)
            raise UnreachableError(
                f"can't follow PostgreSQL's changes: {trouble or 'a transaction stays open'}",
                "PostgreSQL needs wal_level=logical, and waits for open transactions that write",
            ) from None

    async def stop(self) -> None:
        """Close the WebSockets with 1012, and all connections to PostgreSQL, which would delay its end."""
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
        """Return the routes of Realtime."""
        return [
            WebSocketRoute(PATH, self._websocket),
            Route(PATH, _no_upgrade, methods=["GET"]),
            *api.routes(self._hub),
        ]

    async def _websocket(self, websocket: WebSocket) -> None:
        await handle(websocket, self._hub)

    async def _deliver(self, batch: list[bytes]) -> None:
        """Deliver a batch of changes; above the rate, drop all of it silently, as the real server does."""
        if self.rates.changes.is_exceeded:
            self._fanout.drop(batch)
        else:
            await self._fanout.deliver(batch)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(self._hub.settings.rate_seconds)
            self.rates.tick()

    async def _prune(self) -> None:
        while True:
            with suppress(psycopg.Error, OSError):  # a reset may have locked the table
                await self._hub.policies.run(prune)
            await asyncio.sleep(self._hub.settings.prune_seconds)

    async def _settle(self) -> None:
        crowded = [each.outbox for each in self._hub.connections if each.outbox.is_worth_waiting_for]
        if crowded:
            await asyncio.gather(*(outbox.settle() for outbox in crowded))


def _poller(settings: Settings, deliver: Deliver, reset: Callable[[], None]) -> Poller | None:
    if settings.poll_seconds is None:
        return None
    return Poller(deliver, reset, Intervals(settings.poll_seconds, settings.longest_poll_seconds))


async def _no_upgrade(_: Request) -> Response:
    return PlainTextResponse("'connection' header must contain 'upgrade', got []", 400)
