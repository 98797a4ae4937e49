"""Percentiles of the lag of changes, in constant memory.

A bucket spans a 64th of a power of two, 1.6 % at most, so a percentile is within 1 % of the true one. (This
is the scheme of HdrHistogram; `frexp` finds the bucket at half the cost of a logarithm.)
"""

from __future__ import annotations

import math

from prt.events import Change, Event

_PER_POWER = 64
_SMALLEST = 0.001  # ms: at and commit_timestamp have microseconds
_ZERO = 0


class Lag:
    """The lags of streamed changes in milliseconds; they are negative if the clocks differ."""

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._max = -math.inf
        self._min = math.inf
        self.count = 0

    def apply(self, event: Event) -> None:
        """Count the lag of a streamed change; rows of a snapshot or backfill are ignored."""
        if type(event) is Change and event.lag_ms is not None and event.source == "stream":
            self.add(event.lag_ms)

    def add(self, lag_ms: float) -> None:
        """Count a lag (ms)."""
        bucket = _bucket_of(lag_ms)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        if lag_ms > self._max:  # noqa: PLR1730 - this runs for every change, and max() costs twice as much
            self._max = lag_ms
        if lag_ms < self._min:  # noqa: PLR1730
            self._min = lag_ms

    def merge(self, other: Lag) -> None:
        """Add all lags of another object."""
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self.count += other.count
        self._max = max(self._max, other._max)
        self._min = min(self._min, other._min)

    def percentile(self, share: float) -> float | None:
        """Return the lag (ms) that a `share` (0 to 1) of the changes did not exceed; None without changes."""
        if not self.count:
            return None
        rank = max(1, math.ceil(share * self.count))
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(max(_middle_of(bucket), self._min), self._max)
        return self._max

    def summary(self) -> dict[str, float] | None:
        """Return p50, p95, p99 and max in ms for `End.lag_ms`; None without changes."""
        if not self.count:
            return None
        percentiles = {name: self.percentile(share) or 0.0 for name, share in _SUMMARY}
        return {name: round(value, 3) for name, value in {**percentiles, "max": self._max}.items()}


_SUMMARY = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))
_SHIFT = 1 - math.frexp(_SMALLEST)[1] * _PER_POWER  # keeps the buckets of small lags positive


def _bucket_of(lag_ms: float) -> int:
    """Return the bucket of a lag.

    Buckets have the order of their lags, and negative lags negative buckets.
    """
    size = abs(lag_ms)
    if size < _SMALLEST:
        return _ZERO
    mantissa, power = math.frexp(size)
    bucket = power * _PER_POWER + int((mantissa - 0.5) * (2 * _PER_POWER)) + _SHIFT
    return bucket if lag_ms > 0 else -bucket


def _middle_of(bucket: int) -> float:
    if bucket == _ZERO:
        return 0.0
    power, part = divmod(abs(bucket) - _SHIFT, _PER_POWER)
    return math.copysign(math.ldexp(0.5 + (part + 0.5) / (2 * _PER_POWER), power), bucket)
