"""The metrics of a watch for a monitoring system."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeVar

from msgspec import Struct

from prt.config.constants.plans import limits_of
from prt.events import Broadcast, Change, End, Event, Gap, Malformed, Presence, Verified, Vitals
from prt.state.figures.histogram import Histogram
from prt.state.figures.usage import Usage
from prt.state.figures.verification import Verification

PHASES: Final = (
    "offline",
    "connecting",
    "joining",
    "subscribed",
    "ready",
    "degraded",
    "waiting",
    "ended",
)
"""The phases of a connection."""
DELAYS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""The bounds of histograms of delays in seconds: from a server nearby to deliveries by polling."""
OTHER: Final = "(other)"
"""The name that counts all names beyond the first `_MOST_NAMES`, because each name is a time series."""

_MOST_NAMES: Final = 1_000
_JOINED: Final = ("subscribed", "ready", "degraded")
_READY: Final = ("ready", "degraded")
Key = TypeVar("Key")


class Beat(Struct, frozen=True, kw_only=True):
    """A canary: a row that was written at `at` (µs).

    `delay` is the time until the row arrived, in seconds; None if it didn't arrive or couldn't be written.
    """

    at: int
    delay: float | None


class Metrics:
    """The figures of a watch.

    `ready_since` (µs) is None unless changes flow. `losses` counts changes that a verification found missing.
    """

    def __init__(self, *, plan: str = "free", connections: int = 1) -> None:
        """Create the figures of a watch that opens `connections` on a project of this plan."""
        self.plan = plan
        self.usage = Usage(limits_of(plan), connections=connections)
        self.vitals: Vitals | None = None
        self.phase = "offline"
        self.ready_since: int | None = None
        self.changes: Counter[tuple[str, str, str]] = Counter()
        """Counts by the table as `schema.table`, the kind of event, and the source."""
        self.broadcasts: Counter[str] = Counter()
        """Counts by topic."""
        self.presences: Counter[str] = Counter()
        """Counts by topic."""
        self.malformed = 0
        self.lag = Histogram(DELAYS)
        self.gaps = 0
        self.incomplete_gaps = 0
        self.recovered = 0
        self.losses = 0
        self.verification = Verification()
        self.beats = 0
        self.arrivals = Histogram(DELAYS)
        self.last_beat: Beat | None = None
        self._tables: dict[tuple[str, str], str] = {}

    @property
    def is_connected(self) -> bool:
        """Whether the channel is joined."""
        return self.phase in _JOINED

    def apply(self, event: Event) -> None:
        """Count an event."""
        if type(event) is Change:
            self._count(event)
        elif type(event) is Broadcast:
            _add(self.broadcasts, event.topic, OTHER)
        elif type(event) is Presence:
            if event.event != "sync":
                _add(self.presences, event.topic, OTHER)
        elif type(event) is Gap:
            self.gaps += 1
            self.incomplete_gaps += not event.complete
            self.recovered += event.recovered
            self.losses += event.losses
        elif type(event) is Vitals:
            self._turn(event.phase, event.since)
            self.vitals = event
        elif type(event) is Verified:
            self.verification.apply(event)
        elif type(event) is Malformed:
            self.malformed += 1
        elif type(event) is End:
            self._turn("ended", event.at)
        self.usage.apply(event)

    def note(self, beat: Beat) -> None:
        """Count a canary."""
        self.beats += 1
        self.last_beat = beat
        if beat.delay is not None:
            self.arrivals.add(beat.delay)

    def _turn(self, phase: str, since: int) -> None:
        if phase not in _READY:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = since
        self.phase = phase

    def _count(self, change: Change) -> None:
        table = self._tables.get((change.schema, change.table))
        if table is None:
            is_known = len(self._tables) < _MOST_NAMES
            table = f"{change.schema}.{change.table}" if is_known else OTHER
            if is_known:
                self._tables[change.schema, change.table] = table
        self.changes[table, change.event_type, change.source] += change.merged
        if change.source == "stream" and change.lag_ms is not None:
            self.lag.add(change.lag_ms / 1000)


def _add(counter: Counter[Key], key: Key, other: Key) -> None:
    counter[key if key in counter or len(counter) < _MOST_NAMES else other] += 1
