"""When which table is read: pure arithmetic, in seconds of a running clock."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Hashable)


class Rates(Struct, frozen=True, kw_only=True):
    """The limits on the load that a verification may cause.

    Attributes:
        pause: The least number of seconds between the starts of two requests of any tables.
        share: The part of the time (0 to 1) that may be spent on requests of one table.
        every: The seconds for which a table rests after it was verified, unless there is a sign of a loss.
    """

    pause: float = 1.0
    share: float = 0.01
    every: float = 20.0


class Schedule(Generic[T]):
    """The times at which tables may be read and should be read. Any hashable value can name a table.

    All moments are seconds of a running clock.
    """

    def __init__(self, rates: Rates, now: float) -> None:
        self._rates = rates
        self._start = now
        self._next_request = now
        self._due: dict[T, float] = {}
        self._rested: dict[T, float] = {}

    def add(self, table: T) -> None:
        """Make a table due at once, after those that were added before."""
        self._due.setdefault(table, self._start)

    def remove(self, table: T) -> None:
        """Remove a table, which is then never due."""
        self._due.pop(table, None)

    def hurry(self, table: T, now: float) -> None:
        """Make a table due now, because there is a sign of a loss."""
        if table in self._due:
            self._due[table] = min(self._due[table], now)

    def finished(self, table: T, now: float) -> None:
        """Note that a window of the table was read to its end, so that the table rests."""
        self._due[table] = now + self._rates.every

    def postpone(self, table: T, until: float) -> None:
        """Make a table due only at a later moment, because it could not be read."""
        self._due[table] = until

    def requested(self, table: T, start: float, end: float) -> None:
        """Note a request, and let its table rest until its requests are below their share of the time."""
        self._next_request = start + self._rates.pause
        self._rested[table] = end + (end - start) * (1 / self._rates.share - 1)

    def may_request(self, table: T, now: float) -> bool:
        """Return whether a request of the table is allowed now."""
        return now >= max(self._next_request, self._rested.get(table, 0.0))

    def next(self, now: float, *, busy: Iterable[T] = ()) -> T | None:
        """Return the table that has been due the longest and may be read now, or None.

        Args:
            now: The present moment.
            busy: Tables that are not to be read now.
        """
        kept = set(busy)
        ready = [
            (due, table)
            for table, due in self._due.items()
            if due <= now and table not in kept and self.may_request(table, now)
        ]
        return min(ready, key=lambda one: one[0])[1] if ready else None
