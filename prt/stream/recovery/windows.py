"""Windows in which events may have been missed: pure arithmetic over what was last known to be whole.

Commit timestamps are the server's, everything else is ours; where the clocks differ by more than
delivery can explain, a window is moved to the server's time, because that is where its writes are.
"""

from __future__ import annotations

import time

from msgspec import Struct

from prt.clock import wall_clock

OVERLAP = 5_000_000
"""µs that a change may need from its commit to us: a polling server takes half a second, a busy one more."""
RESUBSCRIBED_SECONDS = 70.0
"""How long a server may have been deaf before it subscribes anew by itself: it looks every 60 s."""
SKEW = 1_000_000
"""µs by which clocks may seem to differ through latency alone."""


class Clock(Struct, frozen=True, kw_only=True):
    """Wall time that no adjustment moves: the wall clock at one moment, carried on by one that only runs.

    That one goes on while the machine sleeps, where the system has such a clock.
    """

    wall: int
    running: float

    def at(self, running: float) -> int:
        """A moment of the running clock, in seconds, as µs since the epoch."""
        return self.wall + round((running - self.running) * 1_000_000)


def running_clock() -> float:
    """Seconds that also count while the machine sleeps (Linux; elsewhere the monotonic clock)."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


def started_clock() -> Clock:
    """Return the wall clock and the running clock of this moment."""
    return Clock(wall=wall_clock(), running=running_clock())


class Known(Struct, frozen=True, kw_only=True):
    """The known moments of a stream when it breaks, in µs.

    `alive` is when its last bytes came, `last_commit` the largest commit delivered, `ahead` the least
    lag seen lately: how far our clock is ahead of the server's, delivery included.
    """

    alive: int
    last_commit: int | None = None
    ahead: int | None = None


def lost_since(known: Known) -> int:
    """Return where a gap begins (µs): what committed an overlap before it was delivered already."""
    start = known.alive - _skew(known) - OVERLAP
    return start if known.last_commit is None else max(start, known.last_commit - OVERLAP)


def resubscribed_since(known: Known) -> int:
    """Return where a gap begins that shows only by the server subscribing anew, or by its refusing to.

    Changes of one table prove nothing about another one: a table that was taken out of the publication is
    silent while its neighbours go on.
    """
    return known.alive - round(RESUBSCRIBED_SECONDS * 1_000_000) - _skew(known) - OVERLAP


def ready_by_server(known: Known | None, ready: int) -> int:
    """Return READY in the server's time (µs): no gap begins before the first one.

    Nothing that was committed before it is promised, and what was there should not be brought back.
    """
    return ready if known is None else ready - _skew(known)


def until(known: Known | None, ready: int) -> int:
    """Return where a gap ends (µs of the server).

    That is READY, or later if deliveries are slow: a slow delivery looks like a clock that is ahead.
    """
    ahead = None if known is None else known.ahead
    if ahead is None or -SKEW <= ahead <= OVERLAP:
        return ready
    return ready - ahead + OVERLAP


def _skew(known: Known) -> int:
    return known.ahead if known.ahead is not None and abs(known.ahead) > SKEW else 0
