"""From batches of the replication stream to frames in the outboxes of those who may see them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import psycopg
from msgspec import Struct

from prt.local.postgres.session import Session
from prt.local.realtime.changes import forms, snapshots
from prt.local.realtime.changes.audience import Audience, Audiences, Listener
from prt.local.realtime.changes.decoding import catalog, pgoutput
from prt.local.realtime.changes.decoding.catalog import Table, TableGoneError
from prt.local.realtime.changes.decoding.pgoutput import UNCHANGED, Begin, Change, Relation, Row
from prt.local.realtime.changes.forms import Form
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.changes.visibility import visible
from prt.local.realtime.channels.messages import SCHEMA, TABLE
from prt.local.realtime.protocol.tokens import Principal

# Below this a message can't make a change of more than 1 MiB, even with every byte escaped.
CERTAINLY_SMALL = forms.LARGEST_RECORD // 8


class Known(Struct):
    """A relation of the stream with what was found out about it. `audience` is of one `revision`."""

    relation: Relation
    is_messages: bool
    audiences: Audiences | None = None
    audience: Audience | None = None
    revision: int = -1


class Pending(Struct, gc=False):
    """A change on its way: `row` is the one that filters look at."""

    change: Change
    known: Known
    table: Table
    transaction: int
    committed: str
    row: Row
    is_too_large: bool
    hits: list[tuple[Listener, list[int]]]


class FanOut:
    """`settle` is awaited after each batch: it lets the sockets catch up.

    `broadcast` gets the rows that are inserted into realtime.messages, each with its transaction.
    """

    def __init__(
        self,
        session: Session,
        subscriptions: Subscriptions,
        settle: Callable[[], Awaitable[None]],
        broadcast: Callable[[Relation, Row, int], None],
    ) -> None:
        self._session = session
        self._subscriptions = subscriptions
        self._broadcast = broadcast
        self._settle = settle
        self._known: dict[int, Known] = {}
        self._transaction = 0
        self._committed = ""

    def reset(self) -> None:
        """A new stream tells its relations anew."""
        self._known.clear()

    async def deliver(self, messages: list[bytes]) -> None:
        events, has_broadcast = await self._events(messages)
        if not (events or has_broadcast):
            return
        await self._learn(events)
        for event in events:
            event.hits = _hits(event)
        hidden = await self._hidden(events)
        for place, event in enumerate(events):
            self._send(event, hidden.get(place))
        # Reading never blocks while there is more to read: without this no sender would get a turn.
        await asyncio.sleep(0)
        await self._settle()

    async def _events(self, messages: list[bytes]) -> tuple[list[Pending], bool]:
        """The changes that somebody hears, and whether a broadcast was among the others."""
        events: list[Pending] = []
        has_broadcast = False
        for data in messages:
            message = pgoutput.decode(data)
            if isinstance(message, Change):
                known = self._known[message.relation]
                if known.is_messages and message.event == "INSERT" and message.new is not None:
                    self._broadcast(known.relation, message.new, self._transaction)
                    has_broadcast = True
                if known.revision != self._subscriptions.revision:
                    await self._assemble(known)
                if known.audiences and known.audience and known.audience.listeners[message.event]:
                    events.append(self._event(message, known, known.audiences.table, len(data)))
            elif isinstance(message, Begin):
                self._transaction = message.transaction
                self._committed = forms.timestamp(message.committed)
            elif isinstance(message, Relation):
                is_messages = (message.schema, message.name) == (SCHEMA, TABLE)
                self._known[message.oid] = Known(message, is_messages)
        return events, has_broadcast

    def _event(self, change: Change, known: Known, table: Table, size: int) -> Pending:
        row = change.new
        if row is None:
            # Of a deleted row only the replica identity is known, the rest is absent rather than null.
            row = [
                value if column.is_identity else UNCHANGED
                for value, column in zip(change.old or [], table.columns, strict=True)
            ]
        is_too_large = size > CERTAINLY_SMALL and forms.is_too_large(table, change)
        return Pending(change, known, table, self._transaction, self._committed, row, is_too_large, [])

    async def _assemble(self, known: Known) -> None:
        """The revision is taken first: who comes while we ask the catalog is found with the next change."""
        revision = self._subscriptions.revision
        subscriptions = [
            each
            for each in self._subscriptions
            if any(
                parameters.covers(known.relation.schema, known.relation.name)
                for _, parameters in each.bindings
            )
        ]
        known.audience = None
        if subscriptions and (not known.is_messages or await self._is_published(known.relation)):
            with suppress(TableGoneError):  # what its rows were allowed to show can't be asked any more
                if known.audiences is None:
                    await self._session.run(partial(snapshots.wait_for, transaction=self._transaction))
                    table = await self._session.run(partial(catalog.describe, relation=known.relation))
                    known.audiences = Audiences(table)
                known.audience = await self._session.run(
                    partial(known.audiences.assemble, subscriptions=subscriptions)
                )
        known.revision = revision

    async def _is_published(self, relation: Relation) -> bool:
        """realtime.messages is streamed for its broadcasts: whoever wants its changes publishes it."""
        ask = partial(catalog.published, schema=relation.schema, table=relation.name)
        return bool(await self._session.run(ask))

    async def _learn(self, events: list[Pending]) -> None:
        """Lets PostgreSQL evaluate the filters that Python can't."""
        wanted = {
            id(event.known): event.known
            for event in events
            if event.known.audience and event.known.audience.undecided
        }
        for known in wanted.values():
            rows = [event.row for event in events if event.known is known]
            for index, condition in known.audience.undecided if known.audience else []:
                values = [value for row in rows if (value := row[index]) is not UNCHANGED]
                await self._session.run(partial(condition.learn, values=values))

    async def _hidden(self, events: list[Pending]) -> dict[int, set[Principal]]:
        """By place in `events`: the principals from whom row security hides the row."""
        asked: dict[tuple[int, Principal], list[int]] = {}
        for place, event in enumerate(events):
            for principal in {
                listener.subscription.principal for listener, _ in event.hits if listener.needs_visibility
            }:
                asked.setdefault((event.change.relation, principal), []).append(place)
        hidden: dict[int, set[Principal]] = {}
        for (_, principal), places in asked.items():
            table = events[places[0]].table
            rows = [events[place].row for place in places]
            transactions = {events[place].transaction for place in places}
            seen = await self._seen(table, principal, rows, transactions)
            for number, place in enumerate(places):
                if number not in seen:
                    hidden.setdefault(place, set()).add(principal)
        return hidden

    async def _seen(
        self, table: Table, principal: Principal, rows: list[Row], transactions: set[int]
    ) -> set[int]:
        ask = partial(visible, table=table, principal=principal, rows=rows, transactions=transactions)
        try:
            return await self._session.run(ask)
        except psycopg.OperationalError:
            return set()  # a policy that ran into the statement timeout

    def _send(self, event: Pending, hidden: set[Principal] | None) -> None:
        encoded: dict[Form, str] = {}
        for listener, ids in event.hits:
            subscription = listener.subscription
            if subscription not in self._subscriptions:
                continue  # left, or renewed, while PostgreSQL was asked
            if hidden and listener.needs_visibility and subscription.principal in hidden:
                continue
            data = listener.refusal or encoded.get(listener.form)
            if data is None:
                data = listener.form.encode(event.change, event.committed, is_too_large=event.is_too_large)
                encoded[listener.form] = data
            subscription.deliver(listener.frame(data, ids))


def _hits(event: Pending) -> list[tuple[Listener, list[int]]]:
    audience_ = event.known.audience
    listeners = audience_.listeners[event.change.event] if audience_ else []
    return [(listener, ids) for listener in listeners if (ids := listener.matching(event.row))]
