"""A limit for a client's calls."""

from __future__ import annotations


class Calls:
    """A limit of calls in a window of `seconds`, which begins with a call, as the real server counts."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._count = 0
        self._end: float | None = None

    def is_allowed(self, now: float) -> bool:
        """Count a call, and return whether the limit allows it.

        `now` is in seconds of a clock that does not go back.
        """
        if self._end is None or now > self._end:
            self._end = now + self._seconds
            self._count = 0
        self._count += 1
        return self._count <= self._limit
