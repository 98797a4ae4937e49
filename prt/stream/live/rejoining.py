"""Joining again, on channels of their own, the tables that the server refused while others stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from prt.errors import PrtError
from prt.events import Event
from prt.stream.binding import Binding
from prt.stream.live.subscription import Subscription, SubscriptionHandlers
from prt.stream.live.supervisor import pause
from prt.stream.socket.client import Socket
from prt.stream.socket.failures import NothingAcceptedError
from prt.stream.socket.wire import Frame
from prt.stream.timing import Timing

SUFFIX = "again"
"""The part that is added to the topic for such a channel."""


class Rejoining:
    """The repeated requests for refused tables, with growing pauses, until the server accepts them.

    A table may leave the publication and come back. The server itself never joins a channel of it again.
    """

    def __init__(
        self,
        socket: Socket,
        topic: str,
        timing: Timing,
        *,
        on_back: Callable[[list[Binding]], None],
        on_resubscribed: Callable[[], None],
        on_failed: Callable[[PrtError], None],
    ) -> None:
        """Prepare the rejoining on one connection.

        Args:
            socket: The socket of the connection.
            topic: The topic of the source without the prefix `realtime:`.
            timing: The lengths of time of the connection.
            on_back: Receives bindings whose changes flow again.
            on_resubscribed: Called when the server subscribes again without a request.
            on_failed: Receives the error that ended one of the channels.
        """
        self._socket = socket
        self._topic = topic
        self._timing = timing
        self._on_back = on_back
        self._on_resubscribed = on_resubscribed
        self._on_failed = on_failed
        self._channels: list[Subscription] = []
        self._endings: set[asyncio.Task[None]] = set()

    def on_frame(self, frame: Frame) -> None:
        """Handle a control frame. Must be called with every control frame of the connection, in order."""
        for channel in self._channels:
            channel.on_frame(frame)

    def expect_answers(self) -> None:
        """Note that the server will subscribe each channel again for a fresh token, which is not a gap."""
        for channel in self._channels:
            channel.expect_answer()

    async def run(self, refused: Sequence[Binding]) -> None:
        """Ask for the refused bindings until the server accepts all, then wait for the channels' end."""
        left = list(refused)
        failures = 0
        try:
            while left:
                failures += 1
                chance = random.random()  # noqa: S311 - jitter
                await asyncio.sleep(pause(failures, chance, self._timing.first_pause, self._timing))
                accepted = await self._attempt(left)
                left = [binding for binding in left if binding not in accepted]
            await asyncio.gather(*self._endings)
        finally:
            for task in self._endings:
                task.cancel()

    async def _attempt(self, bindings: list[Binding]) -> list[Binding]:
        """Join with the bindings that the server accepts, on a new channel, and return them."""
        channel = Subscription(
            self._socket,
            f"{self._topic}:{SUFFIX}:{len(self._channels) + 1}",
            settings=None,
            broadcast_replay=None,
            timing=self._timing,
            handlers=SubscriptionHandlers(
                put=_ignore,
                on_joined=lambda: None,
                on_ready=self._on_back,
                on_resubscribed=self._on_resubscribed,
            ),
        )
        self._channels.append(channel)
        try:
            accepted = await channel.establish(bindings)
        except NothingAcceptedError:
            await channel.leave()
            self._channels.remove(channel)
            return []
        except PrtError as exc:
            self._on_failed(exc)
            return bindings
        task = asyncio.create_task(self._until_ended(channel))
        self._endings.add(task)
        return accepted

    async def _until_ended(self, channel: Subscription) -> None:
        self._on_failed(await channel.end())


def _ignore(_: Event) -> None:
    """Ignore an event: the refusal was reported before, and `on_back` reports the tables' return."""
