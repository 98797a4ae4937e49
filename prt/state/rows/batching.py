"""`--batch`: the changes of one row in a window as their net effect. Pure.

INSERT UPDATE is an INSERT of the last row, UPDATE DELETE is a DELETE, DELETE INSERT an UPDATE, and of
INSERT DELETE nothing is left. What follows on a row otherwise (a change was missed, the key changes, a row
is cut, or was read and not streamed) is not merged with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct, structs

from prt.events import EMPTY, Change, EventType
from prt.state.rows.keys import Keys, Table

MOST = 20_000
"""Rows of a window that are held: with more it is over at once."""

_NET: dict[tuple[EventType | None, EventType], EventType | None] = {
    ("INSERT", "UPDATE"): "INSERT",
    ("INSERT", "DELETE"): None,
    ("UPDATE", "UPDATE"): "UPDATE",
    ("UPDATE", "DELETE"): "DELETE",
    ("DELETE", "INSERT"): "UPDATE",
    (None, "INSERT"): "INSERT",
}
"""By what was there and what came; None is nothing."""

_SMALLEST_MOVED = 1_000
"""Bytes: PostgreSQL moves values out of rows twice as long, and leaves those out that did not change."""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class _Net(Struct):
    """`net` is what the changes so far amount to, None if that is nothing; `last` the latest of them."""

    net: EventType | None
    last: Change
    new: Raw
    old: Raw
    count: int = 1


class Batch:
    """`add` changes, then `take` what they amount to, in the order of each row's last change."""

    def __init__(self, keys: Mapping[Table, tuple[str, ...]] | None = None) -> None:
        self._keys = Keys(keys)
        self._open: dict[tuple[str, str, bytes], int] = {}
        self._entries: dict[int, _Net] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_full(self) -> bool:
        """Return whether the window has to be taken before it is over."""
        return len(self._entries) >= MOST

    def add(self, change: Change) -> None:
        """Add a change, merged into the former ones of its row."""
        before, after = self._keys.of(change)
        key = before if after is None else after
        if key is None:
            self._append(change)
            return
        schema, table = change.schema, change.table
        place = self._open.pop((schema, table, key), None)
        if before is not None and after is not None and before != after:
            # Another row may have the former key next: the order of such changes counts.
            self._open.pop((schema, table, before), None)
            self._append(change)
            return
        if place is None or not self._merge(place, change):
            self._append(change)
        if change.source == "stream" and not change.errors:
            self._open[schema, table, key] = self._next - 1

    def take(self) -> list[Change]:
        """Return the merged changes of the window, and begin the next one."""
        entries = self._entries.values()
        changes = [_change(entry) for entry in entries if entry.net is not None]
        self._entries, self._open, self._next = {}, {}, 0
        return changes

    def _append(self, change: Change) -> None:
        self._entries[self._next] = _Net(change.event_type, change, change.new, change.old, change.merged)
        self._next += 1

    def _merge(self, place: int, change: Change) -> bool:
        """Whether both are one now; it stands where the later one would."""
        entry = self._entries[place]
        step = (entry.net, change.event_type)
        if change.source != "stream" or change.errors or step not in _NET:
            return False
        if entry.net is None:
            entry.old = EMPTY
        if change.event_type != "DELETE":
            entry.new = _whole(entry.new, change.new) if change.event_type == "UPDATE" else change.new
        if entry.net in {"UPDATE", "DELETE"} and bytes(entry.old) == b"{}":
            entry.old = change.old
        entry.net, entry.last, entry.count = _NET[step], change, entry.count + change.merged
        del self._entries[place]
        self._entries[self._next] = entry
        self._next += 1
        return True


def _change(entry: _Net) -> Change:
    if entry.count == entry.last.merged:
        return entry.last
    assert entry.net is not None  # noqa: S101 - what amounts to nothing is left out
    return structs.replace(
        entry.last,
        event_type=entry.net,
        new=EMPTY if entry.net == "DELETE" else entry.new,
        old=EMPTY if entry.net == "INSERT" else entry.old,
        merged=entry.count,
    )


def _whole(before: Raw, after: Raw) -> Raw:
    """A later row with the large values that it lacks because they did not change."""
    if len(before) < _SMALLEST_MOVED or len(after) >= len(before):
        return after
    try:
        return Raw(msgspec.json.encode(_columns_of(before) | _columns_of(after)))
    except (msgspec.DecodeError, RecursionError):
        return after
