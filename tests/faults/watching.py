"""A watch in this process, behind the proxy: its events as they come, and waits for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from prt.errors import PrtError
from prt.events import Change, Event, Gap, Malformed, Status, Verified
from prt.stream.binding import Binding
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.options import Options
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Session
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import Timing, VerificationTiming
from tests.faults.story import story
from tests.running import PATIENCE


def hurried(
    *,
    heartbeat: float = 20.0,
    join: float = 20.0,
    pause: float = 0.02,
    longest_pause: float = 0.1,
    silence: float = 0.3,
    every: float = 0.2,
    slow: float = 2.0,
) -> Timing:
    """Shorter intervals, in seconds, where a fault shows only by waiting."""
    return Timing(
        heartbeat=heartbeat,
        join=join,
        first_pause=pause,
        longest_pause=longest_pause,
        verification=VerificationTiming(
            every=every, pause=0.02, share=1.0, silence=silence, slow=slow, retry=0.2
        ),
    )


class Watch:
    """`events` so far; `error` is what ended it, None while it goes on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.error: PrtError | None = None
        self.has_ended = False
        self.may_read = asyncio.Event()
        """Cleared, the watch is a reader that has stopped."""
        self.may_read.set()
        self._happened = asyncio.Event()

    def __str__(self) -> str:
        return story(self.events[-40:])

    @property
    def changes(self) -> list[Change]:
        return [event for event in self.events if isinstance(event, Change)]

    @property
    def gaps(self) -> list[Gap]:
        return [event for event in self.events if isinstance(event, Gap)]

    @property
    def verified(self) -> list[Verified]:
        return [event for event in self.events if isinstance(event, Verified)]

    @property
    def malformed(self) -> list[Malformed]:
        return [event for event in self.events if isinstance(event, Malformed)]

    def statuses(self, status: str) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status) and event.status == status]

    def keys(self, *sources: str) -> list[int]:
        """Of the changes, in order."""
        return [
            (change.old_row() if change.event_type == "DELETE" else change.new_row()).get("id", -1)
            for change in self.changes
            if not sources or change.source in sources
        ]

    async def until(self, wanted: Callable[[Watch], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not wanted(self):
                    assert not self.has_ended, f"ended with {self.error!r} before it came:\n{self}"
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            raise AssertionError(f"not seen in {PATIENCE} s:\n{self}") from None

    async def until_ready(self, times: int = 1) -> None:
        await self.until(lambda watch: len(watch.statuses("READY")) >= times)

    async def until_gap(self, times: int = 1) -> None:
        await self.until(lambda watch: len(watch.gaps) >= times)

    async def until_verified(self, *tables: str, times: int = 2) -> None:
        """Waits until each table was verified so often from now on: two whole windows have begun since."""
        before = Counter(event.table for event in self.verified if event.scope != "none")
        await self.until(
            lambda watch: all(
                sum(event.table == table and event.scope != "none" for event in watch.verified)
                >= before[table] + times
                for table in tables
            )
        )

    async def until_seen(self, *keys: int) -> None:
        await self.until(lambda watch: set(keys) <= set(watch.keys()))

    async def until_ended(self) -> None:
        await self.until(lambda watch: watch.has_ended)

    async def read(self, batches: AsyncIterator[list[Event]]) -> None:
        try:
            async for batch in batches:
                self.events += batch
                self._happened.set()
                await self.may_read.wait()
        except PrtError as exc:
            self.error = exc
        finally:
            self.has_ended = True
            self._happened.set()


@asynccontextmanager
async def watching(
    session: Session,
    bindings: Sequence[Binding],
    *,
    queue: EventQueue | None = None,
    policy: Policy | None = None,
    timing: Timing | None = None,
    **options: Any,
) -> AsyncIterator[Watch]:
    """A watch with recovery, as the commands make it, but hurried. `options` go to the recovery."""
    watch = Watch()
    async with Rest(lambda: session.endpoint) as rest:
        # The embedded server doesn't poll: what was committed is with us in a few milliseconds.
        recovery = Recovery(rest, bindings, Options(**{"settle_seconds": 0.1, **options}))
        live = Live(
            session,
            bindings,
            recovery=recovery,
            queue=queue,
            policy=policy,
            timing=timing or hurried(),
        )
        async with live as batches:
            reading = asyncio.create_task(watch.read(batches))
            try:
                yield watch
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
