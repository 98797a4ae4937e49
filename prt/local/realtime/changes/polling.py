"""Hands changes on in polls, as the real server reads its slot, instead of as soon as they are committed.

A poll takes whole transactions. What the database shows of a row is what it shows at the poll.
psycopg only for the errors of `prt.local.postgres.session`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import psycopg

from prt.local.realtime.changes.decoding.values import Type, Types
from prt.local.realtime.changes.delivery import Pending
from prt.local.realtime.changes.filters.conditions import AskedCondition
from prt.postgres import pgoutput
from prt.postgres.pgoutput import UNCHANGED

logger = logging.getLogger(__name__)

CHANGES = 100
"""A poll ends with the transaction that brings it to so many."""
BACKLOG = 16 * 1024 * 1024
"""Bytes that may wait for a poll before reading stops, and PostgreSQL keeps the rest."""

Deliver = Callable[[list[bytes]], Awaitable[None]]


class Intervals:
    """The pauses between polls. Pure.

    A poll that brings changes is followed by another at once. One that brings nothing is followed by a
    pause, which doubles up to `longest`; it is short again once two polls in a row bring changes. So a
    writer that waits for each of its rows meets the longest pause each time, as on the real server.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = max(shortest, longest)
        self._next = shortest
        self._is_busy = False

    def after(self, *, has_changes: bool) -> float:
        """Return the seconds until the next poll."""
        if has_changes:
            if self._is_busy:
                self._next = self._shortest
            self._is_busy = True
            return 0.0
        self._is_busy = False
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause


class Poller:
    """Transactions wait here for the next poll, which hands them to `deliver`.

    `reset` is called before the first poll of a new slot, which describes all relations anew.
    """

    def __init__(self, deliver: Deliver, reset: Callable[[], None], intervals: Intervals) -> None:
        self._deliver = deliver
        self._reset = reset
        self._is_new = False
        self._intervals = intervals
        self._open: list[bytes] = []
        self._committed: deque[list[bytes]] = deque()
        self._size = 0
        self._taken = asyncio.Event()

    async def put(self, messages: list[bytes]) -> None:
        """Add messages of the stream. Wait if too much waits already."""
        for message in messages:
            self._open.append(message)
            self._size += len(message)
            if pgoutput.is_commit(message):
                self._committed.append(self._open)
                self._open = []
        while self._size > BACKLOG and self._committed:
            self._taken.clear()
            await self._taken.wait()

    def clear(self) -> None:
        """Forget what waits: it was in the slot that is gone."""
        self._is_new = True
        self._open = []
        self._committed.clear()
        self._size = 0
        self._taken.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            if self._is_new:
                self._is_new = False
                self._reset()
            batch = self._batch()
            if batch:
                await self._poll(batch)
            await asyncio.sleep(self._intervals.after(has_changes=any(map(pgoutput.is_change, batch))))

    async def _poll(self, batch: list[bytes]) -> None:
        """The batch is gone even if it could not be delivered, as on the real server."""
        try:
            await self._deliver(batch)
        except (psycopg.Error, OSError) as error:
            logger.debug("a poll failed: %s", error)
        except Exception as error:
            logger.error(
                "changes were lost: %r",
                error,
                exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
            )

    def _batch(self) -> list[bytes]:
        batch: list[bytes] = []
        changes = 0
        while self._committed and changes < CHANGES:
            transaction = self._committed.popleft()
            changes += sum(map(pgoutput.is_change, transaction))
            batch += transaction
        self._size -= sum(map(len, batch))
        self._taken.set()
        return batch


def is_spoiled(events: Iterable[Pending]) -> bool:
    """Return whether a filter fails in the database, so that nobody hears of anything in the poll.

    The real server compares a column's JSON with the filter's value, as values of the column's type. An
    array's JSON is no array literal, a composite's is no row and hstore's no hstore. So such a filter is
    accepted, and loses whole polls, of all tables and for every client, as long as its client is subscribed.
    """
    return any(
        value is not None and value is not UNCHANGED and _is_structured(column.type, event.table.types)
        for event in events
        for listener in event.listeners
        for _, checks in listener.bindings
        for index, condition in checks
        if isinstance(condition, AskedCondition)
        for value, column in [(event.row[index], event.table.columns[index])]
    )


def _is_structured(type_: Type, types: Types) -> bool:
    if type_.base and type_.base in types:
        return _is_structured(types[type_.base], types)
    return bool(type_.element or type_.fields or type_.is_hstore)
