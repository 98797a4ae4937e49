"""The bounds of gaps: pure arithmetic on the last moments at which the stream was known to be complete.

Commit timestamps are by the server's clock, all other moments are by ours. If the two clocks differ by more
than the delivery of a change can explain, a gap is moved to the server's time, because its writes are dated
by the server.
"""

from __future__ import annotations

import time

from msgspec import Struct

from prt.clock import wall_clock

OVERLAP = 5_000_000
"""The longest time (µs) that a change may need from its commit to us: a polling server needs half a second, a
busy one more."""
RESUBSCRIBED_SECONDS = 70.0
"""The longest time that a server may have received no changes before it subscribes again by itself: it checks
its subscriptions every 60 s."""
SKEW = 1_000_000
"""The largest difference (µs) between the clocks that latency alone can explain."""


class Clock(Struct, frozen=True, kw_only=True):
    """A clock that shows wall time but ignores adjustments of the system's wall clock.

    It takes the wall time once and adds what a running clock has counted since. The running clock also counts
    while the machine sleeps, if the system has such a clock.

    Attributes:
        wall: The wall time at the start, in µs since the epoch.
        running: The running clock at the start, in seconds.
    """

    wall: int
    running: float

    def at(self, running: float) -> int:
        """Convert a moment of the running clock (seconds) into µs since the epoch."""
        return self.wall + round((running - self.running) * 1_000_000)


def running_clock() -> float:
    """Return the seconds of a running clock.

    On Linux it also counts while the machine sleeps. Elsewhere it is the monotonic clock.
    """
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


def started_clock() -> Clock:
    """Return a `Clock` that starts with the wall time and the running clock of this moment."""
    return Clock(wall=wall_clock(), running=running_clock())


class Known(Struct, frozen=True, kw_only=True):
    """The last moments of a stream before it broke, all in µs.

    Attributes:
        alive: When the last bytes came, by our clock.
        last_commit: The commit time of the last change that was delivered, by the server's clock; None if
            none came.
        ahead: The smallest recent difference between the arrival of a change by our clock and its commit by
            the server's, that is, how far our clock is ahead, delivery included; None if no change came.
    """

    alive: int
    last_commit: int | None = None
    ahead: int | None = None


def lost_since(known: Known) -> int:
    """Return the start of a gap after a lost connection (µs of the server).

    What was committed more than `OVERLAP` before the last delivered commit, or before the last bytes, had
    already been delivered. The later one of the two bounds counts.
    """
    start = known.alive - _skew(known) - OVERLAP
    return start if known.last_commit is None else max(start, known.last_commit - OVERLAP)


def resubscribed_since(known: Known) -> int:
    """Return the start of a gap that shows only because the server subscribes again (µs of the server).

    The last commit does not count here, because changes of one table prove nothing about another one: a table
    that was taken out of the publication is silent while the other tables still stream.
    """
    return known.alive - round(RESUBSCRIBED_SECONDS * 1_000_000) - _skew(known) - OVERLAP


def ready_by_server(known: Known | None, ready: int) -> int:
    """Convert the moment of READY (µs) into the server's time. No gap begins before the first READY.

    Changes that were committed before the first READY are not promised, and rows that existed then should not
    be emitted as recovered.
    """
    return ready if known is None else ready - _skew(known)


def until(known: Known | None, ready: int) -> int:
    """Return the end of a gap: the moment of READY in the server's time, in µs.

    If our clock seems to be ahead by more than `OVERLAP`, or behind, READY is converted, and `OVERLAP` is
    added: slow deliveries look the same as a clock that is ahead.
    """
    ahead = None if known is None else known.ahead
    if ahead is None or -SKEW <= ahead <= OVERLAP:
        return ready
    return ready - ahead + OVERLAP


def _skew(known: Known) -> int:
    return known.ahead if known.ahead is not None and abs(known.ahead) > SKEW else 0
