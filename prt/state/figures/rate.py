"""The rate of events over the last seconds, by the events' own times."""

from __future__ import annotations

from collections import deque

from prt.events import Event

WINDOW = 5_000_000  # µs: long enough to read a rate, short enough to follow a burst
_SLICE = 100_000


class Rate:
    """Counts events in slices of a tenth of a second, and drops slices older than the window."""

    def __init__(self) -> None:
        self._slices: deque[list[int]] = deque()
        self._first: int | None = None

    def apply(self, event: Event) -> None:
        """Count an event."""
        self.add(event.at)

    def add(self, at: int) -> None:
        """Count something that happened at `at` (µs)."""
        if self._first is None:
            self._first = at
        slices = self._slices
        start = at - at % _SLICE
        if slices and slices[-1][0] >= start:
            slices[-1][1] += 1
            return
        slices.append([start, 1])
        while slices[0][0] <= start - WINDOW:
            slices.popleft()

    def per_second(self, now: int) -> float:
        """Return the rate at `now` (µs), over the last 5 s or the time since the first event."""
        if self._first is None:
            return 0.0
        count = sum(count for start, count in self._slices if start > now - WINDOW)
        return count / (min(max(now - self._first, 1_000_000), WINDOW) / 1_000_000)
