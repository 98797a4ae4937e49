"""The number, size, lag and kind of events over time, in constant memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from prt.events import Broadcast, Change, Cost, Event, Presence, Verified, Vitals
from prt.state.figures.lag import Lag
from prt.state.figures.verification import Verification

SLICE: Final = 1_000_000
"""The length of a time slice (µs)."""
SLICES: Final = 600
_MOST_TABLES: Final = 1000


class Slice:
    """The events of one second."""

    __slots__ = ("bytes", "count", "lag", "start", "types")

    def __init__(self, start: int) -> None:
        self.start = start
        self.count = 0
        self.bytes = 0
        self.lag = Lag()
        self.types: Counter[str] = Counter()


class Stats:
    """The statistics of a watch. `bytes` counts rows and payloads without their envelopes."""

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.busiest = 0
        """The most events in a second."""
        self.lag = Lag()
        self.tables: Counter[tuple[str, str]] = Counter()
        self.events: Counter[tuple[str, str, str]] = Counter()
        """Changes by schema, table and event type."""
        self.types: Counter[str] = Counter()
        self.verification = Verification()
        self.cost = Cost()
        self._slices: deque[Slice] = deque(maxlen=SLICES)

    def apply(self, event: Event) -> None:
        """Count an event."""
        kind: str
        merged = 1
        if type(event) is Change:
            if event.source != "stream":
                return
            merged = event.merged
            kind, size = event.event_type, len(bytes(event.new)) + len(bytes(event.old))
            name = (event.schema, event.table)
            if name in self.tables or len(self.tables) < _MOST_TABLES:
                self.tables[name] += merged
                self.events[(*name, kind)] += merged
        elif type(event) is Broadcast:
            kind, size = "broadcast", len(event.binary or bytes(event.payload))
        elif type(event) is Presence and event.event != "sync":
            kind, size = "presence", 0
        else:
            if type(event) is Verified:
                self.verification.apply(event)
            elif type(event) is Vitals:
                self.cost = event.cost
            return
        self.count += merged
        self.bytes += size
        self.types[kind] += merged
        last = self._slice(event.at)
        last.count += merged
        last.bytes += size
        last.types[kind] += merged
        self.busiest = max(self.busiest, last.count)
        if type(event) is Change and event.lag_ms is not None:
            self.lag.add(event.lag_ms)
            last.lag.add(event.lag_ms)

    def slices(self, count: int, now: int) -> Iterator[Slice]:
        """Yield the last `count` whole seconds before `now` (µs), the oldest first.

        Quiet seconds are empty.
        """
        end = now - now % SLICE
        known = {one.start: one for one in self._slices}
        for start in range(end - count * SLICE, end, SLICE):
            yield known.get(start) or Slice(start)

    def _slice(self, at: int) -> Slice:
        start = at - at % SLICE
        if not self._slices or self._slices[-1].start < start:
            self._slices.append(Slice(start))
        return self._slices[-1]
