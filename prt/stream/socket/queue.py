"""The bounded queue between sockets and the reader of their events, with back-pressure.

Events stay in order, and none is lost without a `Gap` event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from prt.clock import wall_clock
from prt.events import Broadcast, Change, Event, Gap, Presence

MAX_EVENTS = 4_000
MAX_BYTES = 32 * 1024 * 1024
"""The most bytes in the queue. A limit of events alone does not bound the memory, because a change may be a
megabyte."""


class EventQueue:
    """A queue of events, which yields those that have arrived as batches, in order.

    The iteration ends, or raises an error, when `close` was called. If the queue is full, the writer should
    wait in `wait_for_space` and stop reading from the server. If that takes longer than the writer's
    patience, the oldest events are dropped and a `Gap` takes their place.

    Attributes:
        on_drop: Functions that are called after events were dropped, to emit again what the events led to.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        """Create an empty queue with its limits."""
        self.on_drop: list[Callable[[], None]] = []
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: list[Event] = []
        self._bytes = 0
        self._is_closed = False
        self._error: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether the queue has reached one of its limits. `put` still accepts events."""
        return len(self._events) >= self._max_events or self._bytes >= self._max_bytes

    def put(self, event: Event, weight: int = 0) -> None:
        """Append an event. Never blocks.

        Args:
            event: The event.
            weight: Its size in bytes; 0 if it is small.
        """
        self._events.append(event)
        self._bytes += weight
        reader = self._reader
        if reader is not None:
            self._reader = None
            if not reader.done():
                reader.set_result(None)

    async def wait_for_space(self, patience: float) -> None:
        """Wait until the reader has read the queue; after `patience` seconds, drop the older half instead."""
        if not self.is_full or self._is_closed:
            return
        if self._writer is None:  # several sockets may wait for the same reader
            self._writer = asyncio.get_running_loop().create_future()
        read, _ = await asyncio.wait([self._writer], timeout=patience)
        if not read and self.is_full:
            self._drop_older_half()

    def close(self, error: BaseException | None = None) -> None:
        """End the iteration after the events that are left, with `error` if it is given."""
        if self._is_closed:
            return
        self._is_closed, self._error = True, error
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        """Return the next batch. Cancelling this loses no event."""
        while not self._events:
            if self._is_closed:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        batch, self._events, self._bytes = self._events, [], 0
        if self._writer is not None:
            self._writer.set_result(None)
            self._writer = None
        return batch

    def _drop_older_half(self) -> None:
        cut = len(self._events) // 2
        dropped = [event for event in self._events[:cut] if isinstance(event, _DROPPED)]
        if not dropped:
            return
        kept = [event for event in self._events[:cut] if not isinstance(event, _DROPPED)]
        self._events = [*kept, _gap_of(dropped), *self._events[cut:]]
        self._bytes //= 2
        for call in self.on_drop:
            call()


_DROPPED = (Change, Broadcast, Presence)


def _gap_of(dropped: list[Change | Broadcast | Presence]) -> Gap:
    changes = [event for event in dropped if isinstance(event, Change)]
    moments = [committed(event) if isinstance(event, Change) else event.at for event in dropped]
    counts = [_count(len(changes), "change")] if changes else []
    if len(changes) < len(dropped):
        counts.append(f"{_count(len(dropped) - len(changes), 'message')} of topics")
    return Gap(
        at=wall_clock(),
        start=min(moments),
        # The server cuts timestamps to milliseconds.
        end=max(moments) + 1_000,
        tables=sorted({f"{change.schema}.{change.table}" for change in changes}),
        topics=sorted({event.topic for event in dropped if not isinstance(event, Change)}),
        cause=f"the reader of our output is too slow: {' and '.join(counts)} dropped",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def committed(change: Change) -> int:
    """Return when a change was committed (µs of the server); when it came, if the server does not say."""
    return change.at if change.lag_ms is None else change.at - round(change.lag_ms * 1000)
