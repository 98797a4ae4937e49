"""Sending broadcasts to a topic: several at a time, with the answers in the order of the messages."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from prt.app.lines import write_line
from prt.clock import wall_clock
from prt.errors import PrtError, RefusedError, UsageError
from prt.inputs import Input
from prt.signals import SIGNALLED, stopping
from prt.stream.live.listener import Listener, listening
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.rest.broadcast import Poster
from prt.stream.rest.session import Session, session_of
from prt.stream.socket.binary import Persist
from prt.stream.topic import TopicSettings
from prt.views.sinks.ndjson import timestamp
from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from prt.config.project import Project

ON_THE_WAY, REQUESTS = 64, 8
"""How many messages wait for their answers at a time, over the socket and over HTTP."""
TIMES_KEPT = 10_000

Send = Callable[[bytes], Awaitable[float | None]]


class SendRequest(Struct, frozen=True, kw_only=True):
    """The request to send messages to a topic."""

    project: Project
    topic: str
    event: str
    payloads: Callable[[], AsyncIterator[bytes]]
    is_private: bool = False
    is_http: bool = False
    persist: Persist = False
    """Whether the server is asked to store the messages, and for how long."""
    seconds: float
    """How long to wait for each answer."""
    interval: float = 0.0
    """The least seconds between two messages."""
    is_json: bool = False
    """Whether a line of JSON is printed for each message."""
    is_quiet: bool = False


class Result(Struct, frozen=True, kw_only=True):
    """The result of one message: when it was sent (µs), and the ms until the answer, or None without one."""

    sent: int
    size: int
    ms: float | None
    error: str | None = None


class Tally:
    """The number of answers, and the times of the last ones."""

    def __init__(self, report: Callable[[Result], None] | None) -> None:
        self.answered = 0
        self.times: deque[float] = deque(maxlen=TIMES_KEPT)
        self._report = report

    def add(self, result: Result) -> None:
        """Count a result."""
        if result.ms is not None:
            self.answered += 1
            self.times.append(result.ms)
        if self._report is not None:
            self._report(result)


def send(request: SendRequest) -> int:
    """Send all payloads, print the result, and return the exit code.

    Raises:
        PrtError: A message couldn't be sent, or a payload is not valid.
    """
    tally = Tally((lambda result: _write(request, result)) if request.is_json else None)

    async def main() -> int:
        with stopping() as caught:
            try:
                async with session_of(request.project) as session:
                    await send_all(request, session, tally)
            except asyncio.CancelledError:
                if not caught:
                    raise
                return SIGNALLED + caught[0]
        return 0

    try:
        return asyncio.run(main())
    finally:
        if not request.is_quiet and (tally.answered or sys.exc_info()[0] is None):
            notice(_summary(request, tally.answered, sorted(tally.times)))


async def send_all(request: SendRequest, session: Session, tally: Tally) -> None:
    """Send all payloads.

    Raises:
        UsageError: A payload is not valid; those before it were sent.
        PrtError: A message couldn't be sent.
    """
    bad: UsageError | None = None
    async with _transport(request, session) as transmit, asyncio.TaskGroup() as group:
        slots = asyncio.Semaphore(REQUESTS if request.is_http else ON_THE_WAY)

        async def deliver(payload: bytes) -> None:
            sent = wall_clock()
            try:
                ms = await transmit(payload)
            except PrtError as exc:
                tally.add(Result(sent=sent, size=len(payload), ms=None, error=exc.message))
                raise
            finally:
                slots.release()
            tally.add(Result(sent=sent, size=len(payload), ms=ms))

        now = asyncio.get_running_loop().time
        due = now()
        try:
            async for payload in request.payloads():
                await asyncio.sleep(max(due - now(), 0))
                due = max(due, now()) + request.interval
                await slots.acquire()
                group.create_task(deliver(payload))
        except UsageError as exc:
            bad = exc
    if bad is not None:
        raise UsageError(f"{bad.message} ({tally.answered} sent before it)", bad.hint)


@asynccontextmanager
async def _transport(request: SendRequest, session: Session) -> AsyncIterator[Send]:
    if request.is_http:
        async with Poster(
            lambda: session.endpoint,
            request.topic,
            is_private=request.is_private,
            answer_seconds=request.seconds,
        ) as poster:
            yield lambda payload: poster.send(request.event, payload, persist=request.persist)
        return
    settings = TopicSettings(
        topic=request.topic, events=(), is_private=request.is_private, is_acknowledged=True
    )
    live = Live(session, [], settings=settings, policy=Policy(max_reconnects=0))
    async with listening(live, Listener()) as listener:
        try:
            await listener.ready()
        except PrtError as exc:
            if request.is_private and exc.exit_code == RefusedError.exit_code:
                exc.hint = f"{exc.hint}; who may only send uses {Input.HTTP}"
            raise
        yield lambda payload: live.send(
            request.event, payload, timeout=request.seconds, persist=request.persist
        )


def _write(request: SendRequest, result: Result) -> None:
    line = {
        "type": "sent",
        "at": timestamp(result.sent),
        "topic": request.topic,
        "event": request.event,
        "bytes": result.size,
        "acknowledged": result.ms is not None,
        "ms": None if result.ms is None else round(result.ms, 3),
        **({} if result.error is None else {"error": result.error}),
    }
    write_line(line)


def _summary(request: SendRequest, answered: int, times: list[float]) -> str:
    if not answered:
        return f"nothing was sent to {request.topic}"
    what = "message" if answered == 1 else "messages"
    how = "accepted" if request.is_http else "acknowledged"
    took = f"{times[len(times) // 2]:.1f} ms"
    if answered > 1:
        took += f" (p50), {times[len(times) * 95 // 100]:.1f} ms (p95)"
    return f"{answered:,} {what} to {request.topic}, {how} in {took}"
