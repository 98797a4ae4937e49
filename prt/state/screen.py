"""The state of the live view of `prt watch`, without a clock.

Every change is counted, timed and kept as the last known row of its key (about 4 µs). What it changed is
computed only for changes that are drawn, from the row before, which is kept with the change.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from msgspec import Struct

from prt.events import (
    CONNECTION_OF,
    Alert,
    Broadcast,
    Change,
    ChannelStatus,
    Conflict,
    Connection,
    End,
    Event,
    Gap,
    Known,
    Loaded,
    Malformed,
    Presence,
    Status,
    Verified,
    Vitals,
)
from prt.state.figures.lag import Lag
from prt.state.figures.rate import Rate
from prt.state.figures.verification import Verification
from prt.state.newest import NEWEST, Entry, Met, Newest, Shown
from prt.state.roster import Presences
from prt.state.rows.cache import Rows, Table
from prt.state.topics.messages import Message
from prt.state.viewport.viewport import Viewport

GAPS = 20
"""How many of the last gaps are kept; all are counted."""

_MOST_REFUSED = 1000
_BADNESS: dict[ChannelStatus, int] = {
    "READY": 0,
    "SUBSCRIBED": 1,
    "TIMED_OUT": 2,
    "CLOSED": 3,
    "CHANNEL_ERROR": 4,
}


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a table, or one of several topics, doesn't stream, and what to do about it."""

    table: str
    reason: str | None
    hint: str | None


class Screen:
    """The state of the live view.

    Attributes:
        channel: The status of the channel; of several channels, this, `reason` and `hint` are the worst.
        since: When this status began, or the connection was lost or first tried (µs).
        refused: Tables and topics that don't stream while others do.
        changes: Streamed changes by (schema, table, event type).
        read: Rows by source: backfill or snapshot.
        joined: The tables of the channel as `schema.table`.
        topics: Topics that are joined without tables.
        has_open_gap: Whether the tables were lost, and their gap has not been reported yet.
    """

    def __init__(self, *, keys: Mapping[Table, tuple[str, ...]] | None = None, keep: int = NEWEST) -> None:
        """Create the state with the key columns by table.

        `keep` is how many events can be scrolled back to.
        """
        self.channel: ChannelStatus | None = None
        self.reason: str | None = None
        self.hint: str | None = None
        self.since: int | None = None
        self.vitals: Vitals | None = None
        self.refused: dict[str, Refusal] = {}
        self.changes: Counter[tuple[str, str, str]] = Counter()
        self.read: Counter[str] = Counter()
        self.broadcasts = 0
        self.presences = 0
        self.roster = Presences()
        self.malformed = 0
        self.last_malformed: Malformed | None = None
        self.reported: Counter[type] = Counter()
        """The number of alerts and of conflicts, by class."""
        self.gaps = 0
        self.incomplete_gaps = 0
        self.recovered = 0
        self.has_open_gap = False
        self.last_gaps: deque[Gap] = deque(maxlen=GAPS)
        self.last_incomplete_gap: Gap | None = None
        self.verification = Verification()
        self.lag = Lag()
        self.rate = Rate()
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.ready_at: int | None = None
        self.has_loaded = False
        """Whether all present rows that were asked for have been read."""
        self.end: End | None = None
        self.joined: frozenset[str] = frozenset()
        self.topics: set[str] = set()
        self._statuses: dict[str | None, Status] = {}
        self._lost_at: int | None = None
        self._table_topics: set[str | None] = set()
        self._are_tables_lost = False
        self._rows = Rows(keys=keys)
        self.newest = Newest(self._rows, keep=keep)
        self.viewport = Viewport(self.newest)
        """The position and selection in the list of newest events."""

    @property
    def connection(self) -> Connection | None:
        """The word for the connection that the channel's status implies; None before the first status."""
        return None if self.channel is None else CONNECTION_OF[self.channel]

    @property
    def phase(self) -> str | None:
        """The phase of the connection; None before the first vitals."""
        return None if self.vitals is None else self.vitals.phase

    @property
    def events(self) -> int:
        """The number of streamed changes, broadcasts and presence events."""
        return self.changes.total() + self.broadcasts + self.presences

    @property
    def entries(self) -> int:
        """The number of entries so far, whether they are still kept or not."""
        return self.newest.added

    @property
    def rows(self) -> Rows:
        """The last known rows of all tables."""
        return self._rows

    @property
    def keyless(self) -> set[Table]:
        """Tables without a known key, whose last rows are not kept."""
        return self._rows.keyless

    def apply(self, event: Event) -> bool:
        """Apply an event. Return False if it's a row that was read while a later state of it is known."""
        if type(event) is Vitals:
            self.vitals = event
            if self.since is None:
                self.since = event.since
            return True
        if type(event) is Change:
            self.note(event)
            return self.show(event)
        if type(event) is Verified:
            self.verification.apply(event)
            return True
        if type(event) is Known:
            for row in event.changes():
                self._rows.process(row)
            return True
        if self.first_at is None:
            self.first_at = event.at
        self.last_at = event.at
        self._apply_other(event)
        return True

    def note(self, change: Change) -> None:
        """Count and time a change."""
        if self.first_at is None:
            self.first_at = change.at
        self.last_at = change.at
        if change.source == "stream":
            self.changes[change.schema, change.table, change.event_type] += 1
            self.lag.apply(change)
            self.rate.apply(change)
        else:
            self.read[change.source] += 1

    def show(self, change: Change) -> bool:
        """Apply a change that was counted before. Return False if a later state of its row is known."""
        previous, is_latest = self._rows.process(change)
        self.newest.add(Shown(change, previous, is_latest=is_latest))
        return is_latest

    def _apply_other(self, event: Event) -> None:
        match event:
            case Broadcast():
                self.broadcasts += 1
                self.rate.apply(event)
                self.newest.add(Message(event))
            case Presence():
                self._apply_presence(event)
            case Status():
                self._apply_status(event)
            case Gap():
                self._apply_gap(event)
            case Alert() | Conflict():
                self.reported[type(event)] += 1
                self.newest.add(event)
            case Malformed():
                self.malformed += 1
                self.last_malformed = event
            case Loaded():
                self.has_loaded |= event.complete
            case End():
                self.end = event

    def lines(self, count: int) -> list[Entry]:
        """Return the newest changes, gaps and steps of the channel, newest first."""
        return self.newest.entries(count)

    def _apply_presence(self, event: Presence) -> None:
        if event.event != "sync":  # a sync describes a state, and nothing happened
            self.presences += 1
            self.rate.apply(event)
        line = self.roster.apply(event)
        if line is not None:
            self.newest.add(Met(event, line))

    def _apply_gap(self, gap: Gap) -> None:
        self.gaps += 1
        self.recovered += gap.recovered
        self.has_open_gap = self._are_tables_lost
        self.last_gaps.append(gap)
        if not gap.complete:
            self.incomplete_gaps += 1
            self.last_incomplete_gap = gap
        self.newest.add(gap)

    def _apply_status(self, status: Status) -> None:
        """Apply a status.

        An error that names some of the joined tables is theirs, any other is the channel's.
        """
        tables = frozenset(status.tables or ())
        if status.status == "CHANNEL_ERROR" and tables and not tables >= self.joined:
            for table in sorted(tables)[:_MOST_REFUSED]:
                self.refused[table] = Refusal(table=table, reason=status.reason, hint=status.hint)
            return
        self.roster.apply(status)
        if self.ready_at is not None and (status.topic is None or status.topic in self._table_topics):
            # Only a loss of tables opens a gap here; messages to topics are not recovered.
            self._are_tables_lost = bool(self.joined) and (
                status.connection != "connected" or (self._are_tables_lost and status.status != "READY")
            )
            self.has_open_gap |= self._are_tables_lost
        worst = self._worst(status)
        if worst is status:
            self._apply_step(status)
        self.channel, self.reason, self.hint = worst.status, worst.reason, worst.hint
        if status.status in ("SUBSCRIBED", "READY"):
            if tables:
                self.joined = tables
                self._table_topics.add(status.topic)
            elif status.topic is not None:
                self.topics.add(status.topic)
        elif status.topic is not None:
            self.topics.discard(status.topic)
        if status.status == "READY":
            if self.ready_at is None:
                self.ready_at = status.at
            for table in tables:
                self.refused.pop(table, None)

    def _worst(self, status: Status) -> Status:
        """Keep a status, and return the latest of the worst; a refusal counts only if all are refused."""
        if status.topic is None:
            self._statuses.clear()
        self._statuses.pop(None, None)
        self._statuses.pop(status.topic, None)
        self._statuses[status.topic] = status
        statuses = list(self._statuses.values())
        if len(statuses) == 1:
            return status
        refused = [one for one in statuses if one.status == "CHANNEL_ERROR" and not one.tables]
        others = [one for one in statuses if one not in refused] or refused
        for one in statuses:
            name = one.topic or ""
            if one in others:
                self.refused.pop(name, None)
            else:
                self.refused[name] = Refusal(table=name, reason=one.reason, hint=one.hint)
        return max(reversed(others), key=lambda one: _BADNESS[one.status])

    def _apply_step(self, status: Status) -> None:
        """Add a step of the channel; failed attempts while the connection is down don't change `since`."""
        was_connected, is_connected = self.connection == "connected", status.connection == "connected"
        if (
            self.since is None
            or was_connected != is_connected
            or (is_connected and status.status != self.channel)
        ):
            self.since = status.at
        if self.ready_at is None:
            return  # the head shows the first connection
        if not is_connected and self._lost_at is None:
            self._lost_at = status.at
        is_back = status.status == "READY" and self._lost_at is not None
        if not is_connected or is_back or status.reason:
            down = status.at - self._lost_at if is_back and self._lost_at is not None else None
            self.newest.add_step(status, down)
        if is_back:
            self._lost_at = None
