"""What the live view of `prt watch` knows: one reducer over every event, without a clock.

Every change is counted, timed and kept as its table's last known row (about 4 µs); what it changed is
worked out only for those that are drawn, from the row before, which is remembered with the change.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from msgspec import Struct

from prt.events import (
    CONNECTION_OF,
    Broadcast,
    Change,
    ChannelStatus,
    Connection,
    End,
    Event,
    Gap,
    Malformed,
    Presence,
    Status,
)
from prt.state.difference import Line, line_of
from prt.state.lag import Lag
from prt.state.rate import Rate
from prt.state.rows import Rows, Table

NEWEST = 200
"""Changes that stay to be shown: more than a screen has lines."""

_MOST_REFUSED = 1000


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a table does not stream, and what to do about it."""

    table: str
    reason: str | None
    hint: str | None


class _Shown:
    """A change with the row before it until it is drawn, then only its line."""

    __slots__ = ("change", "line", "previous")

    def __init__(self, change: Change, previous: bytes | None) -> None:
        self.change: Change | None = change
        self.previous = previous
        self.line: Line | None = None


class Screen:
    """Apply events, read attributes. `changes` counts by (schema, table, event type), `joined` are the tables
    of the channel as `schema.table`."""

    def __init__(self, *, keys: Mapping[Table, tuple[str, ...]] | None = None) -> None:
        self.channel: ChannelStatus | None = None
        self.reason: str | None = None
        self.hint: str | None = None
        self.refused: dict[str, Refusal] = {}
        self.changes: Counter[tuple[str, str, str]] = Counter()
        self.broadcasts = 0
        self.presences = 0
        self.malformed = 0
        self.last_malformed: Malformed | None = None
        self.gaps = 0
        self.incomplete_gaps = 0
        self.last_gap: Gap | None = None
        self.lag = Lag()
        self.rate = Rate()
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.ready_at: int | None = None
        self.end: End | None = None
        self.joined: frozenset[str] = frozenset()
        self._rows = Rows(keys=keys)
        self._newest: deque[_Shown] = deque(maxlen=NEWEST)

    @property
    def connection(self) -> Connection | None:
        """The seed's word for the channel's status, None before the first."""
        return None if self.channel is None else CONNECTION_OF[self.channel]

    @property
    def events(self) -> int:
        """Changes, broadcasts and presence events."""
        return self.changes.total() + self.broadcasts + self.presences

    @property
    def keyless(self) -> set[Table]:
        """Tables whose rows can't be told apart, so that their last rows are not known."""
        return self._rows.keyless

    def apply(self, event: Event) -> None:
        if self.first_at is None:
            self.first_at = event.at
        self.last_at = event.at
        if type(event) is Change:
            self.changes[event.schema, event.table, event.event_type] += 1
            self.lag.apply(event)
            self.rate.apply(event)
            self._newest.append(_Shown(event, self._rows.apply(event)))
            return
        match event:
            case Broadcast():
                self.broadcasts += 1
                self.rate.apply(event)
            case Presence():
                self.presences += 1
                self.rate.apply(event)
            case Status():
                self._apply_status(event)
            case Gap():
                self.gaps += 1
                self.incomplete_gaps += not event.complete
                self.last_gap = event
            case Malformed():
                self.malformed += 1
                self.last_malformed = event
            case End():
                self.end = event

    def lines(self, count: int) -> list[Line]:
        """The newest changes, newest first."""
        return [self._line(shown) for shown, _ in zip(reversed(self._newest), range(count), strict=False)]

    def _line(self, shown: _Shown) -> Line:
        if shown.line is None:
            change = shown.change
            assert change is not None  # noqa: S101 - a change without its line is still there
            shown.line = line_of(change, shown.previous, self._rows.key_columns(change.schema, change.table))
            shown.change = shown.previous = None  # their frames may be large
        return shown.line

    def _apply_status(self, status: Status) -> None:
        """An error that names some of the joined tables is theirs; any other status is the channel's."""
        tables = frozenset(status.tables or ())
        if status.status == "CHANNEL_ERROR" and tables and not tables >= self.joined:
            for table in sorted(tables)[:_MOST_REFUSED]:
                self.refused[table] = Refusal(table=table, reason=status.reason, hint=status.hint)
            return
        self.channel, self.reason, self.hint = status.status, status.reason, status.hint
        if status.status in ("SUBSCRIBED", "READY") and tables:
            self.joined = tables
        if status.status == "READY":
            if self.ready_at is None:
                self.ready_at = status.at
            for table in tables:
                self.refused.pop(table, None)
