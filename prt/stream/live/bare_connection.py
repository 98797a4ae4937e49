"""A socket without a supervisor: it joins and leaves single topics, and does not reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prt.stream.live.listener import Listener
from prt.stream.rest.session import Session
from prt.stream.socket.client import Socket, SocketHandlers
from prt.stream.socket.failures import LostError
from prt.stream.socket.queue import EventQueue
from prt.stream.socket.wire import TOPIC_PREFIX, Frame, Vsn
from prt.stream.timing import DEFAULT, Timing
from prt.stream.topic import TopicSettings

if TYPE_CHECKING:
    from realtime import AsyncRealtimeChannel


class BareConnection:
    """One connection to the server, which is not opened again after a loss.

    Attributes:
        frames: The control frames that the server has sent so far.
        round_trips_ms: The round trips of the heartbeats so far, in milliseconds.
        listener: Waits for frames and heartbeats.
    """

    def __init__(
        self,
        session: Session,
        *,
        timing: Timing = DEFAULT,
        on_frame: Callable[[Frame], None] | None = None,
        on_pulse: Callable[[float], None] | None = None,
    ) -> None:
        """Prepare the connection.

        Args:
            session: The project's address and our identity.
            timing: The lengths of time of the connection.
            on_frame: Receives every control frame.
            on_pulse: Receives the round trip of every heartbeat, in milliseconds.
        """
        self.frames: list[Frame] = []
        self.round_trips_ms: list[float] = []
        self.listener = Listener()
        self.timing = timing
        self._on_frame = on_frame
        self._on_pulse = on_pulse
        self._channels: dict[str, AsyncRealtimeChannel] = {}
        endpoint = session.endpoint
        self._socket = Socket(
            endpoint.url,
            endpoint.key,
            token=endpoint.token,
            queue=EventQueue(),
            handlers=SocketHandlers(
                on_frame=self._note_frame,
                on_change=lambda _: None,
                on_broadcast=lambda _: False,
                on_unreadable=lambda: None,
                on_pulse=self._note_pulse,
            ),
            timing=timing,
        )
        self._socket.lost.add_done_callback(self._note_loss)

    @property
    def vsn(self) -> Vsn:
        """The version of the protocol that the server speaks."""
        return self._socket.vsn

    async def join(self, topic: str) -> None:
        """Join a topic, given without the prefix `realtime:`.

        Raises:
            JoinRefusedError: If the server refuses the join or does not answer.
            LostError: If the connection is lost.
        """
        self._channels[topic] = await self._socket.join(topic, [], TopicSettings(topic=topic).to_wire(None))

    async def leave(self, topic: str) -> None:
        """Leave a joined topic, which can then be joined again at once."""
        await self._socket.drop(self._channels.pop(topic))

    async def open(self) -> None:
        """Open the socket.

        Raises:
            HandshakeRefusedError: If the server refuses the handshake.
            UnreachableError: If there is no connection.
            ProtocolError: If the server's answer can't be understood.
        """
        await self._socket.open(self.timing.up)

    async def shut(self) -> None:
        """Close the connection."""
        await self._socket.shut()

    def _note_frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        if self._on_frame is not None:
            self._on_frame(frame)
        self.listener.notify()

    def _note_pulse(self, round_trip_ms: float | None) -> None:
        if round_trip_ms is not None:
            self.round_trips_ms.append(round_trip_ms)
            if self._on_pulse is not None:
                self._on_pulse(round_trip_ms)
            self.listener.notify()

    def _note_loss(self, lost: asyncio.Future[LostError]) -> None:
        if not lost.cancelled():
            self.listener.end(lost.result())


def is_close_of(topic: str, frame: Frame) -> bool:
    """Return whether a frame is the `phx_close` with which the server ends a topic's channel."""
    return frame.event == "phx_close" and frame.topic == TOPIC_PREFIX + topic


@asynccontextmanager
async def opened(connection: BareConnection) -> AsyncIterator[None]:
    """Keep the connection open for the block.

    Raises:
        PrtError: What `BareConnection.open` raises.
    """
    try:
        await connection.open()
        yield
    finally:
        await connection.shut()
