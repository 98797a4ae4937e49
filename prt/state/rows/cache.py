"""The last known row of each key, from the stream, a snapshot, a backfill or our own writes.

With it, an UPDATE without its old row still shows what changed, and a row that was read can't replace a newer
one from the stream. Of a change, only the key is decoded; rows are kept as raw JSON copies.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import msgspec
from msgspec import Raw

from prt.events import Change, Conflict
from prt.state.rows.ages import dated, is_newer
from prt.state.rows.difference import value_text
from prt.state.rows.keys import Keys, Table
from prt.state.rows.writes import Kept, Write, conflict_of, is_echo, kept_of

__all__ = ["Rows", "Table"]

RowKey = tuple[str, str, bytes]
"""Schema, table and key, which is raw JSON."""

TOMBSTONES = 20_000
"""How many deleted rows are remembered."""

_values_of = msgspec.json.Decoder(list[Raw]).decode


class Rows:
    """The last known rows.

    Beyond `limit` rows or `limit_bytes` bytes, the least recently changed are dropped.

    Rows without a known key are not kept; their tables are in `keyless`. `conflicts` are those found since
    they were last removed.
    """

    def __init__(
        self,
        *,
        keys: Mapping[Table, tuple[str, ...]] | None = None,
        limit: int = 20_000,
        limit_bytes: int = 32 << 20,
    ) -> None:
        self._keys = Keys(keys)
        self._rows: OrderedDict[RowKey, Kept] = OrderedDict()
        self._gone: dict[RowKey, str | None] = {}
        self._writes: dict[RowKey, Write] = {}
        self._has_read = False
        self._bytes = 0
        self._limit = limit
        self._limit_bytes = limit_bytes
        self.keyless = self._keys.keyless
        self.key_columns = self._keys.columns
        self.tables: dict[Table, None] = {}
        """The tables of all rows, in the order of their first row."""
        self.conflicts: list[Conflict] = []

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, schema: str, table: str, key: bytes) -> bytes | None:
        """Return the last known row of a key as raw JSON; None if it's unknown."""
        kept = self._rows.get((schema, table, key))
        return None if kept is None else kept.row

    def present(self) -> list[tuple[RowKey, bytes]]:
        """Return all rows with their keys, the least recently changed first."""
        return [(row_key, kept.row) for row_key, kept in self._rows.items()]

    def key_of(self, change: Change) -> RowKey | None:
        """Return the key of the row that a change is about; None if its key is unknown."""
        before, after = self._keys.of(change)
        key = before if after is None else after
        return None if key is None else (change.schema, change.table, key)

    def apply(self, change: Change) -> bytes | None:
        """Apply a change, and return the last known row before it; None if it's unknown."""
        return self.process(change)[0]

    def process(self, change: Change) -> tuple[bytes | None, bool]:
        """Apply a change.

        Returns:
            The last known row before the change, or None.
            Whether the change is new: it isn't if a later state of the row is known.
        """
        if change.errors and change.event_type != "DELETE":
            return None, True  # the row is cut or empty
        before, after = self._keys.of(change)
        key = before if after is None else after
        if key is None:
            return None, True
        schema, table = change.schema, change.table
        is_stream = change.source == "stream"
        if self._writes and (write := self._writes.get((schema, table, key))) is not None:
            return self._process_beside((schema, table, key), write, change)
        if (not is_stream or self._has_read) and self._is_outdated((schema, table, key), change):
            return None, False
        previous = None
        if before is not None and before != after:
            previous = self._forget((schema, table, before))
            if is_stream:
                self._bury((schema, table, before), change.commit_timestamp)
        if after is not None:
            kept = Kept(bytes(change.new), change.commit_timestamp, change.source)
            previous = self._keep((schema, table, after), kept) or previous
        return previous, True

    def begin(self, change: Change) -> None:
        """Apply a write of our own before the database has confirmed it; `new` is the row as it will be."""
        row_key = self._row_key_of(change)
        former = self._rows.get(row_key)
        self._writes[row_key] = Write(row=bytes(change.new), base=former, beneath=former)
        self._keep(row_key, Kept(bytes(change.new), None, "local"))

    def answer(self, change: Change) -> None:
        """Apply the database's answer to our write; `new` is the row that it returned."""
        row_key = self._row_key_of(change)
        write = self._writes[row_key]
        write.row, write.is_answered = bytes(change.new), True
        self._keep(row_key, Kept(write.row, None, "local"))
        for held in write.held:
            self.process(held)

    def roll_back(self, change: Change) -> bytes | None:
        """Undo our write, which was refused or never confirmed, and return the database's row."""
        row_key = self._row_key_of(change)
        write = self._writes.pop(row_key)
        if write.beneath is None:
            self._forget(row_key)
        else:
            self._keep(row_key, write.beneath)
        for held in write.held if not write.is_answered else ():
            self.process(held)
        kept = self._rows.get(row_key)
        return None if kept is None else kept.row

    def is_unconfirmed(self, change: Change) -> bool:
        """Return whether our write of a row still waits for its echo on the stream."""
        return self._row_key_of(change) in self._writes

    def _row_key_of(self, change: Change) -> RowKey:
        before, after = self._keys.of(change)
        key = before if after is None else after
        assert key is not None  # noqa: S101 - our own writes have a key
        return change.schema, change.table, key

    def _is_outdated(self, row_key: RowKey, change: Change) -> bool:
        """Return whether the known row is newer.

        Only rows that were read are compared; the stream is in order.
        """
        kept = self._rows.get(row_key)
        if change.source == "stream":
            if kept is None or kept.source == "stream":
                return False
            streamed = None if change.event_type == "DELETE" else change.new
            return is_newer(kept.row, change.commit_timestamp, streamed)
        if change.event_type == "DELETE":
            return False  # the reader has compared it with the stream
        if kept is None:
            return row_key in self._gone and not is_newer(change.new, self._gone[row_key], None)
        if kept.source == "stream":
            return not is_newer(change.new, kept.commit, kept.row)
        at, known = dated(change.new) or 0, dated(kept.row) or 0
        return at < known or (at == known and kept.source == "backfill" and change.source == "snapshot")

    def _process_beside(self, row_key: RowKey, write: Write, change: Change) -> tuple[bytes | None, bool]:
        """Apply a change of a row whose write of ours is not confirmed yet."""
        if not write.is_answered:
            write.held.append(change)
            return None, False
        kept = None
        if change.event_type != "DELETE":
            kept = Kept(bytes(change.new), change.commit_timestamp, change.source)
            if is_echo(write, change):
                del self._writes[row_key]
                return self._keep(row_key, kept), True
            if change.source != "stream" and _is_no_later(kept, write.beneath):
                return None, False
        conflict = conflict_of(write, change, _text_of(row_key[2]))
        if conflict is not None:
            self.conflicts.append(conflict)
        is_kept = kept_of(write, change) == "remote"
        write.beneath = kept
        if kept is None:
            del self._writes[row_key]
            self._bury(row_key, change.commit_timestamp)
            return self._forget(row_key), True
        return (self._keep(row_key, kept), True) if is_kept else (None, False)

    def _keep(self, row_key: RowKey, kept: Kept) -> bytes | None:
        rows = self._rows
        former = rows.get(row_key)
        rows[row_key] = kept
        self._bytes += len(kept.row)
        if kept.source != "stream":
            self._has_read = True
        if self._gone:
            self._gone.pop(row_key, None)
        if former is None:
            self.tables[row_key[0], row_key[1]] = None
        else:
            self._bytes -= len(former.row)
            rows.move_to_end(row_key)
        while len(rows) > self._limit or self._bytes > self._limit_bytes:
            self._bytes -= len(rows.popitem(last=False)[1].row)
        return None if former is None else former.row

    def _forget(self, row_key: RowKey) -> bytes | None:
        kept = self._rows.pop(row_key, None)
        if kept is None:
            return None
        self._bytes -= len(kept.row)
        return kept.row

    def _bury(self, row_key: RowKey, commit: str | None) -> None:
        """Remember a deleted row, so that an older state that is read can't restore it."""
        self._gone.pop(row_key, None)
        self._gone[row_key] = commit
        if len(self._gone) > TOMBSTONES:
            del self._gone[next(iter(self._gone))]


def read_row(row_key: RowKey, row: bytes) -> Change:
    """Return a row as the INSERT of a snapshot."""
    schema, table, _ = row_key
    return Change(
        at=0,
        topic="",
        event_type="INSERT",
        schema=schema,
        table=table,
        commit_timestamp=None,
        new=Raw(row),
        source="snapshot",
    )


def _is_no_later(read: Kept, beneath: Kept | None) -> bool:
    if beneath is None:
        return False
    at, known = dated(read.row), dated(beneath.row)
    return at is None or known is None or at <= known


def _text_of(key: bytes) -> str:
    return ", ".join(value_text(value) for value in _values_of(b"[%b]" % key))
