"""The fan-out of changes: from batches of the replication stream to frames in the subscribers' outboxes."""

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

# A message of fewer bytes can't become more than 1 MiB of JSON, even if every byte is escaped.
CERTAINLY_SMALL = forms.LARGEST_RECORD // 8


class Known(Struct):
    """A table of the replication stream, with its columns and its current audience.

    `audience` was assembled for the `revision` of the subscriptions, and is assembled again when they change.
    """

    relation: Relation
    audiences: Audiences | None = None
    audience: Audience | None = None
    revision: int = -1


class FanOut:
    """A distributor of changes: it sends those that can be sent at once, and puts the others into lanes.

    Args:
        session: The database session for the catalog and row security.
        subscriptions: All subscriptions.
        delivery: Sends the changes that need no lane.
        lanes: Hold the changes whose filters PostgreSQL evaluates.
        settle: Awaited after each batch, so that the sockets can catch up.
        is_polled: Whether batches are polls. Then rows may be deleted before the poll, and a filter can make
            a whole poll fail (see `is_spoiled`).
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
        """Forget all tables and waiting changes, because a new stream describes its tables again."""
        self._known.clear()
        self._lanes.clear()

    async def deliver(self, messages: list[bytes]) -> None:
        """Send the changes of a batch, or put them into lanes if PostgreSQL has to evaluate their filters."""
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
        # Reading doesn't wait while more data is there. Without this, no other task could send.
        await asyncio.sleep(0)
        await self._settle()

    def drop(self, messages: list[bytes]) -> None:
        """Drop the changes of a batch, but keep its descriptions of tables, which later batches need."""
        for data in messages:
            if not pgoutput.is_change(data):
                self._process(pgoutput.decode(data))

    def _parted(self, events: list[Pending]) -> tuple[list[Hit], dict[Subscription, Waiting]]:
        """Return the hits that can be sent at once, and the changes for lanes by subscription.

        Changes of a subscription that follow a waiting one have to wait too, so that they stay in order.
        """
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
        """Return the changes for which there are listeners."""
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
                self._process(message)
        return events

    def _process(self, message: pgoutput.Message | None) -> None:
        if isinstance(message, Begin):
            self._transaction = message.transaction
            self._committed = forms.timestamp(message.committed)
        elif isinstance(message, Relation):
            self._known[message.oid] = Known(message)

    def _event(self, change: Change, listeners: list[Listener], table: Table, data: bytes) -> Pending:
        row = change.new
        if row is None:
            # A deleted row has only its replica identity. Other columns are missing rather than null.
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
        """Assemble the audience of a table.

        The revision is read first, so that a subscription that is added meanwhile is found with the next
        change.
        """
        revision = self._subscriptions.revision
        subscriptions = [each for each in self._subscriptions if each.includes(known.relation.oid)]
        known.audience = None
        if subscriptions:
            with suppress(TableGoneError):  # the rights on a dropped table can't be looked up
                if known.audiences is None:
                    await self._session.run(partial(snapshots.wait_for, transaction=self._transaction))
                    table = await self._session.run(partial(catalog.describe, relation=known.relation))
                    known.audiences = Audiences(table, is_polled=self._is_polled)
                known.audience = await self._session.run(
                    partial(known.audiences.assemble, subscriptions=subscriptions)
                )
        known.revision = revision
