"""The gaps of a topic's broadcasts and presence, and what the server's broadcast replay recovers of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prt.clock import wall_clock
from prt.events import Event, Gap
from prt.stream.live.broadcast_replay import LARGEST_REPLAY, BroadcastReplay
from prt.stream.topic import TopicSettings

BEFORE = 1_000_000
"""µs before the last bytes at which a gap begins: a message may have been on its way when the connection
broke."""


class TopicGaps:
    """The gap of one topic: open from a loss until the topic is joined again and its replay is over.

    There is at most one open gap: a further loss extends it.
    """

    def __init__(
        self,
        settings: TopicSettings | None,
        broadcast_replay: BroadcastReplay | None,
        put: Callable[[Event], None],
        quiet_seconds: float,
    ) -> None:
        """Prepare the accounting of one topic's gaps.

        Args:
            settings: The topic's settings; None if there is only a subscription of tables, which has no topic
                gaps.
            broadcast_replay: The broadcast replay of the topic; None if there is no topic.
            put: Receives the `Gap` events.
            quiet_seconds: A replay counts as over once no replayed message has come for this time.
        """
        self._settings = settings
        self._broadcast_replay = broadcast_replay
        self._put = put
        self._quiet_seconds = quiet_seconds
        self._start: int | None = None
        self._cause = ""

    @property
    def is_open(self) -> bool:
        """Return whether a gap is open."""
        return self._start is not None

    def broke(self, alive: int, cause: str) -> None:
        """Open a gap because the connection or the channel was lost.

        A topic without broadcasts and presence has no gap.

        Args:
            alive: When the last bytes came, in µs since the epoch.
            cause: What was lost, as users read it.
        """
        settings = self._settings
        if settings is None or not (settings.events or settings.receives_presence):
            return
        if self._start is None:
            self._start, self._cause = alive - BEFORE, cause

    async def close(self) -> None:
        """Declare the gap that READY ended, after the server has replayed the broadcasts that it stores."""
        end, broadcast_replay = wall_clock(), self._broadcast_replay
        if broadcast_replay is None or broadcast_replay.wanted is None:
            self._declare(end, self._cause)
            return
        seen = -1
        while broadcast_replay.replayed != seen:
            seen = broadcast_replay.replayed
            await asyncio.sleep(self._quiet_seconds)
        if broadcast_replay.replayed >= LARGEST_REPLAY:
            cause = (
                f"{self._cause}; the server replays {LARGEST_REPLAY} messages at most: older ones are lost"
            )
            self._declare(end, cause, recovered=broadcast_replay.recovered)
        else:
            stored = "what the database sent, and what clients sent with persist"
            cause = f"{self._cause}; only what was stored is replayed: {stored}"
            self._declare(end, cause, recovered=broadcast_replay.recovered, is_complete=True)

    def end(self) -> None:
        """Declare the gap that is still open when the watch ends."""
        if self.is_open:
            self._declare(wall_clock(), f"{self._cause}; the watch ended before that was recovered")

    def _declare(self, end: int, cause: str, *, recovered: int = 0, is_complete: bool = False) -> None:
        if self._start is None or self._settings is None:
            return
        start, self._start = min(self._start, end), None
        self._put(
            Gap(
                at=wall_clock(),
                start=start,
                end=end,
                tables=[],
                topics=[self._settings.topic],
                cause=cause,
                recovered=recovered,
                complete=is_complete,
            )
        )
