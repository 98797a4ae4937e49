"""The changes of one row in a window of `--batch`, merged into their net effect. Pure.

INSERT and UPDATE become an INSERT of the last row, UPDATE and DELETE a DELETE, DELETE and INSERT an UPDATE,
and INSERT and DELETE cancel out. Other changes of a row are not merged: if a change was missed between them,
the key changes, the row is cut, or the row was read and not streamed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct, structs

from prt.events import EMPTY, Change, EventType
from prt.state.rows.keys import Keys, Table

MOST = 20_000
"""How many rows a window holds; it ends early when it's full."""

_NET: dict[tuple[EventType | None, EventType], EventType | None] = {
    ("INSERT", "UPDATE"): "INSERT",
    ("INSERT", "DELETE"): None,
    ("UPDATE", "UPDATE"): "UPDATE",
    ("UPDATE", "DELETE"): "DELETE",
    ("DELETE", "INSERT"): "UPDATE",
    (None, "INSERT"): "INSERT",
}
"""The net effect by the effect so far and the next change; None stands for no effect."""

_SMALLEST_MOVED = 1_000
"""The least size (bytes) of a row whose large values can be missing.

PostgreSQL moves values out of rows twice as long, and leaves them out of an UPDATE if they did not change.
"""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class _Net(Struct):
    """The merged changes of a row.

    `net` is their effect, None if they cancel out, and `last` the latest change.
    """

    net: EventType | None
    last: Change
    new: Raw
    old: Raw
    count: int = 1


class Batch:
    """The changes of a window; `take` returns the merged changes in the order of each row's last change."""

    def __init__(self, keys: Mapping[Table, tuple[str, ...]] | None = None) -> None:
        self._keys = Keys(keys)
        self._open: dict[tuple[str, str, bytes], int] = {}
        self._entries: dict[int, _Net] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether the window has to end early."""
        return len(self._entries) >= MOST

    def add(self, change: Change) -> None:
        """Add a change, merged with the earlier changes of its row."""
        before, after = self._keys.of(change)
        key = before if after is None else after
        if key is None:
            self._append(change)
            return
        schema, table = change.schema, change.table
        index = self._open.pop((schema, table, key), None)
        if before is not None and after is not None and before != after:
            # Another row may get the former key next, so the order of such changes matters.
            self._open.pop((schema, table, before), None)
            self._append(change)
            return
        if index is None or not self._merge(index, change):
            self._append(change)
        if change.source == "stream" and not change.errors:
            self._open[schema, table, key] = self._next - 1

    def take(self) -> list[Change]:
        """Return the merged changes of the window, and start the next window."""
        entries = self._entries.values()
        changes = [_change(entry) for entry in entries if entry.net is not None]
        self._entries, self._open, self._next = {}, {}, 0
        return changes

    def _append(self, change: Change) -> None:
        self._entries[self._next] = _Net(change.event_type, change, change.new, change.old, change.merged)
        self._next += 1

    def _merge(self, index: int, change: Change) -> bool:
        """Merge a change into an entry, which moves to the end. Return False if they can't be merged."""
        entry = self._entries[index]
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
        del self._entries[index]
        self._entries[self._next] = entry
        self._next += 1
        return True


def _change(entry: _Net) -> Change:
    if entry.count == entry.last.merged:
        return entry.last
    assert entry.net is not None  # noqa: S101 - entries without effect are left out
    return structs.replace(
        entry.last,
        event_type=entry.net,
        new=EMPTY if entry.net == "DELETE" else entry.new,
        old=EMPTY if entry.net == "INSERT" else entry.old,
        merged=entry.count,
    )


def _whole(before: Raw, after: Raw) -> Raw:
    """Add to a later row the large values that it lacks because they did not change."""
    if len(before) < _SMALLEST_MOVED or len(after) >= len(before):
        return after
    try:
        return Raw(msgspec.json.encode(_columns_of(before) | _columns_of(after)))
    except (msgspec.DecodeError, RecursionError):
        return after
