"""Several topics as one source: their events in one queue, and their connections reported as one.

A topic that is refused is reported and left out. It never blocks the others, because each topic has a socket
of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Cost, Event, Status, Vitals
from prt.redaction import redact
from prt.stream.live.source import Live
from prt.stream.socket.queue import EventQueue

WORST_FIRST = ("offline", "connecting", "waiting", "joining", "subscribed", "degraded", "ready")
"""The phases of a connection, the worst first. The worst one of several connections is reported."""


class CombinedSource:
    """Several sources as one, used in the same way as a `Live`.

    It ends when all sources have ended, with the error of the last one.
    """

    def __init__(self, sources: Sequence[Live], *, queue: EventQueue | None = None) -> None:
        """Prepare the sources, which put their events into `queue`, or into a new queue if it is None."""
        self._sources = list(sources)
        self._queue = queue or EventQueue()
        self._left = len(self._sources)
        self._vitals: dict[Live, Vitals] = {}
        self._costs: dict[Live, Cost] = {}

    async def __aenter__(self) -> EventQueue:
        for source in self._sources:
            source.pour_into(_Inlet(self, source, self._queue))
        for source in self._sources:
            await source.__aenter__()
        if not self._sources:
            self._queue.close()
        return self._queue

    async def __aexit__(self, *details: object) -> None:
        await asyncio.gather(*(source.__aexit__(*details) for source in self._sources))

    def ended(self, source: Live, error: BaseException | None) -> None:
        """Note that a source has ended, and report its error unless it is the last source."""
        self._left -= 1
        self._vitals.pop(source, None)
        if self._left == 0:
            self._queue.close(error)
        elif error is not None and not getattr(error, "is_in_status", False):
            self._queue.put(
                Status(
                    at=wall_clock(),
                    status="CHANNEL_ERROR",
                    topic=source.topic,
                    reason=_reason(error),
                    hint=getattr(error, "hint", None),
                )
            )

    def merged(self, source: Live, vitals: Vitals) -> Vitals:
        """Return all connections' state as one: the worst phase, the longest round trip, the first expiry.

        Args:
            source: The source whose state has changed.
            vitals: The new state of the source.
        """
        self._vitals[source], self._costs[source] = vitals, vitals.cost
        if len(self._vitals) == 1:
            return replace(vitals, cost=self._cost())
        all_ = [one for one in self._vitals.values() if one.phase in WORST_FIRST] or [vitals]
        worst = min(all_, key=lambda one: WORST_FIRST.index(one.phase) if one.phase in WORST_FIRST else 0)
        trips = [one.round_trip_ms for one in all_ if one.round_trip_ms is not None]
        expiries = [one.token_expires_at for one in all_ if one.token_expires_at is not None]
        return replace(
            worst,
            at=vitals.at,
            reconnects=sum(one.reconnects for one in all_),
            round_trip_ms=max(trips, default=None),
            token_expires_at=min(expiries, default=None),
            cost=self._cost(),
        )

    def _cost(self) -> Cost:
        """Return the part of the quota that all sources have used, including those that have ended."""
        costs = self._costs.values()
        return Cost(
            messages=sum(one.messages for one in costs),
            connections=sum(one.connections for one in costs),
            channels=sum(one.channels for one in costs),
        )


def _reason(error: BaseException) -> str:
    if isinstance(error, PrtError):
        return error.message
    return redact(f"unexpected {type(error).__name__}: {error}; this is a bug in prt")


class _Inlet(EventQueue):
    """The queue of one source, which passes events on to the shared queue."""

    def __init__(self, combined: CombinedSource, source: Live, queue: EventQueue) -> None:
        super().__init__()
        self.on_drop = queue.on_drop
        self._combined = combined
        self._source = source
        self._shared = queue

    @property
    def is_full(self) -> bool:
        return self._shared.is_full

    def put(self, event: Event, weight: int = 0) -> None:
        if type(event) is Vitals:
            event = self._combined.merged(self._source, event)
        self._shared.put(event, weight)

    async def wait_for_space(self, patience: float) -> None:
        await self._shared.wait_for_space(patience)

    def close(self, error: BaseException | None = None) -> None:
        self._combined.ended(self._source, error)
