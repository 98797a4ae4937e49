"""A bare connection: joins and leaves of its own, and every control frame of the server as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from realtime import AsyncRealtimeChannel

from prt.checks.test.outcomes import FailedError
from prt.checks.test.trace import Trace
from prt.results import Failure
from prt.stream.rest.session import Session
from prt.stream.socket.client import JoinRefusedError, Socket
from prt.stream.socket.queue import EventQueue
from prt.stream.socket.refusals import Refusal
from prt.stream.socket.wire import Frame
from prt.stream.timing import DEFAULT, Timing
from prt.stream.topic import Room

FRAME_SHOWN = 400


class Line:
    """`frames` are the control frames, in order."""

    def __init__(self, session: Session, trace: Trace, timing: Timing) -> None:
        self._trace = trace
        self.frames: list[Frame] = []
        self._pulses: list[float] = []
        self._came = asyncio.Event()
        self._timing = timing
        endpoint = session.endpoint
        self.socket = Socket(
            endpoint.url,
            endpoint.key,
            token=endpoint.token,
            queue=EventQueue(),
            on_frame=self._on_frame,
            on_change=lambda _: None,
            on_broadcast=lambda _: False,
            on_unreadable=lambda: None,
            on_pulse=self._on_pulse,
            timing=timing,
        )

    async def join(self, topic: str) -> AsyncRealtimeChannel:
        """Raises FailedError."""
        room = Room(topic=topic)
        try:
            return await self.socket.join(topic, [], room.to_wire(None))
        except JoinRefusedError as exc:
            raise FailedError(_join_failure(topic, exc.refused, self._timing.join)) from exc

    async def until(self, wanted: Callable[[Frame], bool], expected: str, seconds: float) -> Frame:
        """The first control frame, from the beginning on, for which `wanted` holds. Raises FailedError."""
        seen = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for frame in self.frames[seen:]:
                        if wanted(frame):
                            return frame
                    seen = len(self.frames)
                    await self._next(seconds)
        except TimeoutError:
            last = self.frames[-1].event if self.frames else "nothing"
            raise FailedError(
                Failure(
                    expected=expected,
                    came=f"{last} in {seconds:g} s",
                    cause="the server is busy, or something on the way swallows websocket frames",
                    remedy="give more time with --wait; try without a proxy or VPN",
                )
            ) from None

    async def next_pulse(self, seconds: float) -> float:
        """The round trip of the next heartbeat, ms. Raises FailedError, and why the connection is lost."""
        while not self._pulses:
            try:
                async with asyncio.timeout(seconds):
                    await self._next(seconds)
            except TimeoutError:
                raise FailedError(
                    Failure(
                        expected="an answer to a heartbeat",
                        came=f"none in {seconds:g} s",
                        cause="something on the way swallows websocket frames, or the server hangs",
                        remedy="try without a proxy or VPN",
                    )
                ) from None
        return self._pulses.pop(0)

    async def _next(self, seconds: float) -> None:
        self._came.clear()
        waiting = asyncio.ensure_future(self._came.wait())
        try:
            waited: list[asyncio.Future[Any]] = [waiting, self.socket.lost]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self.socket.lost.done():
            raise self.socket.lost.result()

    def _on_frame(self, frame: Frame) -> None:
        payload = bytes(frame.payload)[:FRAME_SHOWN].decode(errors="replace")
        self._trace.note("server", f"{frame.event} {payload}")
        self.frames.append(frame)
        self._came.set()

    def _on_pulse(self, round_trip_ms: float | None) -> None:
        if round_trip_ms is not None:
            self._trace.note("server", f"heartbeat answered after {round_trip_ms:.1f} ms")
            self._pulses.append(round_trip_ms)
            self._came.set()


def _join_failure(topic: str, refused: Refusal | None, seconds: float) -> Failure:
    if refused is None:
        return Failure(
            expected=f"an answer to the join of {topic}",
            came=f"none in {seconds:g} s",
            cause="the project's database is away or very busy",
            remedy="is the project paused? try again in a minute",
        )
    return Failure(
        expected=f"the join of {topic}",
        came="a refusal",
        server=refused.reason,
        cause=f"the project lets this identity not into {topic}",
        remedy=refused.hint,
    )


@asynccontextmanager
async def line(session: Session, trace: Trace, timing: Timing = DEFAULT) -> AsyncIterator[Line]:
    """Opened, and closed at the end. Raises RefusedError, UnreachableError, ProtocolError."""
    opened = Line(session, trace, timing)
    try:
        await opened.socket.open(timing.up)
        yield opened
    finally:
        await opened.socket.shut()
