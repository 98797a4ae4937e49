"""Our use of a plan's limits: now, and at most.

The limits are those of the whole project. A client can't learn the use of others, so this is only its own.
"""

from __future__ import annotations

from msgspec import Struct

from prt.config.constants.plans import Limits
from prt.events import Broadcast, Change, Event, Presence, Status, Vitals
from prt.state.figures.rate import Rate

SECOND = 1_000_000
_OPEN = ("joining", "subscribed", "ready", "degraded")


class Use(Struct, frozen=True, kw_only=True):
    """A figure and its limit; `is_rate` marks figures per second."""

    name: str
    now: float
    most: float
    limit: int
    is_rate: bool

    @property
    def share(self) -> float:
        """The highest used share of the limit."""
        return max(self.now, self.most) / self.limit


class Usage:
    """The use of a plan's limits by our own connections."""

    def __init__(self, limits: Limits, *, connections: int = 1) -> None:
        """Create the figures; `connections` is how many connections we hold open."""
        self.limits = limits
        self._connections = connections
        self._is_open = False
        self._rates = {name: _Peak() for name in ("messages", "joins", "presence")}

    def apply(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, Vitals):
            self._is_open = event.phase in _OPEN
        elif isinstance(event, Status):
            if event.status == "SUBSCRIBED":
                self._rates["joins"].add(event.at)
        elif isinstance(event, Broadcast | Presence) or (
            isinstance(event, Change) and event.source == "stream"
        ):
            self._rates["messages"].add(event.at)
            if isinstance(event, Presence):
                self._rates["presence"].add(event.at)

    def uses(self, now: int) -> list[Use]:
        """Return the uses at `now` (µs): connections and channels, then the rates."""
        limits, most = self.limits, self._connections
        held = most if self._is_open else 0
        found = [
            Use(name="connections", now=held, most=most, limit=limits.connections, is_rate=False),
            Use(name="channels", now=min(held, 1), most=1, limit=limits.channels, is_rate=False),
        ]
        for name, limit in (
            ("messages", limits.messages),
            ("joins", limits.joins),
            ("presence", limits.presence),
        ):
            peak = self._rates[name]
            found.append(
                Use(name=name, now=peak.rate.per_second(now), most=peak.most, limit=limit, is_rate=True)
            )
        return found


class _Peak:
    """A rate, and the highest count in any second of the clock."""

    def __init__(self) -> None:
        self.rate = Rate()
        self.most = 0
        self._second = -1
        self._count = 0

    def add(self, at: int) -> None:
        self.rate.add(at)
        second = at // SECOND
        self._count = self._count + 1 if second == self._second else 1
        self._second = second
        self.most = max(self.most, self._count)
