"""Rates per second, compared with a plan's limits and averaged as on the real server. Pure.

Events are counted in buckets of 5 s, and the average is taken over the last twelve buckets, or over as many
as there are. So a burst is not limited before its first bucket ends, and counts for a minute afterwards.
"""

from __future__ import annotations

from collections import deque

from prt.config.constants.plans import Limits

BUCKETS = 12


class Rate:
    """The average rate of one kind of event. `is_exceeded` changes only in `tick`, when a bucket ends.

    `limit` is in events per second, None for no limit; `seconds` is the length of a bucket.
    """

    def __init__(self, limit: float | None, seconds: float) -> None:
        self.is_exceeded = False
        self._limit = limit
        self._seconds = seconds
        self._count = 0
        self._buckets: deque[int] = deque([0], maxlen=BUCKETS)  # the real server counts its start as one

    def add(self, count: int = 1) -> None:
        """Count events in the current bucket."""
        self._count += count

    def tick(self) -> None:
        """End the current bucket and compare the average with the limit."""
        self._buckets.append(self._count)
        self._count = 0
        average = sum(self._buckets) / (len(self._buckets) * self._seconds)
        self.is_exceeded = self._limit is not None and average >= self._limit


class Rates:
    """The rates of a project. As on the real server, database changes are counted apart from messages."""

    def __init__(self, limits: Limits | None, seconds: float) -> None:
        messages, joins, presence = (
            (limits.messages, limits.joins, limits.presence) if limits else (None, None, None)
        )
        self.changes = Rate(messages, seconds)
        self.messages = Rate(messages, seconds)
        self.joins = Rate(joins, seconds)
        self.presence = Rate(presence, seconds)

    def tick(self) -> None:
        """End the current bucket of each rate."""
        for rate in (self.changes, self.messages, self.joins, self.presence):
            rate.tick()
