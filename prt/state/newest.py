"""The newest of what a live view shows: changes, what came on topics, and what interrupted them, in order."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from prt.events import Alert, Change, Conflict, Gap, Status
from prt.state.roster import PresenceLine
from prt.state.rows.cache import Rows
from prt.state.rows.difference import Line, line_of
from prt.state.topics.messages import BroadcastLine, Message

NEWEST = 200
"""Entries that stay to be shown: more than a screen has lines."""


class Step(Struct, frozen=True, kw_only=True):
    """The channel was lost, came back or said why it changed; the same one again counts in `times`.

    `down_us` is how long it was not READY before this READY, None where it was.
    """

    status: Status
    times: int = 1
    down_us: int | None = None


Entry = Line | BroadcastLine | PresenceLine | Gap | Alert | Conflict | Step


class Shown:
    """A change with the row before it until it is drawn, then only its line."""

    __slots__ = ("change", "line", "previous")

    def __init__(self, change: Change, previous: bytes | None) -> None:
        self.change: Change | None = change
        self.previous = previous
        self.line: Line | None = None


Kept = Shown | Message | PresenceLine | Gap | Alert | Conflict | Step


class Newest:
    """`added` counts every entry that there was. Lines are worked out when they are asked for."""

    def __init__(self, rows: Rows) -> None:
        self.added = 0
        self._rows = rows
        self._entries: deque[Kept] = deque(maxlen=NEWEST)

    def add(self, entry: Kept) -> None:
        self.added += 1
        self._entries.append(entry)

    def add_step(self, status: Status, down_us: int | None) -> None:
        """Attempts that fail alike, one after the other, are one entry: they must not push changes out."""
        last = self._entries[-1] if self._entries else None
        if isinstance(last, Step) and _words(last.status) == _words(status):
            self._entries[-1] = Step(status=status, times=last.times + 1, down_us=down_us)
        else:
            self.add(Step(status=status, down_us=down_us))

    def entries(self, count: int) -> list[Entry]:
        """At most `count`, newest first."""
        newest = zip(reversed(self._entries), range(count), strict=False)
        return [self._entry(entry) for entry, _ in newest]

    def _entry(self, entry: Kept) -> Entry:
        if isinstance(entry, Shown):
            return self._line(entry)
        return entry.line if isinstance(entry, Message) else entry

    def _line(self, shown: Shown) -> Line:
        if shown.line is None:
            change = shown.change
            assert change is not None  # noqa: S101 - a change without its line is still there
            shown.line = line_of(change, shown.previous, self._rows.key_columns(change.schema, change.table))
            shown.change = shown.previous = None  # their frames may be large
        return shown.line


def _words(status: Status) -> tuple[str, str | None]:
    return status.status, status.reason
