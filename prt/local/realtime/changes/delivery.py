"""The last steps of a change: who may see its row, and the frames in their outboxes."""

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
    """A change on its way. `row` is the one that filters look at, `size` the bytes that the stream sent."""

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
    """A change that a listener's filters let through, with the ids of its bindings."""

    event: Pending
    listener: Listener
    ids: list[int]


class Run(Protocol):
    """Runs work with a connection: `Session.run`, say."""

    def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> Awaitable[T]: ...


class Delivery:
    """Sends hits to those of their subscriptions that still exist. `count` is called with each frame."""

    def __init__(self, subscriptions: Subscriptions, count: Callable[[], None]) -> None:
        self._subscriptions = subscriptions
        self._count = count

    async def send(self, hits: list[Hit], run: Run) -> None:
        """Ask row security, and send what it shows in the order of `hits`."""
        hidden = await _hidden(hits, run)
        for event, listener, ids in hits:
            subscription = listener.subscription
            if subscription not in self._subscriptions:
                continue  # left, or renewed, while PostgreSQL was asked
            if hidden and listener.needs_visibility and (id(event), subscription.principal) in hidden:
                continue
            data = listener.refusal or event.encoded.get(listener.form)
            if data is None:
                data = listener.form.encode(event.change, event.committed, is_too_large=event.is_too_large)
                event.encoded[listener.form] = data
            subscription.deliver(listener.frame(data, ids))
            self._count()


async def _hidden(hits: list[Hit], run: Run) -> set[tuple[int, Principal]]:
    """Return the ids of events with the principals from whom row security hides their rows."""
    asked: dict[tuple[int, Principal], dict[int, Pending]] = {}
    for event, listener, _ in hits:
        if listener.needs_visibility:
            key = (event.change.relation, listener.subscription.principal)
            asked.setdefault(key, {})[id(event)] = event
    hidden: set[tuple[int, Principal]] = set()
    for (_, principal), events in asked.items():
        seen = await _seen(list(events.values()), principal, run)
        hidden.update((each, principal) for number, each in enumerate(events) if number not in seen)
    return hidden


async def _seen(events: list[Pending], principal: Principal, run: Run) -> set[int]:
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
        return set()  # a policy that ran into the statement timeout
