"""How much happens a second, against a plan's limits, averaged as the real server averages it. Pure.

It counts in buckets of 5 s and averages over the last twelve of them, or over as many as there are. So a
burst that starts is let through until the bucket ends, and one that has ended weighs for a minute.
"""

from __future__ import annotations

from collections import deque

from prt.config.constants.plans import Limits

BUCKETS = 12


class Rate:
    """One average. `is_exceeded` changes with `tick` alone, at the end of each bucket of `seconds`."""

    def __init__(self, limit: float | None, seconds: float) -> None:
        self.is_exceeded = False
        self._limit = limit
        self._seconds = seconds
        self._count = 0
        self._buckets: deque[int] = deque([0], maxlen=BUCKETS)  # the real server counts its start as one

    def add(self, count: int = 1) -> None:
        """Count into the present bucket."""
        self._count += count

    def tick(self) -> None:
        """End the present bucket."""
        self._buckets.append(self._count)
        self._count = 0
        average = sum(self._buckets) / (len(self._buckets) * self._seconds)
        self.is_exceeded = self._limit is not None and average >= self._limit


class Rates:
    """All that a project counts. Changes of the database have a counter of their own on the real server."""

    def __init__(self, limits: Limits | None, seconds: float) -> None:
        messages, joins, presence = (
            (limits.messages, limits.joins, limits.presence) if limits else (None, None, None)
        )
        self.changes = Rate(messages, seconds)
        self.messages = Rate(messages, seconds)
        self.joins = Rate(joins, seconds)
        self.presence = Rate(presence, seconds)

    def tick(self) -> None:
        """End the present bucket of each."""
        for rate in (self.changes, self.messages, self.joins, self.presence):
            rate.tick()
