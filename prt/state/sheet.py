"""The present rows of one table, sorted, and what changed in them a moment ago."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from prt.events import Change, Event
from prt.state.conditions.alerts import number_of
from prt.state.rows.difference import NOISE, rank_of, value_text
from prt.state.rows.present import KeyColumns, Present, assume_id, values_of
from prt.state.rows.value_order import ORDERS

LIT = 6_000_000
"""How long changed cells are highlighted (µs)."""
_MOST_LIT = 1000

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode

_MISSING = 2
SortKey = tuple[int, Decimal, str]


class SheetRow(Struct, frozen=True):
    """A row as texts.

    Attributes:
        cells: The values in the order of the columns; empty if there is no value.
        lit: The numbers of the columns that changed a moment ago.
        is_new: Whether the row appeared a moment ago.
        key: The row's key as raw JSON.
    """

    cells: tuple[str, ...]
    lit: frozenset[int]
    is_new: bool
    key: bytes = b""


class Sheet:
    """The rows of one table; changes of other tables are ignored."""

    def __init__(
        self, schema: str, table: str, *, sort: str | None = None, key_columns: KeyColumns = assume_id
    ) -> None:
        """Create an empty sheet.

        Args:
            schema: The schema of the table.
            table: The name of the table.
            sort: The column to sort by, after a `-` for descending order; None keeps the rows as they came.
            key_columns: Returns the key columns of a table.
        """
        self.table = table
        self._schema = schema
        self._is_descending = sort is not None and sort.startswith("-")
        self.sort = None if sort is None else sort.removeprefix("-")
        self._key_columns = key_columns
        self._present = Present(schema, table, key_columns)
        self._lit: dict[bytes, tuple[int, bytes | None]] = {}
        self._columns: dict[str, None] = {}
        self._sort_keys: dict[bytes, SortKey] = {}

    def __len__(self) -> int:
        return len(self._present.rows)

    @property
    def forgotten(self) -> int:
        """The number of rows that were dropped because there are too many."""
        return self._present.forgotten

    def apply(self, event: Event) -> None:
        """Apply an event; only changes of the sheet's table have an effect."""
        if type(event) is not Change:
            return
        turn = self._present.apply(event)
        if turn is None:
            return
        self._sort_keys.pop(turn.key, None)
        self._lit.pop(turn.key, None)
        if turn.after is not None and event.source != "snapshot":
            self._lit[turn.key] = (event.at, turn.before)
            if len(self._lit) > _MOST_LIT:
                del self._lit[next(iter(self._lit))]

    def columns(self) -> tuple[str, ...]:
        """Return the columns: the key, then the most important; bookkeeping columns are left out."""
        row = next(reversed(self._present.rows.values()), None)
        found = {} if row is None else _columns_of(row)
        key = self._key_columns(self._schema, self.table)
        rest = [name for name in found if name not in key and (name not in NOISE or name == self.sort)]
        ordered = sorted(rest, key=lambda name: -1 if name == self.sort else rank_of(name))
        return (*(name for name in key if name in found), *ordered)

    def keys(self) -> list[bytes]:
        """Return the keys of the rows in their order."""
        keys = list(self._present.rows)
        if self.sort is not None:
            for key in self._sort_keys.keys() - self._present.rows.keys():
                del self._sort_keys[key]
            keys.sort(key=self._sort_key, reverse=self._is_descending)
            keys.sort(key=lambda key: self._sort_key(key)[0] == _MISSING)
        return keys

    def rows(self, columns: tuple[str, ...], count: int, now: int) -> list[SheetRow]:
        """Return the first `count` rows with these columns at `now` (µs)."""
        return [self.row(key, columns, now) for key in self.keys()[:count]]

    def sides(self, key: bytes) -> tuple[bytes | None, bytes | None]:
        """Return a row before its last change and as it is now; None for a row that is unknown or gone."""
        return self._lit.get(key, (0, None))[1], self._present.rows.get(key)

    def row(self, key: bytes, columns: tuple[str, ...], now: int) -> SheetRow:
        """Return one row with these columns at `now` (µs)."""
        values = values_of(self._present.rows[key], columns) or (None,) * len(columns)
        at, before = self._lit.get(key, (None, None))
        lit: frozenset[int] = frozenset()
        is_fresh = at is not None and now - at < LIT
        if is_fresh and before is not None:
            earlier = values_of(before, columns) or ()
            pairs = enumerate(zip(earlier, values, strict=False))
            lit = frozenset(index for index, (one, other) in pairs if one != other)
        cells = tuple("" if value in (None, b"null") else value_text(Raw(value or b"")) for value in values)
        return SheetRow(cells, lit, is_fresh and before is None, key)

    def _sort_key(self, key: bytes) -> SortKey:
        """Return the sort key of a row.

        Numbers and known steps come before texts, and missing values last.
        """
        known = self._sort_keys.get(key)
        if known is None:
            value = (values_of(self._present.rows[key], (self.sort or "",)) or (None,))[0]
            number = number_of(value) if value and not value.startswith(b'"') else None
            text = value_text(Raw(value or b""))
            order = ORDERS.get((self.table, self.sort or ""), ())
            if value in (None, b"null"):
                known = (_MISSING, Decimal(0), "")
            elif text in order:
                known = (0, Decimal(order.index(text)), "")
            elif number is not None:
                known = (0, number, "")
            else:
                known = (1, Decimal(0), text)
            self._sort_keys[key] = known
        return known
