"""Tables that the server refuses on a live connection, joined again on channels of their own."""

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
from prt.stream.socket.failures import NothingTakenError
from prt.stream.socket.wire import Frame
from prt.stream.timing import Timing

SUFFIX = "again"


class Rejoining:
    """Asks for the refused tables of one connection as a lost connection is asked for, until it takes them.

    A table may leave the publication and come back; the server itself never joins a channel of it again.
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
        """`on_back` gets bindings whose changes flow again, `on_failed` what ended one of the channels."""
        self._socket = socket
        self._topic = topic
        self._timing = timing
        self._on_back = on_back
        self._on_resubscribed = on_resubscribed
        self._on_failed = on_failed
        self._channels: list[Subscription] = []
        self._endings: set[asyncio.Task[None]] = set()

    def on_frame(self, frame: Frame) -> None:
        """Every control frame of the connection, in order."""
        for channel in self._channels:
            channel.on_frame(frame)

    def expect_answers(self) -> None:
        """Note that a fresh token is given: each channel is subscribed anew for it, which is not a gap."""
        for channel in self._channels:
            channel.expect_answer()

    async def run(self, refused: Sequence[Binding]) -> None:
        """Try until all of them are taken; runs as long as the connection lasts."""
        left = list(refused)
        failures = 0
        try:
            while left:
                failures += 1
                chance = random.random()  # noqa: S311 - jitter
                await asyncio.sleep(pause(failures, chance, self._timing.first_pause, self._timing))
                taken = await self._attempt(left)
                left = [binding for binding in left if binding not in taken]
            await asyncio.gather(*self._endings)
        finally:
            for task in self._endings:
                task.cancel()

    async def _attempt(self, bindings: list[Binding]) -> list[Binding]:
        """Return those that the server takes, on a channel that stays; what it refuses is left again."""
        channel = Subscription(
            self._socket,
            f"{self._topic}:{SUFFIX}:{len(self._channels) + 1}",
            room=None,
            past=None,
            timing=self._timing,
            handlers=SubscriptionHandlers(
                put=_unsaid,
                on_joined=lambda: None,
                on_ready=self._on_back,
                on_resubscribed=self._on_resubscribed,
            ),
        )
        self._channels.append(channel)
        try:
            taken = await channel.establish(bindings)
        except NothingTakenError:
            await channel.leave()
            self._channels.remove(channel)
            return []
        except PrtError as exc:
            self._on_failed(exc)
            return bindings
        task = asyncio.create_task(self._until_ended(channel))
        self._endings.add(task)
        return taken

    async def _until_ended(self, channel: Subscription) -> None:
        self._on_failed(await channel.end())


def _unsaid(_: Event) -> None:
    """The refusal is known; that the tables are back is said once."""
