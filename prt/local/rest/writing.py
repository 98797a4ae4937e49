"""Inserts, updates and deletes → the CTE whose rows are then read. The body goes to PostgreSQL as it came."""

# ruff: noqa: S608 - every name in these texts is quoted, every value a parameter

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from prt.local.rest.catalog import Table
from prt.local.rest.conditions import all_of
from prt.local.rest.errors import RestError
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.tree import Query
from prt.local.rest.sql import Parameters, quote
from prt.local.serving.turns import paced

UPDATED = "prt.updated"
"""Counts the rows of an upsert that were there before: PostgreSQL does not tell them from inserted ones."""


class Body(msgspec.Struct, frozen=True):
    """`text` is a JSON array of objects, `columns` what they set."""

    text: str
    columns: tuple[str, ...]
    size: int


async def parse_body(raw: bytes, columns: tuple[str, ...] | None) -> Body:
    """Read a body, a piece at a time: one may hold half a million rows.

    Raises:
        RestError: PGRST102, if it is neither an object nor a list of objects of the same keys.
    """
    try:
        text = raw.decode()
        decoded = msgspec.json.decode(text, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
        if isinstance(decoded, dict):
            return Body(f"[{text}]", tuple(decoded) if columns is None else _unique(columns), 1)
        first: tuple[str, ...] | None = None
        async for row in paced(decoded):
            names = tuple(msgspec.json.decode(row, type=dict[str, msgspec.Raw]))
            first = names if first is None else first
            if columns is None and names != first and set(names) != set(first):
                raise RestError(400, "PGRST102", "All object keys must match")
    except (UnicodeDecodeError, msgspec.DecodeError) as exc:
        raise RestError(400, "PGRST102", "Empty or invalid json") from exc
    return Body(text, (first or ()) if columns is None else _unique(columns), len(decoded))


def _unique(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(columns))


class Change(msgspec.Struct, frozen=True):
    """A write on a table; `returning` is `returning_sql` of what the answer needs."""

    table: Table
    query: Query
    preferences: Preferences
    returning: str

    def insert(self, body: Body, parameters: Parameters) -> str:
        """Return the statement that inserts a body."""
        if not body.size:
            return self._nothing()
        target = self.table.name.quoted
        if not body.columns:
            return f"insert into {target} default values returning {self.returning}"
        names = ", ".join(quote(name) for name in body.columns)
        source = f"select {names} from {self._rows(body, parameters)} {self._on_conflict(body)}"
        return f"insert into {target} ({names}) {source} returning {self.returning}"

    def update(self, body: Body, parameters: Parameters) -> str:
        """Return the statement that updates rows. An empty object changes nothing, without an error."""
        self._require_conditions("UPDATE")
        if not body.columns or not body.size:
            return self._nothing()
        names = ", ".join(quote(name) for name in body.columns)
        changes = ", ".join(f'{quote(name)} = "prt body".{quote(name)}' for name in body.columns)
        source = f'(select {names} from {self._rows(body, parameters)} limit 1) as "prt body"'
        return (
            f"update {self.table.name.quoted} set {changes} from {source}"
            f" where {self._where(parameters)} returning {self.returning}"
        )

    def delete(self, parameters: Parameters) -> str:
        """Return the statement that deletes rows."""
        self._require_conditions("DELETE")
        where = self._where(parameters)
        return f"delete from {self.table.name.quoted} where {where} returning {self.returning}"

    def _nothing(self) -> str:
        return f"select {self.returning} from {self.table.name.quoted} where false"

    def _require_conditions(self, what: str) -> None:
        """Supabase loads safeupdate for REST: a forgotten filter must not empty a table."""
        if not self.query.conditions.get(()):
            raise RestError(400, "21000", f"{what} requires a WHERE clause")

    def _where(self, parameters: Parameters) -> str:
        return all_of(self.query.conditions.get((), ()), self.table.name.quoted, parameters)

    def _rows(self, body: Body, parameters: Parameters) -> str:
        """The body as a table of the columns' own types."""
        for name in body.columns:
            if name not in self.table.columns:
                table = self.table.name.name
                message = f"Could not find the '{name}' column of '{table}' in the schema cache"
                raise RestError(400, "PGRST204", message)
        columns = [self.table.columns[name] for name in body.columns]
        typed = ", ".join(f"{quote(column.name)} {column.type}" for column in columns)
        source = f"{parameters.bind(body.text)}::json"
        defaults = [column for column in columns if column.default is not None]
        if self.preferences.fills_defaults and defaults:
            pairs = ", ".join(f"{parameters.bind(c.name)}::text, {c.default}" for c in defaults)
            source = (
                f"(select json_agg(jsonb_build_object({pairs}) || element)"
                f" from jsonb_array_elements({source}::jsonb) as element)"
            )
        return f"json_to_recordset({source}) as _ ({typed})"

    def _on_conflict(self, body: Body) -> str:
        target = self.query.on_conflict or self.table.key
        if self.preferences.resolution is None or not target:
            return ""
        columns = ", ".join(quote(name) for name in target)
        if self.preferences.resolution == "ignore-duplicates":
            return f"on conflict ({columns}) do nothing"
        changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in body.columns)
        counted = f"coalesce(nullif(current_setting('{UPDATED}', true), ''), '0')::int + 1"
        return (
            f"on conflict ({columns}) do update set {changes}"
            f" where set_config('{UPDATED}', ({counted})::text, true) is not null"
        )


def returning_sql(table: Table, columns: Iterable[str] | None) -> str:
    """RETURNING needs the right to read: only what the answer needs stands in it. None is every column."""
    if columns is None:
        return f"{table.name.quoted}.*"
    return ", ".join(f"{table.name.quoted}.{quote(name)}" for name in sorted(columns)) or "1"
