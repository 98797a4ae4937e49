"""A histogram with fixed bounds, as Prometheus needs it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Histogram:
    """Counts of values in buckets.

    `total` is the sum of the values, which never decreases because negative values count as 0.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        """Create the buckets with these upper bounds, in ascending order, and a last one without a bound."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        if value > 0:
            self.total += value

    def cumulative(self) -> Iterator[tuple[float | None, int]]:
        """Yield each bound, or None for the last, with the number of values up to it."""
        seen = 0
        for bound, count in zip((*self._bounds, None), self._counts, strict=True):
            seen += count
            yield bound, seen
