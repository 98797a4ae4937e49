"""A live source in the background and the events received from it, as `prt watch` uses the source.

A check that succeeds here therefore succeeds in `prt watch` too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prt.errors import PrtError, UnreachableError
from prt.events import ChannelStatus, Event, Status, Vitals
from prt.stream.live.listener import Listener, listening
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.timing import Timing

POLICY = Policy(max_reconnects=0)
TIMING = Timing(up=6.0, join=15.0)
"""Short timeouts, because a diagnosis reports the state of this moment."""
LONGEST_SECONDS = 60.0

T = TypeVar("T")


class Received:
    """The events received from one source so far. Times are in µs since the epoch."""

    def __init__(self) -> None:
        self.phases: dict[str, int] = {}
        """The time at which each phase was first entered."""
        self.round_trip_ms: float | None = None
        self.refused: list[Status] = []
        self.status: ChannelStatus = "CLOSED"
        self.error: PrtError | None = None
        self.events: list[Event] = []
        """The events that are neither a status nor about the connection."""

    def apply(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, Vitals):
            self.phases.setdefault(event.phase, event.since)
            self.round_trip_ms = event.round_trip_ms
        elif not isinstance(event, Status):
            self.events.append(event)
        elif event.status == "CHANNEL_ERROR" and event.tables and len(event.tables) == 1 and event.reason:
            self.refused.append(event)
        else:
            self.status = event.status

    @property
    def is_over(self) -> bool:
        """Return whether the source has ended, so that no more events will come."""
        return self.error is not None

    def milliseconds(self, since: str, until: str) -> float | None:
        """Return the time between the first entries of two phases, None if one was not entered."""
        if since not in self.phases or until not in self.phases:
            return None
        return (self.phases[until] - self.phases[since]) / 1000


class SourceListener:
    """A listener that reads a source in the background until the block ends.

    `received` holds what it received.
    """

    def __init__(self) -> None:
        self.received = Received()
        self.inner = Listener(self.received.apply, self._on_end)

    async def until(self, wanted: Callable[[Received], bool], seconds: float) -> bool:
        """Wait until `wanted` holds for the received events.

        Return False if it does not hold within `seconds`, or if the source ends before.
        """
        return bool(await self.inner.until(lambda: wanted(self.received) or None, seconds))

    async def unless_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`, or raise the source's error as soon as the source has ended."""
        return await self.inner.unless_over(work, LONGEST_SECONDS)

    def _on_end(self, error: PrtError | None) -> None:
        self.received.error = error or UnreachableError("the source ended")


@asynccontextmanager
async def listening_to(source: Live) -> AsyncIterator[SourceListener]:
    """Open a source and read it in the background until the end of the block."""
    listener = SourceListener()
    async with listening(source, listener.inner):
        yield listener
