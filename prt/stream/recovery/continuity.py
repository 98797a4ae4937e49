"""Whether a stream is complete: its last known moments, and the one gap that may be open.

A gap opens with a loss, gets its end with READY, and stays open until its recovery is done. A further loss
extends the open gap, so that no change falls between two recoveries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from prt.events import Change, Gap
from prt.stream.recovery import windows
from prt.stream.recovery.windows import Known
from prt.stream.socket.queue import committed

SAMPLES = 64
"""How many of the latest clock differences are kept."""
SAMPLE_EVERY = 100_000
"""µs between two measurements of how far our clock is ahead of the server's."""


class Continuity:
    """The record of a stream's last known moments, from which it computes the bounds of gaps.

    All moments are µs since the epoch by a clock that ignores adjustments of the wall clock
    (`windows.Clock`).

    Attributes:
        open: The open gap, or None.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        """Start without a gap; `now` is the clock, in µs since the epoch."""
        self._now = now
        self._last: Change | None = None
        self._sampled_at = 0
        self._aheads: deque[int] = deque(maxlen=SAMPLES)
        self._known: Known | None = None
        self._first_ready: int | None = None
        self.open: Gap | None = None

    def observe(self, change: Change) -> None:
        """Note a streamed change; must be called for every change. Changes without `lag_ms` are ignored."""
        if change.lag_ms is None:
            return
        self._last = change
        # `at` is wall time, which may be adjusted, so the difference is measured by our own clock.
        if not 0 <= change.at - self._sampled_at < SAMPLE_EVERY:
            self._sampled_at = change.at
            self._aheads.append(self._now() - committed(change))

    def ready(self, now: int) -> Gap | None:
        """Note that changes flow from `now` (µs) on.

        Returns:
            The gap that ends with this READY, or None if there is none. It stays open until `closed` is
            called.
        """
        if self._first_ready is None:
            self._first_ready = now
        if self.open is None:
            return None
        end = windows.until(self._known, now)
        self.open = replace(self.open, start=min(self.open.start, end), end=end)
        return self.open

    def broke(
        self, alive: int, now: int, tables: Sequence[str], cause: str, *, was_deaf: bool = False
    ) -> None:
        """Open a gap, or extend the open one, because the connection or the channel was lost.

        Args:
            alive: When the last bytes came (µs).
            now: The present moment (µs).
            tables: The tables that streamed, as `schema.table`.
            cause: What was lost, as users read it.
            was_deaf: Whether some of the tables may have been silent for a while before the loss. The gap
                then begins `RESUBSCRIBED_SECONDS` earlier.
        """
        known = self._known = self._known_state(alive)
        start = windows.resubscribed_since(known) if was_deaf else windows.lost_since(known)
        self._extend(start, windows.until(known, now), tables, cause)

    def resubscribed(self, alive: int, now: int, tables: Sequence[str]) -> Gap:
        """Open or extend a gap because the server subscribed again without a request, and return the gap.

        Args:
            alive: When the last bytes came (µs).
            now: The present moment (µs).
            tables: The tables that stream, as `schema.table`.
        """
        known = self._known = self._known_state(alive)
        cause = "the server subscribed anew by itself: its publication changed, or it had lost us"
        return self._extend(windows.resubscribed_since(known), windows.until(known, now), tables, cause)

    def absent(self, since: int, now: int, tables: Sequence[str], cause: str) -> Gap:
        """Open or extend the gap of tables that did not stream although other tables did, and return it.

        Args:
            since: When the tables stopped streaming (µs).
            now: The present moment (µs), which ends the gap.
            tables: The tables, as `schema.table`.
            cause: Why they did not stream, as users read it.
        """
        return self._extend(since, windows.until(self._known, now), tables, cause)

    def damaged(self, alive: int, now: int, tables: Sequence[str], cause: str) -> Gap:
        """Open or extend a gap for unusable frames: unreadable ones, and rows that the server cut.

        Args:
            alive: When the last bytes came (µs).
            now: The present moment (µs).
            tables: The tables that the frames may have been about, as `schema.table`.
            cause: What is wrong with the frames, as users read it.

        Returns:
            The open gap.
        """
        known = self._known = self._known_state(alive)
        start = windows.lost_since(known)
        return self._extend(start, windows.until(known, now), tables, cause)

    def unfinished(self, now: int, *, is_up: bool) -> Gap | None:
        """Return the gap that is still open when the watch ends, or None.

        Args:
            now: The present moment (µs).
            is_up: Whether changes flow. If not, the gap lasts until `now`.
        """
        if self.open is None or is_up:
            return self.open
        return replace(self.open, end=max(self.open.start, windows.until(self._known, now)))

    def closed(self) -> None:
        """Close the open gap: its recovery is done."""
        self.open = None

    def _extend(self, start: int, end: int, tables: Sequence[str], cause: str) -> Gap:
        if self._first_ready is not None:
            start = max(start, windows.ready_by_server(self._known, self._first_ready))
        if self.open is not None:
            start = min(start, self.open.start)
            tables = sorted({*tables, *self.open.tables})
        self.open = Gap(at=end, start=min(start, end), end=end, tables=list(tables), cause=cause)
        return self.open

    def _known_state(self, alive: int) -> Known:
        last = self._last
        commit = None if last is None else committed(last)
        return Known(alive=alive, last_commit=commit, ahead=min(self._aheads, default=None))
