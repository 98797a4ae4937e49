"""How many values lie below fixed bounds, as Prometheus's histograms count them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Histogram:
    """Values in buckets. `total` is their sum, which never falls: negative values count as 0."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Take the upper bounds of the buckets in ascending order; a last one has no bound."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        if value > 0:
            self.total += value

    def cumulative(self) -> Iterator[tuple[float | None, int]]:
        """Yield each bound, None for the last, with the number of values that don't exceed it."""
        seen = 0
        for bound, count in zip((*self._bounds, None), self._counts, strict=True):
            seen += count
            yield bound, seen
