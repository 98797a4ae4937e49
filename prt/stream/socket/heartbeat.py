"""Heartbeats with a ref, timed: two unanswered ones mean a dead link even when TCP says nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

MOST_UNANSWERED = 2


class Heartbeat:
    """`send` takes the ref; `on_pulse` gets the round trip in ms, None for one that is late."""

    def __init__(
        self,
        next_ref: Callable[[], str],
        send: Callable[[str], Awaitable[None]],
        on_pulse: Callable[[float | None], None],
        seconds: float,
    ) -> None:
        self._next_ref = next_ref
        self._send = send
        self._on_pulse = on_pulse
        self._seconds = seconds
        self._unanswered: dict[str, float] = {}
        self.is_held_up = False
        """While we do not read ourselves, no answer means nothing."""

    async def beat(self) -> None:
        """Returns when the link is dead. Raises what `send` does."""
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
        """Note the answer to a heartbeat, and report the round trip."""
        sent = self._unanswered.pop(ref, None)
        if sent is not None:
            self._unanswered.clear()
            self._on_pulse((time.monotonic() - sent) * 1000)

    def forget(self) -> None:
        """Forget the heartbeats that were sent while nothing was read."""
        self._unanswered.clear()
