"""Polling: changes are delivered in polls, as the real server reads its slot, and not at their commit.

A poll consists of whole transactions. Row security is checked at the time of the poll. psycopg is imported
only for its exceptions, which `prt.local.postgres.session` raises.
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
"""A poll ends after the transaction with which it has this many changes."""
BACKLOG = 16 * 1024 * 1024
"""The most bytes that may wait for a poll. Then reading pauses, and PostgreSQL keeps what follows."""

Deliver = Callable[[list[bytes]], Awaitable[None]]


class Intervals:
    """The pauses between polls. Pure.

    After a poll with changes, the next one follows at once. After a poll without changes there is a pause,
    which doubles each time up to `longest`, and is short again when two polls in a row have changes. So a
    writer that waits for the event of each row before it writes the next meets the longest pause each time,
    as on the real server. `shortest` and `longest` are in seconds.
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
    """A queue of transactions for the next poll, which passes them to `deliver`.

    `reset` is called before the first poll of a new slot, which describes all tables again.
    """

    def __init__(self, deliver: Deliver, reset: Callable[[], None], intervals: Intervals) -> None:
        self._deliver = deliver
        self._reset = reset
        self._is_new = False
        self._intervals = intervals
        self._open: list[bytes] = []
        self._committed: deque[list[bytes]] = deque()
        self._size = 0
        self._drained = asyncio.Event()

    async def put(self, messages: list[bytes]) -> None:
        """Add messages of the stream. Wait while more than `BACKLOG` bytes are queued."""
        for message in messages:
            self._open.append(message)
            self._size += len(message)
            if pgoutput.is_commit(message):
                self._committed.append(self._open)
                self._open = []
        while self._size > BACKLOG and self._committed:
            self._drained.clear()
            await self._drained.wait()

    def clear(self) -> None:
        """Drop the waiting transactions, because their replication slot does not exist any more."""
        self._is_new = True
        self._open = []
        self._committed.clear()
        self._size = 0
        self._drained.set()

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
        """Deliver a batch. If this fails, the batch is lost, as on the real server."""
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
        self._drained.set()
        return batch


def is_spoiled(events: Iterable[Pending]) -> bool:
    """Return whether a filter fails in the database, which loses the whole poll.

    The real server casts a column's JSON to the column's type to compare it with a filter's value. But the
    JSON of an array, a composite or an hstore can't be cast back. So such a filter is accepted, but makes
    polls fail, for all tables and all clients, as long as its client is subscribed.
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
