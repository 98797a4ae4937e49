"""The last steps of a change: the check of row security, and the frames for the subscribers' outboxes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import psycopg
from msgspec import Struct

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.audience import Listener
from prt.local.realtime.changes.decoding.catalog import Table
from prt.local.realtime.changes.forms import Form
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.changes.visibility import visible
from prt.local.realtime.protocol.tokens import Principal
from prt.postgres.pgoutput import Change, Row

T = TypeVar("T")


class Pending(Struct, gc=False, eq=False):
    """A change that is being delivered.

    Attributes:
        change: The decoded change.
        table: The table.
        transaction: The id of the transaction.
        committed: The time of the commit as the server prints it.
        row: The row to which filters apply.
        size: The bytes of the change in the stream.
        is_too_large: Whether the change is too large to be sent with all values.
        listeners: The listeners of the table for this event.
        encoded: A cache of the change's JSON by form.
    """

    change: Change
    table: Table
    transaction: int
    committed: str
    row: Row
    size: int
    is_too_large: bool
    listeners: list[Listener]
    encoded: dict[Form, str]


class Hit(NamedTuple):
    """A change that matches a listener's filters, with the ids of the matching bindings."""

    event: Pending
    listener: Listener
    ids: list[int]


class Run(Protocol):
    """A function that runs work with a database connection, such as `Session.run`."""

    def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> Awaitable[T]: ...


class Delivery:
    """Sends each change to the listeners whose bindings match it, if they are still subscribed."""

    def __init__(self, subscriptions: Subscriptions, count: Callable[[], None]) -> None:
        """Prepare the sender.

        Args:
            subscriptions: The subscriptions that exist now.
            count: Called once for each frame that is sent.
        """
        self._subscriptions = subscriptions
        self._count = count

    async def send(self, hits: list[Hit], run: Run) -> None:
        """Check row security, and send the visible rows in the order of `hits`."""
        hidden = await _hidden(hits, run)
        for event, listener, ids in hits:
            subscription = listener.subscription
            if subscription not in self._subscriptions:
                continue  # ended or renewed while row security was checked
            if hidden and listener.needs_visibility and (id(event), subscription.principal) in hidden:
                continue
            data = listener.refusal or event.encoded.get(listener.form)
            if data is None:
                data = listener.form.encode(event.change, event.committed, is_too_large=event.is_too_large)
                event.encoded[listener.form] = data
            subscription.deliver(listener.frame(data, ids))
            self._count()


async def _hidden(hits: list[Hit], run: Run) -> set[tuple[int, Principal]]:
    """Return pairs of an event's id and a principal from whom row security hides the event's row."""
    asked: dict[tuple[int, Principal], dict[int, Pending]] = {}
    for event, listener, _ in hits:
        if listener.needs_visibility:
            key = (event.change.relation, listener.subscription.principal)
            asked.setdefault(key, {})[id(event)] = event
    hidden: set[tuple[int, Principal]] = set()
    for (_, principal), events in asked.items():
        visible_rows = await _visible_rows(list(events.values()), principal, run)
        hidden.update((each, principal) for number, each in enumerate(events) if number not in visible_rows)
    return hidden


async def _visible_rows(events: list[Pending], principal: Principal, run: Run) -> set[int]:
    ask = partial(
        visible,
        table=events[0].table,
        principal=principal,
        rows=[event.row for event in events],
        transactions={event.transaction for event in events},
    )
    try:
        return await run(ask)
    except psycopg.OperationalError:
        return set()  # a policy exceeded the statement timeout
