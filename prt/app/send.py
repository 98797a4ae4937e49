"""Payloads to a topic, several on their way at a time, each with its answer, in the order that they came."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from prt.errors import PrtError, RefusedError, UsageError
from prt.events import Event, Status
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.rest.broadcast import Poster
from prt.stream.rest.session import Session
from prt.stream.topic import Room

ON_THE_WAY, REQUESTS = 64, 8
"""Messages that wait for their answer at a time, over the socket and over HTTP."""
TIMES_KEPT = 10_000

Send = Callable[[bytes], Awaitable[float | None]]


class Order(Struct, frozen=True, kw_only=True):
    """Where to and how: `seconds` for each answer, `interval` between two messages."""

    topic: str
    event: str
    is_private: bool
    is_http: bool
    seconds: float
    interval: float


class Result(Struct, frozen=True, kw_only=True):
    """Of one message. `sent` is when, µs; `ms` until the answer, None without one."""

    sent: int
    size: int
    ms: float | None
    error: str | None = None


class Tally:
    """How many were answered, and how fast the last ones were."""

    def __init__(self, tell: Callable[[Result], None] | None) -> None:
        self.answered = 0
        self.times: deque[float] = deque(maxlen=TIMES_KEPT)
        self._tell = tell

    def add(self, result: Result) -> None:
        if result.ms is not None:
            self.answered += 1
            self.times.append(result.ms)
        if self._tell is not None:
            self._tell(result)


async def send_all(order: Order, payloads: AsyncIterator[bytes], session: Session, tally: Tally) -> None:
    """Ends when there are no more. Raises PrtError; of what is bad in the payloads once the rest is sent."""
    bad: UsageError | None = None
    async with _way(order, session) as send, asyncio.TaskGroup() as group:
        slots = asyncio.Semaphore(REQUESTS if order.is_http else ON_THE_WAY)

        async def deliver(payload: bytes) -> None:
            sent = time.time_ns() // 1000
            try:
                ms = await send(payload)
            except PrtError as exc:
                tally.add(Result(sent=sent, size=len(payload), ms=None, error=exc.message))
                raise
            finally:
                slots.release()
            tally.add(Result(sent=sent, size=len(payload), ms=ms))

        now = asyncio.get_running_loop().time
        due = now()
        try:
            async for payload in payloads:
                await asyncio.sleep(max(due - now(), 0))
                due = max(due, now()) + order.interval
                await slots.acquire()
                group.create_task(deliver(payload))
        except UsageError as exc:
            bad = exc
    if bad is not None:
        raise UsageError(f"{bad.message} ({tally.answered} sent before it)", bad.hint)


@asynccontextmanager
async def _way(order: Order, session: Session) -> AsyncIterator[Send]:
    if order.is_http:
        async with Poster(
            lambda: session.endpoint,
            order.topic,
            is_private=order.is_private,
            answer_seconds=order.seconds,
        ) as poster:
            yield lambda payload: poster.send(order.event, payload)
        return
    room = Room(topic=order.topic, events=(), is_private=order.is_private, is_acknowledged=True)
    live = Live(session, [], room=room, policy=Policy(max_reconnects=0))
    async with live as batches:
        try:
            await _until_ready(batches)
        except PrtError as exc:
            if order.is_private and exc.exit_code == RefusedError.exit_code:
                exc.hint = f"{exc.hint}; who may only send uses --http"
            raise
        rest = asyncio.create_task(_read_on(batches))
        try:
            yield lambda payload: live.send(order.event, payload, timeout=order.seconds)
        finally:
            rest.cancel()
            await asyncio.gather(rest, return_exceptions=True)


async def _until_ready(batches: AsyncIterator[list[Event]]) -> None:
    async for batch in batches:
        if any(isinstance(event, Status) and event.status == "READY" for event in batch):
            return


async def _read_on(batches: AsyncIterator[list[Event]]) -> None:
    """Nothing of it is for us, but a queue that nobody reads fills."""
    async for _ in batches:
        pass
