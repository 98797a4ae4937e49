"""Incidents of the database and the connection during an audit, and which of them explains a loss. Pure.

The time spans of incidents were measured on a server 2.129.8.
"""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from prt.events import Gap, LossCause, LossCode
from prt.stream.database.values import ServerState

SECOND = 1_000_000
MINUTE = 60 * SECOND

BEFORE = 2 * SECOND
"""How long before an incident changes can be lost (µs).

The server's state is read once a second, and a failed poll loses the changes that were waiting for it.
"""
AFTER: dict[LossCode, int] = {
    "connection": SECOND,
    "restart": 15 * SECOND,  # changes were lost until 12 s after the database was open again
    "structured_filter": 8 * SECOND,  # 2 to 8 s after the client with the filter has left
    "publication": 70 * SECOND,  # the server looks at its publication every 60 s
    "slot": 3 * SECOND,  # one to two seconds of changes
}
ORDER: tuple[LossCode, ...] = ("restart", "slot", "structured_filter", "publication", "connection")
"""Codes by likelihood: if two incidents cover a loss, the first explains it.

Incidents of the database come before gaps of our own channel.
"""

BUCKET = 5
"""Seconds that the server counts together before it compares its rate with the limit."""
LIMIT = 100.0
"""Messages a second of the smallest plan, which is also the server's default."""


class Incident(Struct, kw_only=True):
    """Something that explains losses between `start` and `end` (µs, the database's clock)."""

    code: LossCode
    at: int
    start: int
    end: int
    subject: str | None = None


class Incidents:
    """The incidents of an audit, found by comparing each state of the server with the one before."""

    def __init__(self) -> None:
        self._last: ServerState | None = None
        self._is_unreachable = False
        self._found: list[Incident] = []
        self._policies: list[tuple[str, int, int]] = []

    def apply(self, state: ServerState | None) -> None:
        """Compare the next state of the server with the last one.

        None means that the server didn't answer.
        """
        if state is None:
            self._is_unreachable = True
            return
        last, self._last = self._last, state
        if last is None:
            return
        is_restarted = self._is_unreachable or last.started != state.started
        self._is_unreachable = False
        if is_restarted:
            self._add("restart", last.at, state.at)
        elif last.slots != state.slots:
            self._add("slot", last.at, state.at)
        if (last.publication, last.publication_oid) != (state.publication, state.publication_oid):
            self._add("publication", last.at, state.at)
        for column in state.structured_filters:
            self._add("structured_filter", last.at, state.at, column)
        for table in last.policies.keys() | state.policies.keys():
            if last.policies.get(table) != state.policies.get(table):
                self._policies.append((table, last.at, state.at))

    def note_gap(self, gap: Gap, clock_ahead: int) -> None:
        """Note a gap of our own channel, whose times are those of our clock (µs)."""
        self._add("connection", gap.start - clock_ahead, gap.end - clock_ahead, gap.cause)

    def note_restart(self, start: int, end: int) -> None:
        """Note the loss of our own slot as a restart.

        Its cause nearly always ends Realtime's slot as well.
        """
        self._add("restart", start, end)

    def cause_at(self, committed: int) -> LossCause | None:
        """Return the likeliest cause of the loss of a change committed at `committed` (µs), or None."""
        around = [one for one in self._found if one.start <= committed <= one.end]
        if not around:
            return None
        likeliest = min(around, key=lambda one: (ORDER.index(one.code), abs(one.at - committed)))
        return LossCause(code=likeliest.code, at=likeliest.at, subject=likeliest.subject)

    def has_new_policies(self, table: str, start: int, end: int) -> bool:
        """Return whether the policies of a table changed between two times (µs)."""
        return any(name == table and first <= end and start <= last for name, first, last in self._policies)

    def _add(self, code: LossCode, before: int, after: int, subject: str | None = None) -> None:
        start, end = before - BEFORE, after + AFTER[code]
        latest = next((one for one in reversed(self._found) if one.code == code), None)
        if latest is not None and latest.subject == subject and start <= latest.end:
            latest.end = max(latest.end, end)
        else:
            self._found.append(Incident(code=code, at=after, start=start, end=end, subject=subject))


class CommitRate:
    """The number of commits in each second."""

    def __init__(self) -> None:
        self._seconds: Counter[int] = Counter()

    def add(self, committed: int) -> None:
        """Count a change committed at `committed` (µs)."""
        self._seconds[committed // SECOND] += 1

    def cause_at(self, committed: int) -> LossCause | None:
        """Return the rate as a cause if it was above the limit in the minute before the commit, or at it.

        The server averages over a minute, or over its lifetime if that is shorter: after a burst it can still
        drop single rows, and at the start of one it may let them through. Otherwise return None.
        """
        second = committed // SECOND
        busiest = max(
            sum(self._seconds[first + offset] for offset in range(BUCKET)) / BUCKET
            for first in range(second - 60 - BUCKET, second + 1)
        )
        average = sum(self._seconds[second - offset] for offset in range(60)) / 60
        if busiest < LIMIT:
            return None
        return LossCause(code="rate", at=committed, rate=round(busiest, 1), average=round(average, 1))
