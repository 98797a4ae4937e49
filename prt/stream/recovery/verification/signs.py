"""Signs of a loss: what can be observed when the server may have dropped changes. Pure."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Sign = Literal["late heartbeat", "end of a burst", "key inserted again"]

CAUSES: Final[dict[Sign, str]] = {
    "late heartbeat": "the server answered a heartbeat late: it had stalled",
    "end of a burst": "changes came faster than the smallest plan allows, above which a server drops them",
    "key inserted again": "a row was inserted that was there already: a DELETE or TRUNCATE did not come",
}
BURST_RATE: Final = 100
"""The number of changes a second above which a server may drop some: the rate of the smallest plan."""
SHORTEST_LOOK: Final = 0.5
"""The least number of seconds over which a rate is measured."""


class Burst(Struct, frozen=True):
    """A burst of changes that is over.

    Attributes:
        seconds: How long it lasted.
        first: The number of its first change in the stream.
    """

    seconds: float
    first: int


class Bursts:
    """The detection of bursts from the number of changes that have come."""

    def __init__(self) -> None:
        self._count = 0
        self._at: float | None = None
        self._began: tuple[float, int] | None = None

    def ended(self, count: int, now: float) -> Burst | None:
        """Return the burst that has just ended, or None.

        Args:
            count: How many changes have come so far.
            now: The present moment, in seconds of a running clock. A call is ignored if less than half a
                second has passed since the last one.
        """
        former_at, former = self._at, self._count
        if former_at is None:
            self._at, self._count = now, count
            return None
        elapsed = now - former_at
        if elapsed < SHORTEST_LOOK:
            return None
        self._at, self._count = now, count
        rate = (count - former) / elapsed
        if self._began is None:
            if rate >= BURST_RATE:
                self._began = (former_at, former)
            return None
        if rate >= BURST_RATE / 2:
            return None
        (began, first), self._began = self._began, None
        return Burst(now - began, first)
