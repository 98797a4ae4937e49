"""A source as `prt watch` has it, listened to: what is green here is green there."""

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
"""Short: what is not up now is what is to be told."""
LONGEST_SECONDS = 60.0

T = TypeVar("T")


class Heard:
    """The events of one source so far; times are µs since the epoch."""

    def __init__(self) -> None:
        self.phases: dict[str, int] = {}
        """When each was first entered."""
        self.round_trip_ms: float | None = None
        self.refused: list[Status] = []
        self.status: ChannelStatus = "CLOSED"
        self.error: PrtError | None = None
        self.events: list[Event] = []
        """All that is neither a status nor about the connection."""

    def apply(self, event: Event) -> None:
        """Take in an event."""
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
        """No more will come."""
        return self.error is not None

    def milliseconds(self, since: str, until: str) -> float | None:
        """Return the time between the entries of two phases, None if one was not entered."""
        if since not in self.phases or until not in self.phases:
            return None
        return (self.phases[until] - self.phases[since]) / 1000


class Ear:
    """A source that is read in the background, until it is left, and what was heard of it."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.listener = Listener(self.heard.apply, self._on_end)

    async def until(self, wanted: Callable[[Heard], bool], seconds: float) -> bool:
        """Wait until what was heard is as wanted.

        Return False if it isn't in time, or if the source ends before.
        """
        return bool(await self.listener.until(lambda: wanted(self.heard) or None, seconds))

    async def unless_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`, or raise the source's error as soon as that is over."""
        return await self.listener.unless_over(work, LONGEST_SECONDS)

    def _on_end(self, error: PrtError | None) -> None:
        self.heard.error = error or UnreachableError("the source ended")


@asynccontextmanager
async def hearing(source: Live) -> AsyncIterator[Ear]:
    """The source, open and read, for the life of the block."""
    ear = Ear()
    async with listening(source, ear.listener):
        yield ear
