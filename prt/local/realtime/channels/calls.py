"""How often a client may call."""

from __future__ import annotations


class Calls:
    """A limit of calls in a window of `seconds`, which begins with a call: the real server's way to count."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._count = 0
        self._end: float | None = None

    def is_allowed(self, now: float) -> bool:
        """Counts one; `now` in seconds of any clock that does not go back."""
        if self._end is None or now > self._end:
            self._end = now + self._seconds
            self._count = 0
        self._count += 1
        return self._count <= self._limit
