"""A source as `prt watch` has it, listened to: what is green here is green there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prt.errors import PrtError, UnreachableError
from prt.events import ChannelStatus, Event, Status, Vitals
from prt.stream.live.background import alongside
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import Timing

POLICY = Policy(max_reconnects=0)
TIMING = Timing(up=6.0, join=15.0)
"""Short: what is not up now is what is to be told."""
LONGEST_SECONDS = 60.0

T = TypeVar("T")


class Heard:
    """What one source has said so far; times are µs since the epoch."""

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
        """Between the entries of two phases."""
        if since not in self.phases or until not in self.phases:
            return None
        return (self.phases[until] - self.phases[since]) / 1000


class Ear:
    """Reads a source in the background, until it is left."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._happened = asyncio.Event()

    async def until(self, wanted: Callable[[Heard], bool], seconds: float) -> bool:
        """Waits until what was heard is as wanted; False when it wasn't in time, or the source is over."""
        try:
            async with asyncio.timeout(seconds):
                while not wanted(self.heard):
                    if self.heard.is_over:
                        return False
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            return False
        return True

    async def unless_over(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; raises the source's error as soon as that is over, whatever is waited for."""
        task = asyncio.create_task(work)
        over = asyncio.create_task(self.until(lambda heard: heard.is_over, LONGEST_SECONDS))
        try:
            await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
            if self.heard.error is not None and not task.done():
                raise self.heard.error
            return await task
        finally:
            task.cancel()
            over.cancel()
            await asyncio.gather(task, over, return_exceptions=True)

    async def listen(self, batches: EventQueue) -> None:
        try:
            async for batch in batches:
                for event in batch:
                    self.heard.apply(event)
                self._happened.set()
        except PrtError as exc:
            self.heard.error = exc
        else:
            self.heard.error = UnreachableError("the source ended")
        self._happened.set()


@asynccontextmanager
async def hearing(source: Live) -> AsyncIterator[Ear]:
    """The source, open and read, for the life of the block."""
    ear = Ear()
    async with source as batches, alongside(ear.listen(batches)):
        yield ear
