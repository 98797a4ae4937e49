"""The last known row of each key, so that an UPDATE without its old row still shows what changed.

Only the key is decoded of a change; rows stay raw, and are copied out of their frames.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from prt.events import Change

Table = tuple[str, str]
"""(schema, table)"""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class _Key(Struct, frozen=True):
    """What names a row of one table. `is_given` by the user, else learned from the wire or assumed."""

    columns: tuple[str, ...]
    decoder: msgspec.json.Decoder[Struct]
    is_given: bool = False
    is_learned: bool = False

    def of(self, row: Raw) -> bytes | None:
        """The key's values as raw JSON, None where the row lacks one."""
        try:
            values = msgspec.structs.astuple(self.decoder.decode(row))
        except msgspec.DecodeError:
            return None
        return b",".join(map(bytes, values))


def _key(columns: tuple[str, ...], *, is_given: bool = False, is_learned: bool = False) -> _Key:
    fields = [(f"k{index}", Raw) for index in range(len(columns))]
    names = {f"k{index}": column for index, column in enumerate(columns)}
    row = msgspec.defstruct("Row", fields, rename=names)
    return _Key(columns, msgspec.json.Decoder(row), is_given, is_learned)


_ID = _key(("id",))


class Rows:
    """Last known rows, the least recently changed forgotten first beyond `limit` rows or `limit_bytes`.

    A table's key: the given one, else the columns of `old` once an UPDATE or DELETE carries fewer than
    the row has, else `id`; rows without it are not kept, and their tables stand in `keyless`.
    """

    def __init__(
        self,
        *,
        keys: Mapping[Table, tuple[str, ...]] | None = None,
        limit: int = 20_000,
        limit_bytes: int = 32 << 20,
    ) -> None:
        self._keys = {table: _key(columns, is_given=True) for table, columns in (keys or {}).items()}
        self._rows: OrderedDict[tuple[str, str, bytes], bytes] = OrderedDict()
        self._bytes = 0
        self._limit = limit
        self._limit_bytes = limit_bytes
        self.keyless: set[Table] = set()
        self.tables: dict[Table, None] = {}
        """Those that rows came from, in that order."""

    def __len__(self) -> int:
        return len(self._rows)

    def key_columns(self, schema: str, table: str) -> tuple[str, ...]:
        return self._keys.get((schema, table), _ID).columns

    def row(self, schema: str, table: str, key: bytes) -> bytes | None:
        """A row as it was last seen; `key` is raw JSON."""
        return self._rows.get((schema, table, key))

    def apply(self, change: Change) -> bytes | None:
        """Take the change in; the row as it was known before, None where it was not."""
        schema, table = name = (change.schema, change.table)
        if change.errors:
            return None  # the row is cut or empty
        key = self._keys.get(name, _ID)
        if change.event_type == "INSERT":
            value = key.of(change.new)
            if value is None:
                self.keyless.add(name)
                return None
            return self._keep((schema, table, value), change.new)
        if not (key.is_given or key.is_learned):
            key = self._learn(name, change) or key
        before = key.of(change.old)
        after = None if change.event_type == "DELETE" else key.of(change.new)
        if before is None and after is None:
            self.keyless.add(name)
            return None
        previous = None
        if before is not None and before != after:
            previous = self._forget((schema, table, before))
        if after is not None:
            previous = self._keep((schema, table, after), change.new) or previous
        return previous

    def _learn(self, name: Table, change: Change) -> _Key | None:
        """The key from `old` where that has fewer columns than the row."""
        if change.event_type == "DELETE":
            return None  # how many columns the row had is not said
        try:
            old, new = _columns_of(change.old), _columns_of(change.new)
        except msgspec.DecodeError:
            return None
        if not 0 < len(old) < len(new):
            return None
        key = self._keys[name] = _key(tuple(old), is_learned=True)
        return key

    def _keep(self, key: tuple[str, str, bytes], row: Raw) -> bytes | None:
        rows = self._rows
        previous = rows.get(key)
        if previous is None:
            self.tables[key[0], key[1]] = None
        rows[key] = kept = bytes(row)
        self._bytes += len(kept)
        if previous is not None:
            self._bytes -= len(previous)
            rows.move_to_end(key)
        while len(rows) > self._limit or self._bytes > self._limit_bytes:
            self._bytes -= len(rows.popitem(last=False)[1])
        return previous

    def _forget(self, key: tuple[str, str, bytes]) -> bytes | None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._bytes -= len(row)
        return row
