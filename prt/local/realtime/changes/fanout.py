"""The fan-out: from batches of the stream to frames in the outboxes of those who may see them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from msgspec import Struct

from prt.local.postgres.session import Session
from prt.local.realtime.changes import forms
from prt.local.realtime.changes.audience import Audience, Audiences, Listener
from prt.local.realtime.changes.decoding import catalog
from prt.local.realtime.changes.decoding.catalog import Table, TableGoneError
from prt.local.realtime.changes.delivery import Delivery, Hit, Pending
from prt.local.realtime.changes.lanes import Lanes, Waiting
from prt.local.realtime.changes.polling import is_spoiled
from prt.local.realtime.changes.subscriptions import Subscription, Subscriptions
from prt.postgres import pgoutput, snapshots
from prt.postgres.pgoutput import UNCHANGED, Begin, Change, Relation

logger = logging.getLogger(__name__)

# Below this a message can't make a change of more than 1 MiB, even with every byte escaped.
CERTAINLY_SMALL = forms.LARGEST_RECORD // 8


class Known(Struct):
    """A table of the replication stream, with its columns and its present audience.

    `audience` was assembled from the subscriptions of `revision`, and anew when they have changed.
    """

    relation: Relation
    audiences: Audiences | None = None
    audience: Audience | None = None
    revision: int = -1


class FanOut:
    """Parts changes: those that can be sent at once, and those that wait in lanes for their filters.

    Args:
        session: Asks the catalog and row security.
        subscriptions: Who listens.
        delivery: Sends what needs no lane.
        lanes: Take what has to wait.
        settle: Awaited after each batch: it lets the sockets catch up.
        is_polled: Whether batches are polls, in which rows may be gone and one filter can spoil all.
    """

    def __init__(
        self,
        *,
        session: Session,
        subscriptions: Subscriptions,
        delivery: Delivery,
        lanes: Lanes,
        settle: Callable[[], Awaitable[None]],
        is_polled: bool = False,
    ) -> None:
        self._session = session
        self._subscriptions = subscriptions
        self._delivery = delivery
        self._lanes = lanes
        self._settle = settle
        self._is_polled = is_polled
        self._known: dict[int, Known] = {}
        self._transaction = 0
        self._committed = ""

    def reset(self) -> None:
        """A new stream tells its relations anew."""
        self._known.clear()
        self._lanes.clear()

    async def deliver(self, messages: list[bytes]) -> None:
        """Send the changes that nobody has to be asked about; the others go into lanes, and wait there."""
        events = await self._events(messages)
        if not events:
            return
        if self._is_polled and is_spoiled(events):
            logger.warning("changes were lost: a filter on an array, a composite or hstore spoils the poll")
            return
        hits, laned = self._parted(events)
        await self._delivery.send(hits, self._session.run)
        for subscription, waiting in laned.items():
            self._lanes.put(subscription, waiting)
        # Reading never blocks while there is more to read: without this no sender would get a turn.
        await asyncio.sleep(0)
        await self._settle()

    def drop(self, messages: list[bytes]) -> None:
        """Send nothing of a batch, but remember the relations that later ones refer to."""
        for data in messages:
            if not pgoutput.is_change(data):
                self._take(pgoutput.decode(data))

    def _parted(self, events: list[Pending]) -> tuple[list[Hit], dict[Subscription, Waiting]]:
        """Once a change of a subscription has to wait, those behind it have to wait with it."""
        hits: list[Hit] = []
        laned: dict[Subscription, Waiting] = {}
        for event in events:
            for listener in event.listeners:
                subscription = listener.subscription
                if listener.is_undecided() or subscription in laned or subscription in self._lanes:
                    laned.setdefault(subscription, []).append((event, listener))
                elif ids := listener.matching(event.row):
                    hits.append(Hit(event, listener, ids))
        return hits, laned

    async def _events(self, messages: list[bytes]) -> list[Pending]:
        """Return the changes that somebody hears."""
        events: list[Pending] = []
        for data in messages:
            message = pgoutput.decode(data)
            if isinstance(message, Change):
                known = self._known[message.relation]
                if known.revision != self._subscriptions.revision:
                    await self._assemble(known)
                if known.audiences and known.audience:
                    listeners = known.audience.listeners[message.event]
                    if listeners:
                        events.append(self._event(message, listeners, known.audiences.table, data))
            else:
                self._take(message)
        return events

    def _take(self, message: pgoutput.Message | None) -> None:
        if isinstance(message, Begin):
            self._transaction = message.transaction
            self._committed = forms.timestamp(message.committed)
        elif isinstance(message, Relation):
            self._known[message.oid] = Known(message)

    def _event(self, change: Change, listeners: list[Listener], table: Table, data: bytes) -> Pending:
        row = change.new
        if row is None:
            # Of a deleted row only the replica identity is known, the rest is absent rather than null.
            row = [
                value if column.is_identity else UNCHANGED
                for value, column in zip(change.old or [], table.columns, strict=True)
            ]
        is_too_large = isinstance(data, pgoutput.Shortened) or (
            len(data) > CERTAINLY_SMALL and forms.is_too_large(table, change)
        )
        return Pending(
            change=change,
            table=table,
            transaction=self._transaction,
            committed=self._committed,
            row=row,
            size=len(data),
            is_too_large=is_too_large,
            listeners=listeners,
            encoded={},
        )

    async def _assemble(self, known: Known) -> None:
        """The revision is taken first: who comes while we ask the catalog is found with the next change."""
        revision = self._subscriptions.revision
        subscriptions = [each for each in self._subscriptions if each.hears_of(known.relation.oid)]
        known.audience = None
        if subscriptions:
            with suppress(TableGoneError):  # what its rows were allowed to show can't be asked any more
                if known.audiences is None:
                    await self._session.run(partial(snapshots.wait_for, transaction=self._transaction))
                    table = await self._session.run(partial(catalog.describe, relation=known.relation))
                    known.audiences = Audiences(table, is_polled=self._is_polled)
                known.audience = await self._session.run(
                    partial(known.audiences.assemble, subscriptions=subscriptions)
                )
        known.revision = revision
