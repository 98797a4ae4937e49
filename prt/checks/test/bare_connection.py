"""A check's connection that joins and leaves only when asked; its errors become failures of the check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prt.checks.test.outcomes import FailedError
from prt.checks.test.trace import FRAME_SHOWN, Trace
from prt.inputs import Input
from prt.results import Failure
from prt.stream.live import bare_connection
from prt.stream.live.bare_connection import BareConnection
from prt.stream.rest.session import Session
from prt.stream.socket.client import JoinRefusedError
from prt.stream.socket.refusals import Refusal
from prt.stream.socket.wire import Frame
from prt.stream.timing import DEFAULT, Timing


class Line:
    """A bare connection whose control frames and heartbeats are noted in the trace."""

    def __init__(self, session: Session, trace: Trace, timing: Timing) -> None:
        self._trace = trace
        self._pulses_read = 0
        self.connection = BareConnection(
            session, timing=timing, on_frame=self._note_frame, on_pulse=self._note_pulse
        )

    async def join(self, topic: str) -> None:
        """Join a topic.

        Raises:
            FailedError: The server refused the join or did not answer it.
        """
        try:
            await self.connection.join(topic)
        except JoinRefusedError as exc:
            raise FailedError(_join_failure(topic, exc.refused, self.connection.timing.join)) from exc

    async def leave(self, topic: str) -> None:
        """Leave a topic."""
        await self.connection.leave(topic)

    async def until(self, wanted: Callable[[Frame], bool], expected: str, seconds: float) -> Frame:
        """Return the first control frame since the connection was opened for which `wanted` holds.

        Args:
            wanted: Returns whether a frame is the wanted one.
            expected: What is expected, for the message of a failure.
            seconds: How long to wait.

        Raises:
            FailedError: No such frame came in time.
            PrtError: The connection was lost.
        """
        frames, listener = self.connection.frames, self.connection.listener
        frame = await listener.until(lambda: next(filter(wanted, frames), None), seconds)
        if frame is not None:
            return frame
        if listener.error is not None:
            raise listener.error
        last = frames[-1].event if frames else "nothing"
        raise FailedError(
            Failure(
                expected=expected,
                came=f"{last} in {seconds:g} s",
                cause="the server is busy, or something on the way swallows websocket frames",
                remedy=f"give more time with {Input.WAIT}; try without a proxy or VPN",
            )
        )

    async def next_pulse(self, seconds: float) -> float:
        """Return the round trip of the next heartbeat in ms.

        Raises:
            FailedError: No heartbeat was answered within `seconds`.
            PrtError: The connection was lost.
        """
        listener = self.connection.listener
        pulse = await listener.until(
            lambda: next(iter(self.connection.round_trips_ms[self._pulses_read :]), None), seconds
        )
        if pulse is not None:
            self._pulses_read += 1
            return pulse
        if listener.error is not None:
            raise listener.error
        raise FailedError(
            Failure(
                expected="an answer to a heartbeat",
                came=f"none in {seconds:g} s",
                cause="something on the way swallows websocket frames, or the server hangs",
                remedy="try without a proxy or VPN",
            )
        )

    def _note_frame(self, frame: Frame) -> None:
        payload = bytes(frame.payload)[:FRAME_SHOWN].decode(errors="replace")
        self._trace.note("server", f"{frame.event} {payload}")

    def _note_pulse(self, round_trip_ms: float) -> None:
        self._trace.note("server", f"heartbeat answered after {round_trip_ms:.1f} ms")


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
    """Open a bare connection, and close it at the end of the block.

    Raises:
        PrtError: The project refuses this identity, can't be reached, or does not follow the protocol.
    """
    opened = Line(session, trace, timing)
    async with bare_connection.opened(opened.connection):
        yield opened
