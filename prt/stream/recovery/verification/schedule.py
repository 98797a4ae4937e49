"""When which table is read: pure arithmetic, in seconds of a running clock."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Hashable)


class Rates(Struct, frozen=True, kw_only=True):
    """The cost that verifying may have.

    `pause` is the least time in seconds between the starts of two requests, of whatever table; `share` is
    the part of the time that may go into reading one table; `every` is how often a table is read at most,
    unless there is a sign.
    """

    pause: float = 1.0
    share: float = 0.01
    every: float = 20.0


class Schedule(Generic[T]):
    """The times at which tables may and should be read. A table is any hashable name."""

    def __init__(self, rates: Rates, now: float) -> None:
        self._rates = rates
        self._start = now
        self._next_request = now
        self._due: dict[T, float] = {}
        self._rested: dict[T, float] = {}

    def add(self, table: T) -> None:
        """Make a table due at once, behind those that were added before."""
        self._due.setdefault(table, self._start)

    def remove(self, table: T) -> None:
        """Read a table no more."""
        self._due.pop(table, None)

    def hurry(self, table: T, now: float) -> None:
        """Make a table due now: there is a sign of a loss."""
        if table in self._due:
            self._due[table] = min(self._due[table], now)

    def finished(self, table: T, now: float) -> None:
        """Note that a window of the table was read to its end."""
        self._due[table] = now + self._rates.every

    def postpone(self, table: T, until: float) -> None:
        """Read a table not before a moment: it could not be read."""
        self._due[table] = until

    def requested(self, table: T, start: float, end: float) -> None:
        """Note a request, and let its table rest so that reading it stays below its share."""
        self._next_request = start + self._rates.pause
        self._rested[table] = end + (end - start) * (1 / self._rates.share - 1)

    def may_request(self, table: T, now: float) -> bool:
        """Return whether a request for the table is allowed now."""
        return now >= max(self._next_request, self._rested.get(table, 0.0))

    def next(self, now: float, *, busy: Iterable[T] = ()) -> T | None:
        """Return the table that has been due the longest and may be read now, if any; not a busy one."""
        kept = set(busy)
        ready = [
            (due, table)
            for table, due in self._due.items()
            if due <= now and table not in kept and self.may_request(table, now)
        ]
        return min(ready, key=lambda one: one[0])[1] if ready else None
