"""The newest entries of a live view in order: changes, events of topics, gaps, and steps of the channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from prt.events import Alert, Change, Conflict, Event, Gap, Presence, Status
from prt.state.roster import PresenceLine
from prt.state.rows.cache import Rows
from prt.state.rows.difference import Line, line_of
from prt.state.topics.messages import BroadcastLine, Message

NEWEST = 200
"""How many entries are kept without a keyboard: more than a screen has lines."""

KEPT = 10_000
"""How many entries are kept if a person can scroll back."""

KEPT_BYTES = 64 << 20
"""The most bytes of entries that are kept, whatever their number."""

_OVERHEAD = 700
"""The bytes of an entry beside its rows."""


class Step(Struct, frozen=True, kw_only=True):
    """A status of the channel: it was lost, came back or changed for a reason.

    Equal statuses in a row are one step, counted in `times`. `down_us` is how long the channel was not READY
    before this READY, or None if it was READY.
    """

    status: Status
    times: int = 1
    down_us: int | None = None


Entry = Line | BroadcastLine | PresenceLine | Gap | Alert | Conflict | Step


class Shown:
    """A change and the row before it; its line is computed when it's drawn first.

    `is_latest` is false if a later state of the row was already known.
    """

    __slots__ = ("change", "is_latest", "line", "previous")

    def __init__(self, change: Change, previous: bytes | None, *, is_latest: bool = True) -> None:
        self.change = change
        self.previous = previous
        self.is_latest = is_latest
        self.line: Line | None = None


class Met:
    """A presence event and its line: who joined, changed or left."""

    __slots__ = ("event", "line")

    def __init__(self, event: Presence, line: PresenceLine) -> None:
        self.event = event
        self.line = line


Kept = Shown | Message | Met | Gap | Alert | Conflict | Step


class Newest:
    """The newest entries. They are numbered, and those from `first` to `added` - 1 are kept.

    The lines of changes are computed when they are needed.
    """

    def __init__(self, rows: Rows, *, keep: int = NEWEST, keep_bytes: int = KEPT_BYTES) -> None:
        """Keep at most `keep` entries and `keep_bytes` bytes, but always the newest entry."""
        self.added = 0
        self._rows = rows
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._entries: deque[Kept] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0

    @property
    def first(self) -> int:
        """The number of the oldest entry that is kept."""
        return self.added - len(self._entries)

    def add(self, entry: Kept) -> None:
        """Add an entry, and drop the oldest entries beyond the limits."""
        size = _size(entry)
        self.added += 1
        self._entries.append(entry)
        self._sizes.append(size)
        self._bytes += size
        while len(self._entries) > self._keep or (self._bytes > self._keep_bytes and len(self._entries) > 1):
            self._entries.popleft()
            self._bytes -= self._sizes.popleft()

    def add_step(self, status: Status, down_us: int | None) -> None:
        """Add a status of the channel.

        An equal one before it is replaced, so that failures don't push changes out.
        """
        last = self._entries[-1] if self._entries else None
        if isinstance(last, Step) and _words(last.status) == _words(status):
            self._entries[-1] = Step(status=status, times=last.times + 1, down_us=down_us)
        else:
            self.add(Step(status=status, down_us=down_us))

    def entries(self, count: int) -> list[Entry]:
        """Return at most `count` entries, the newest first."""
        newest = zip(reversed(self._entries), range(count), strict=False)
        return [self._entry(entry) for entry, _ in newest]

    def kept(self, number: int) -> Kept | None:
        """Return the entry of a number in its original form; None if it isn't kept."""
        return self._entries[number - self.first] if self.first <= number < self.added else None

    def since(self, number: int) -> Iterator[tuple[int, Kept]]:
        """Yield the kept entries from a number on with their numbers, the oldest first."""
        start = max(number, self.first)
        return zip(range(start, self.added), islice(self._entries, start - self.first, None), strict=False)

    def entry(self, number: int) -> Entry | None:
        """Return the entry of a number in the form that is drawn; None if it isn't kept."""
        kept = self.kept(number)
        return None if kept is None else self._entry(kept)

    def _entry(self, entry: Kept) -> Entry:
        if isinstance(entry, Shown):
            return self._line(entry)
        return entry.line if isinstance(entry, Message | Met) else entry

    def _line(self, shown: Shown) -> Line:
        if shown.line is None:
            change = shown.change
            key = self._rows.key_columns(change.schema, change.table)
            shown.line = line_of(change, shown.previous, key)
        return shown.line


def event_of(kept: Kept) -> Event:
    """Return the event of an entry."""
    if isinstance(kept, Shown):
        return kept.change
    if isinstance(kept, Message):
        return kept.broadcast
    if isinstance(kept, Met):
        return kept.event
    return kept.status if isinstance(kept, Step) else kept


def _size(entry: Kept) -> int:
    if isinstance(entry, Shown):
        change = entry.change
        rows = len(memoryview(change.new)) + len(memoryview(change.old)) + len(entry.previous or b"")
        return _OVERHEAD + rows
    if isinstance(entry, Message):
        return _OVERHEAD + len(memoryview(entry.broadcast.payload))
    return _OVERHEAD


def _words(status: Status) -> tuple[str, str | None]:
    return status.status, status.reason
