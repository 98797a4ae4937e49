"""The present rows of one table, from a snapshot and the stream.

Rows are kept as raw JSON copies; of a change, only the key is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

import msgspec
from msgspec import Raw, Struct

from prt.events import Change
from prt.state.rows.columns import reader_of
from prt.state.rows.difference import is_one_letter_of

KeyColumns = Callable[[str, str], tuple[str, ...]]
"""Returns the key columns of a schema and table, as far as they are known."""

LIMIT = 20_000
_LARGE = 1000  # bytes: PostgreSQL only moves values out of rows that are twice as long

_LETTER = re.compile(rb':\s*"[^"\\]"')
"""A string of one letter, which is all that Realtime sends of a `char(n)`."""
_LOOKED_AT = 100

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


def assume_id(_schema: str, _table: str) -> tuple[str, ...]:
    """Return `id` as the key column, for tables without a known key."""
    return ("id",)


class Turn(Struct, frozen=True, gc=False):
    """The effect of a change on a row. `before` or `after` is None if the row was unknown or is gone."""

    key: bytes
    before: bytes | None
    after: bytes | None


class Present:
    """The rows by key, both as raw JSON; beyond `limit`, the first ones added are dropped."""

    def __init__(
        self, schema: str, table: str, key_columns: KeyColumns = assume_id, *, limit: int = LIMIT
    ) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.forgotten = 0
        self._schema = schema
        self._table = table
        self._key_columns = key_columns
        self._columns = key_columns(schema, table)
        self._limit = limit
        self._fixed: dict[str, bool] = {}

    def apply(self, change: Change) -> Turn | None:
        """Apply a change, and return its effect.

        Returns:
            None if the change is of another table, or its row's key is unknown.
        """
        if change.table != self._table or change.schema != self._schema:
            return None
        columns = self._key_columns(self._schema, self._table)
        if columns != self._columns:
            self._rename(columns)
        if change.event_type == "DELETE":
            key = key_of(change.old, columns)
            return None if key is None else Turn(key, self.rows.pop(key, None), None)
        key = key_of(change.new, columns)
        if key is None:
            return None
        before = self.rows.get(key)
        if change.event_type == "UPDATE" and before is None:
            earlier = key_of(change.old, columns)
            if earlier is not None and earlier != key:
                before = self.rows.pop(earlier, None)
        after = bytes(change.new)
        if before is not None and (
            change.errors or len(after) < len(before) > _LARGE or _LETTER.search(after) is not None
        ):
            after = self._filled(before, after)
        self.rows[key] = after
        if len(self.rows) > self._limit:
            del self.rows[next(iter(self.rows))]
            self.forgotten += 1
        return Turn(key, before, after)

    def _filled(self, before: bytes, after: bytes) -> bytes:
        """Restore values that the server left out or cut.

        Large values that did not change are left out, and only a letter is sent of a `char(n)`.
        """
        try:
            known, new = _columns_of(before), _columns_of(after)
        except (msgspec.DecodeError, RecursionError):
            return after
        cut = {
            name: known[name]
            for name, value in new.items()
            if name in known and is_one_letter_of(value, known[name]) and self._has_fixed_length(name)
        }
        return msgspec.json.encode(known | new | cut) if cut or known.keys() - new.keys() else after

    def _has_fixed_length(self, column: str) -> bool:
        """Return whether a column may be a `char(n)`, whose values have all the same length in REST."""
        found = self._fixed.get(column)
        if found is None:
            rows = islice(self.rows.values(), _LOOKED_AT)
            values = [value for row in rows for value in values_of(row, (column,)) or ()]
            lengths = {len(value) for value in values if value not in (None, b"null", b'""')}
            found = self._fixed[column] = len(lengths) == 1
        return found

    def _rename(self, columns: tuple[str, ...]) -> None:
        """Sort the rows by their new key columns, which became known."""
        self._columns = columns
        named = ((key_of(row, columns), row) for row in self.rows.values())
        self.rows = {key: row for key, row in named if key is not None}


def key_of(row: bytes | Raw, columns: tuple[str, ...]) -> bytes | None:
    """Return the key's values as raw JSON; None if the row lacks one."""
    values = values_of(row, columns)
    if values is None or None in values:
        return None
    return b",".join(value for value in values if value is not None)


def values_of(row: bytes | Raw, columns: tuple[str, ...]) -> tuple[bytes | None, ...] | None:
    """Return the raw values of some columns, None for a missing one; None if the row can't be read."""
    values = reader_of(columns)(row)
    return None if values is None else tuple([bytes(value) or None for value in values])
