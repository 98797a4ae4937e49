"""The key columns of each table: given by the user, learned from the wire, or assumed to be `id`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from prt.events import Change
from prt.state.rows.columns import Reader, reader_of

Table = tuple[str, str]
"""(schema, table)"""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class _Key(Struct, frozen=True):
    """The key of one table; `is_given` by the user, `is_learned` from the wire, or assumed."""

    columns: tuple[str, ...]
    read: Reader
    is_given: bool = False
    is_learned: bool = False

    def of(self, row: Raw) -> bytes | None:
        """Return the key's values as raw JSON; None if the row lacks one."""
        values = self.read(row)
        if values is None or not all(values):
            return None
        return bytes(values[0]) if len(values) == 1 else b",".join(map(bytes, values))


def _key(columns: tuple[str, ...], *, is_given: bool = False, is_learned: bool = False) -> _Key:
    return _Key(columns, reader_of(columns), is_given, is_learned)


_ID = _key(("id",))


class Keys:
    """The key columns of all tables.

    A table's key is the given one; otherwise the columns of `old`, once an UPDATE has fewer of them than the
    row; otherwise `id`. Tables with rows that lack these columns are in `keyless`.
    """

    def __init__(self, given: Mapping[Table, tuple[str, ...]] | None = None) -> None:
        self._keys = {table: _key(columns, is_given=True) for table, columns in (given or {}).items()}
        self.keyless: set[Table] = set()

    def columns(self, schema: str, table: str) -> tuple[str, ...]:
        """Return the key columns of a table."""
        return self._keys.get((schema, table), _ID).columns

    def of(self, change: Change) -> tuple[bytes | None, bytes | None]:
        """Return the row's key before and after a change as raw JSON; None if it's missing or unknown."""
        name = (change.schema, change.table)
        key = self._keys.get(name, _ID)
        if change.event_type == "INSERT":
            before, after = None, key.of(change.new)
        else:
            if not (key.is_given or key.is_learned):
                key = self._learn(name, change) or key
            before = key.of(change.old)
            after = None if change.event_type == "DELETE" else key.of(change.new)
        if before is None and after is None and not change.errors:
            self.keyless.add(name)
        return before, after

    def _learn(self, name: Table, change: Change) -> _Key | None:
        """Learn the key from `old` if it has fewer columns than the row."""
        if change.event_type == "DELETE":
            return None  # the number of the row's columns is unknown
        try:
            old, new = _columns_of(change.old), _columns_of(change.new)
        except (msgspec.DecodeError, RecursionError):
            return None
        if not 0 < len(old) < len(new):
            return None
        key = self._keys[name] = _key(tuple(old), is_learned=True)
        return key
