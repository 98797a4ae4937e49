"""The account of every change that is committed during an audit. Pure.

    committed = arrived + hidden + filtered + cut + lost + unknown

A committed change and an arrival match if table, event, key and the commit's millisecond are equal, because
Realtime cuts a commit timestamp to milliseconds. Several changes of one row in one millisecond are equal, and
match in their order. An arrival that has an error and no row counts as the oldest missing change of its table
and event.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from prt.events import Account, Change, EventType, Gap, Loss, LossCause
from prt.state.audit.incidents import SECOND, CommitRate, Incidents
from prt.state.figures.lag import Lag
from prt.stream.database.values import AuditedTable, Judgement, Key, LoggedChange, ServerState
from prt.stream.values import moment

Outcome = Literal["arrived", "hidden", "filtered", "cut", "lost", "unknown"]

JUDGED = SECOND
"""How long after the commit a judgement of a row is reliable (µs).

Realtime evaluates policies when it polls, up to 0.6 s after the commit, so a row that changed within this
time may have been visible or not.
"""
PASSED = 2 * SECOND
"""How long a missing change is awaited (µs).

Realtime sends changes in the order of their commits, so a missing change is given up once a change arrived
that was committed this much later. If policies hide a change, it's given up this long after its commit.
"""

COUNTS = ("committed", "arrived", "hidden", "filtered", "cut", "late", "lost", "unknown")
K = TypeVar("K")
V = TypeVar("V")
Mark = tuple[str, EventType, Key | None, int]


class Entry(Struct, kw_only=True):
    """A committed change.

    `later` is the next change of its row, kept only for tables with row level security.
    """

    number: int
    table: str
    event: EventType
    key: Key | None
    committed: int
    transaction: int
    is_guarded: bool
    is_asked: bool
    arrival: Literal["arrived", "cut"] | None = None
    is_late: bool = False
    judgement: Judgement | None = None
    later: Entry | None = None


class Audit:
    """The accounts of one audit.

    Args:
        tables: The tables whose changes are counted.
        late_after: The lag in µs from which an arrival is late.
    """

    def __init__(self, tables: Sequence[AuditedTable], *, late_after: int) -> None:
        self.tables = {table.name: table for table in tables}
        self.lag = Lag()
        self.arrivals = 0
        self.gaps = 0
        self.state: ServerState | None = None
        self._late_after = late_after
        self._begin: int | None = None
        self._end: int | None = None
        self._passed = 0
        self._interrupted: int | None = None
        self._entries: dict[int, Entry] = {}
        self._missing: dict[int, Entry] = {}
        self._committed: dict[Mark, deque[Entry]] = defaultdict(deque)
        self._early: dict[Mark, deque[Change]] = defaultdict(deque)
        self._rowless: dict[tuple[str, EventType], deque[Change]] = defaultdict(deque)
        self._latest: dict[tuple[str, Key], Entry] = {}
        self._counts = {name: dict.fromkeys(COUNTS, 0) for name in self.tables}
        self._incidents = Incidents()
        self._rate = CommitRate()

    @property
    def clock_ahead(self) -> int:
        """How far our clock is ahead of the database's (µs); 0 until it's known."""
        return self.state.clock_ahead if self.state else 0

    def begin(self, at: int) -> None:
        """Begin the accounting; changes committed before `at` (µs, the database's clock) are left out."""
        self._begin = at
        self._forget([one for one in self._entries.values() if one.committed < at])

    def end(self, at: int, *, interrupted_after: int | None = None) -> None:
        """End the accounting: leave out changes that are committed after `at` (µs, the database's clock).

        Args:
            at: The end.
            interrupted_after: If given, missing changes are no longer awaited; those committed in the last
                `interrupted_after` µs are unknown instead of lost.
        """
        if self._begin is None:
            self.begin(at)
        if self._end is None:
            self._end = at
            self._forget([one for one in self._entries.values() if one.committed > at])
        if interrupted_after is not None:
            self._interrupted = at - interrupted_after

    def is_counted(self, committed: int) -> bool:
        """Return whether a change with this commit (µs, the database's clock) belongs to the accounting."""
        return self._end is None or committed <= self._end

    def apply(self, event: Change | Gap | LoggedChange | Judgement | ServerState | None) -> None:
        """Apply the next event. None means that the server didn't answer."""
        match event:
            case Change():
                self._arrive(event)
            case LoggedChange():
                self._commit(event)
            case Judgement():
                if event.number in self._entries:
                    self._entries[event.number].judgement = event
            case Gap():
                self.gaps += 1
                self._incidents.note_gap(event, self.clock_ahead)
            case _:
                self.state = event or self.state
                self._incidents.apply(event)

    def note_hole(self, start: int, end: int) -> None:
        """Note that our own slot was lost between two times (µs); what was committed then is not counted."""
        self.gaps += 1
        self._incidents.note_restart(start, end)

    def is_settled(self, now: int) -> bool:
        """Return whether no change is awaited at `now` (µs, the database's clock)."""
        return not any(self._is_awaited(entry, now) for entry in self._missing.values())

    def waiting(self, now: int) -> dict[str, int]:
        """Return how many changes of each table are awaited at `now` (µs, the database's clock)."""
        counts = dict.fromkeys(self.tables, 0)
        for entry in self._missing.values():
            counts[entry.table] += self._is_awaited(entry, now)
        return counts

    def accounts(self, at: int) -> list[Account]:
        """Return the account of each table, as if nothing more arrived."""
        counts = {name: dict(count) for name, count in self._counts.items()}
        for entry in self._missing.values():
            counts[entry.table][self._outcome(entry)] += 1
        return [Account(at=at, table=name, **count) for name, count in counts.items()]

    def losses(self, at: int) -> Iterator[Loss]:
        """Yield the lost changes in the order of their commits."""
        for entry in self._missing.values():
            if self._outcome(entry) == "lost":
                yield Loss(
                    at=at,
                    table=entry.table,
                    committed=entry.committed,
                    event_type=entry.event,
                    key=",".join(entry.key or ()),
                    cause=self._cause(entry),
                )

    def _commit(self, change: LoggedChange) -> None:
        if self._begin is not None and change.committed < self._begin:
            return
        if self._end is not None and change.committed > self._end:
            return
        entry = Entry(
            number=change.number,
            table=change.table.name,
            event=change.event,
            key=change.key,
            committed=change.committed,
            transaction=change.transaction,
            is_guarded=change.table.has_row_security,
            is_asked=change.is_asked,
        )
        self._entries[entry.number] = entry
        self._count(entry, 1)
        self._rate.add(entry.committed)
        if entry.is_guarded and entry.key is not None:
            before = self._latest.get((entry.table, entry.key))
            if before is not None:
                before.later = entry
            self._latest[entry.table, entry.key] = entry
        mark = (entry.table, entry.event, entry.key, entry.committed // 1000)
        arrival = _first(self._early, mark) or _first(self._rowless, (entry.table, entry.event))
        if arrival is not None:
            self._settle(entry, arrival)
        else:
            self._missing[entry.number] = entry
            self._committed[mark].append(entry)

    def _arrive(self, change: Change) -> None:
        name = f"{change.schema}.{change.table}"
        table = self.tables.get(name)
        if table is None or change.source != "stream":
            return
        row = change.old if change.event_type == "DELETE" else change.new
        try:
            key = table.key_of_json(row)
        except msgspec.DecodeError:
            key = None
        commit = moment(change.commit_timestamp)
        if commit is None or (key is None and change.errors is not None):
            entry = self._oldest_missing(name, change.event_type)
            if entry is None:
                self._rowless[name, change.event_type].append(change)
            else:
                self._settle(entry, change)
            return
        mark = (name, change.event_type, key, commit // 1000)
        waiting = _first(self._committed, mark)
        while waiting is not None and waiting.arrival is not None:  # it has matched an arrival without a row
            waiting = _first(self._committed, mark)
        if waiting is None:
            self._early[mark].append(change)
        else:
            self._settle(waiting, change)

    def _oldest_missing(self, table: str, event: EventType) -> Entry | None:
        return next(
            (one for one in self._missing.values() if one.table == table and one.event == event), None
        )

    def _settle(self, entry: Entry, arrival: Change) -> None:
        if entry.number not in self._entries:
            return  # committed after the end
        self._missing.pop(entry.number, None)
        entry.arrival = "arrived" if arrival.errors is None else "cut"
        lag = arrival.at - self.clock_ahead - entry.committed
        entry.is_late = entry.arrival == "arrived" and lag > self._late_after
        self._count(entry, 1, with_commit=False)
        self._passed = max(self._passed, entry.committed)
        self.arrivals += 1
        self.lag.add(lag / 1000)

    def _forget(self, entries: list[Entry]) -> None:
        for entry in entries:
            del self._entries[entry.number]
            self._missing.pop(entry.number, None)
            self._count(entry, -1)

    def _count(self, entry: Entry, step: int, *, with_commit: bool = True) -> None:
        """Count what is certain about an entry.

        The outcome of missing changes is computed when accounts are read.
        """
        counts = self._counts[entry.table]
        counts["committed"] += step * with_commit
        if entry.arrival is not None:
            counts[entry.arrival] += step
            counts["late"] += step * entry.is_late

    def _is_awaited(self, entry: Entry, now: int) -> bool:
        outcome = self._outcome(entry)
        if outcome == "filtered" or self._passed - entry.committed > PASSED:
            return False
        return outcome == "lost" or now - entry.committed < PASSED

    def _outcome(self, entry: Entry) -> Outcome:
        if entry.arrival is not None:
            return entry.arrival
        judgement = entry.judgement
        if not entry.is_asked or (judgement is not None and judgement.is_matching is False):
            return "filtered"
        if judgement is not None and judgement.is_matching is None:
            return "unknown"
        is_interrupted = self._interrupted is not None and entry.committed > self._interrupted
        expected: Outcome = "unknown" if is_interrupted else "lost"
        if not entry.is_guarded or entry.event == "DELETE":
            return expected
        is_visible = self._visibility(entry)
        if is_visible is None:
            return "unknown"
        return expected if is_visible else "hidden"

    def _visibility(self, entry: Entry) -> bool | None:
        """Return whether policies show the row; None if that is uncertain for the time of Realtime's poll."""
        judgement = entry.judgement
        if judgement is None or judgement.is_visible is None or judgement.at - entry.committed > JUDGED:
            return None
        until = entry.committed + JUDGED
        if self._incidents.has_new_policies(entry.table, entry.committed, until):
            return None
        later = entry.later
        while later is not None and later.committed <= until:
            is_in_time = later.committed > judgement.at or later.transaction == entry.transaction
            other = later.judgement
            if later.event == "DELETE" or not is_in_time:
                return None
            if other is None or other.is_visible is not judgement.is_visible:
                return None
            later = later.later
        return judgement.is_visible

    def _cause(self, entry: Entry) -> LossCause:
        found = self._incidents.cause_at(entry.committed) or self._rate.cause_at(entry.committed)
        return found or LossCause(code="unexplained", at=entry.committed)


def _first(waiting: dict[K, deque[V]], mark: K) -> V | None:
    """Remove and return the first value that waits for `mark`; None if there is none."""
    found = waiting.get(mark)
    if not found:
        return None
    first = found.popleft()
    if not found:
        del waiting[mark]
    return first
