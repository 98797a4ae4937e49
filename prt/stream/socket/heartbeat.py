"""Heartbeats with a ref, whose round trips are measured.

Two heartbeats without an answer mean that the link is dead, even if TCP reports nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

MOST_UNANSWERED = 2
"""The number of heartbeats in a row without an answer at which the link counts as dead."""


class Heartbeat:
    """The heartbeats of one connection."""

    def __init__(
        self,
        next_ref: Callable[[], str],
        send: Callable[[str], Awaitable[None]],
        on_pulse: Callable[[float | None], None],
        seconds: float,
    ) -> None:
        """Prepare the heartbeats.

        Args:
            next_ref: Returns the ref of the next frame.
            send: Sends a heartbeat with this ref.
            on_pulse: Receives each round trip in milliseconds; None for a heartbeat that is late.
            seconds: The time between two heartbeats.
        """
        self._next_ref = next_ref
        self._send = send
        self._on_pulse = on_pulse
        self._seconds = seconds
        self._unanswered: dict[str, float] = {}
        self.is_held_up = False
        """Whether we have stopped reading. A missing answer means nothing then."""

    async def beat(self) -> None:
        """Send heartbeats until the link is dead. Raises what `send` raises."""
        while True:
            ref = self._next_ref()
            self._unanswered[ref] = time.monotonic()
            await self._send(ref)
            await asyncio.sleep(self._seconds)
            if self._unanswered and not self.is_held_up:
                if len(self._unanswered) >= MOST_UNANSWERED:
                    return
                self._on_pulse(None)

    def answered(self, ref: str) -> None:
        """Note the answer to the heartbeat with this ref, and report the round trip."""
        sent = self._unanswered.pop(ref, None)
        if sent is not None:
            self._unanswered.clear()
            self._on_pulse((time.monotonic() - sent) * 1000)

    def forget(self) -> None:
        """Forget the heartbeats that were sent while nothing was read."""
        self._unanswered.clear()
