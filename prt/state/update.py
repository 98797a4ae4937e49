"""The update of one row by `prt update`, from reading the row to the echo or the rollback. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from prt.events import EMPTY, Change, Conflict
from prt.state.rows.cache import Rows
from prt.state.rows.difference import Cell, value_text

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class Update:
    """An update. `key` and `values` are by column, as raw JSON; times are in µs by our clock, or None."""

    def __init__(self, schema: str, table: str, key: Mapping[str, Raw], values: Mapping[str, Raw]) -> None:
        self.schema, self.table = schema, table
        self.key, self.values = dict(key), dict(values)
        self.before: Raw | None = None
        self.applied_at: int | None = None
        self.committed_at: int | None = None
        self.confirmed_at: int | None = None
        self.rolled_back_at: int | None = None
        self.failure: str | None = None
        self.conflicts: list[Conflict] = []
        self._rows = Rows(keys={(schema, table): tuple(key)})

    @property
    def key_text(self) -> str:
        """The values of the key as one text."""
        return ", ".join(value_text(value) for value in self.key.values())

    @property
    def row(self) -> bytes | None:
        """The row as it's currently known, with our write and the changes of others; None if unknown."""
        values = [msgspec.json.encode(value) for value in self.key.values()]
        return self._rows.row(self.schema, self.table, b",".join(values))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The written columns with their values before and now."""
        before = {} if self.before is None else _columns_of(self.before)
        after = {} if self.row is None else _columns_of(self.row)
        return tuple(
            Cell(
                name,
                value_text(before[name]) if name in before else None,
                value_text(after[name]) if name in after else None,
            )
            for name in self.values
        )

    def concerns(self, change: Change) -> bool:
        """Return whether a change is about this row."""
        if (change.schema, change.table) != (self.schema, self.table):
            return False
        return any(self._names(raw) for raw in (change.new, change.old))

    def found(self, row: Raw, at: int) -> None:
        """Note the row before the update, and its key in the form that the database prints."""
        self.before = row
        columns = _columns_of(row)
        self.key = {name: columns[name] for name in self.key}
        self._rows.process(self._change(row, at))

    def apply_locally(self, at: int) -> None:
        """Apply the new values locally, before the database confirms them."""
        assert self.before is not None  # noqa: S101 - `found` was called first
        self.applied_at = at
        row = Raw(msgspec.json.encode(_columns_of(self.before) | self.values))
        self._rows.begin(self._change(row, at))

    def commit(self, row: Raw, at: int) -> list[Conflict]:
        """Note that the database wrote and returned the row. Return the conflicts so far."""
        self.committed_at = at
        self._rows.answer(self._change(row, at))
        return self._judged(at)

    def apply(self, change: Change) -> list[Conflict]:
        """Apply a change of the row, by us or others. Return the new conflicts."""
        self._rows.process(change)
        return self._judged(change.at)

    def roll_back(self, reason: str, at: int) -> None:
        """Note the failure, and restore the row as the database has it."""
        self.failure, self.rolled_back_at = reason, at
        if self._is_pending():
            self._rows.roll_back(self._named(at))

    def _judged(self, at: int) -> list[Conflict]:
        if self.committed_at is not None and self.confirmed_at is None and not self._is_pending():
            self.confirmed_at = at
        conflicts, self._rows.conflicts = self._rows.conflicts, []
        self.conflicts += conflicts
        return conflicts

    def _is_pending(self) -> bool:
        return self._rows.is_unconfirmed(self._named(0))

    def _named(self, at: int) -> Change:
        return self._change(Raw(msgspec.json.encode(self.key)), at)

    def _names(self, row: Raw) -> bool:
        try:
            columns = _columns_of(row)
        except (msgspec.DecodeError, RecursionError):
            return False
        return all(
            name in columns and bytes(columns[name]) == bytes(value) for name, value in self.key.items()
        )

    def _change(self, row: Raw, at: int) -> Change:
        return Change(
            at=at,
            topic="",
            event_type="INSERT",
            schema=self.schema,
            table=self.table,
            commit_timestamp=None,
            new=row,
            old=EMPTY,
            source="snapshot",
        )
