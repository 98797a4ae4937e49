"""The gaps of a topic's broadcasts and presence: what an outage took, and what the server replayed of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prt.clock import wall_clock
from prt.events import Event, Gap
from prt.stream.live.broadcast_replay import LARGEST_REPLAY, Past
from prt.stream.topic import Room

BEFORE = 1_000_000
"""µs before the last bytes came: a message may have been on its way when the connection broke."""


class TopicGaps:
    """The gap of a topic, at most one: open from a loss until the topic is joined and replayed again."""

    def __init__(
        self, room: Room | None, past: Past | None, put: Callable[[Event], None], quiet_seconds: float
    ) -> None:
        """`put` gets the gaps; a replay is over once nothing of it came for `quiet_seconds`."""
        self._room = room
        self._past = past
        self._put = put
        self._quiet_seconds = quiet_seconds
        self._start: int | None = None
        self._cause = ""

    @property
    def is_open(self) -> bool:
        """Return whether a gap is open."""
        return self._start is not None

    def broke(self, alive: int, cause: str) -> None:
        """Note a loss; the last bytes came at `alive` (µs)."""
        room = self._room
        if room is None or not (room.events or room.hears_presence):
            return
        if self._start is None:
            self._start, self._cause = alive - BEFORE, cause

    async def close(self) -> None:
        """Declare the gap after READY, once the server has replayed what it keeps."""
        end, past = wall_clock(), self._past
        if past is None or past.wanted is None:
            self._declare(end, self._cause)
            return
        seen = -1
        while past.replayed != seen:
            seen = past.replayed
            await asyncio.sleep(self._quiet_seconds)
        if past.replayed >= LARGEST_REPLAY:
            cause = (
                f"{self._cause}; the server replays {LARGEST_REPLAY} messages at most: older ones are lost"
            )
            self._declare(end, cause, recovered=past.recovered)
        else:
            cause = f"{self._cause}; what clients sent is not replayed, what the database sent is"
            self._declare(end, cause, recovered=past.recovered, is_complete=True)

    def end(self) -> None:
        """Declare the gap that the end of the watch leaves open."""
        if self.is_open:
            self._declare(wall_clock(), f"{self._cause}; the watch ended before that was recovered")

    def _declare(self, end: int, cause: str, *, recovered: int = 0, is_complete: bool = False) -> None:
        if self._start is None or self._room is None:
            return
        start, self._start = min(self._start, end), None
        self._put(
            Gap(
                at=wall_clock(),
                start=start,
                end=end,
                tables=[],
                topics=[self._room.topic],
                cause=cause,
                recovered=recovered,
                complete=is_complete,
            )
        )
