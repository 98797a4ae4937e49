"""Whether a stream is whole: what was last known of it, and the one gap that may be open.

A gap opens with a loss, gets its end with READY, and stays open until its recovery is done: a further
loss extends it, so that nothing falls between two recoveries.
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
SAMPLE_EVERY = 100_000
"""µs between two looks at how far the clocks are apart."""


class Continuity:
    """All times in µs of a clock that nothing adjusts, which `now` tells."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._last: Change | None = None
        self._sampled_at = 0
        self._aheads: deque[int] = deque(maxlen=SAMPLES)
        self._known: Known | None = None
        self._first_ready: int | None = None
        self.open: Gap | None = None

    def observe(self, change: Change) -> None:
        """Every change of the stream."""
        if change.lag_ms is None:
            return
        self._last = change
        # `at` is of the wall clock, which may be set: how far we are ahead is told by our own.
        if not 0 <= change.at - self._sampled_at < SAMPLE_EVERY:
            self._sampled_at = change.at
            self._aheads.append(self._now() - committed(change))

    def ready(self, now: int) -> Gap | None:
        """Changes flow again: the gap that this ends, which stays open until `closed`."""
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
        """The connection or the channel is gone; its last bytes came at `alive`.

        `was_deaf` if some of its tables may have been silent for a while before.
        """
        known = self._known = self._what_is_known(alive)
        start = windows.resubscribed_since(known) if was_deaf else windows.lost_since(known)
        self._extend(start, windows.until(known, now), tables, cause)

    def resubscribed(self, alive: int, now: int, tables: Sequence[str]) -> Gap:
        """The server subscribed anew without being asked: the gap before it."""
        known = self._known = self._what_is_known(alive)
        cause = "the server subscribed anew by itself: its publication changed, or it had lost us"
        return self._extend(windows.resubscribed_since(known), windows.until(known, now), tables, cause)

    def absent(self, since: int, now: int, tables: Sequence[str], cause: str) -> Gap:
        """Return the gap of tables that did not stream from `since` until now, though the others did."""
        return self._extend(since, windows.until(self._known, now), tables, cause)

    def damaged(self, alive: int, now: int, tables: Sequence[str], cause: str) -> Gap:
        """Return a gap for frames that can't be used: unreadable ones, and rows that the server cut."""
        known = self._known = self._what_is_known(alive)
        start = windows.lost_since(known)
        return self._extend(start, windows.until(known, now), tables, cause)

    def unfinished(self, now: int, *, is_up: bool) -> Gap | None:
        """The gap that the end of the watch leaves open; without READY since it lasts until now."""
        if self.open is None or is_up:
            return self.open
        return replace(self.open, end=max(self.open.start, windows.until(self._known, now)))

    def closed(self) -> None:
        """The recovery of the open gap is done."""
        self.open = None

    def _extend(self, start: int, end: int, tables: Sequence[str], cause: str) -> Gap:
        if self._first_ready is not None:
            start = max(start, windows.ready_by_server(self._known, self._first_ready))
        if self.open is not None:
            start = min(start, self.open.start)
            tables = sorted({*tables, *self.open.tables})
        self.open = Gap(at=end, start=min(start, end), end=end, tables=list(tables), cause=cause)
        return self.open

    def _what_is_known(self, alive: int) -> Known:
        last = self._last
        commit = None if last is None else committed(last)
        return Known(alive=alive, last_commit=commit, ahead=min(self._aheads, default=None))
