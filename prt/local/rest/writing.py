"""Compilation of inserts, updates and deletes into SQL, from whose result the rows of the answer are read.

The JSON body is passed to PostgreSQL as the client sent it.
"""

# ruff: noqa: S608 - all names in the SQL are quoted, all values are parameters

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
"""A setting that counts the rows updated by an upsert, whose result doesn't show which rows were inserted."""


class Body(msgspec.Struct, frozen=True):
    """The body of a write.

    Attributes:
        text: A JSON array of objects, as text.
        columns: The names of the columns that the write sets.
        size: The number of objects.
    """

    text: str
    columns: tuple[str, ...]
    size: int


async def parse_body(raw: bytes, columns: tuple[str, ...] | None) -> Body:
    """Parse a JSON body. `columns` are those that the request's parameter names, if any.

    A body can contain half a million rows, so other tasks run in between.

    Raises:
        RestError: `PGRST102`: the body is neither an object nor a list of objects with the same keys.
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
    """A write on a table.

    Attributes:
        table: The table with its columns.
        query: The parsed parameters.
        preferences: The preferences of the header `Prefer`.
        returning: The list of the RETURNING clause (`returning_sql`).
    """

    table: Table
    query: Query
    preferences: Preferences
    returning: str

    def insert(self, body: Body, parameters: Parameters) -> str:
        """Return the statement that inserts the rows of a body."""
        if not body.size:
            return self._nothing()
        target = self.table.name.quoted
        if not body.columns:
            return f"insert into {target} default values returning {self.returning}"
        names = ", ".join(quote(name) for name in body.columns)
        source = f"select {names} from {self._rows(body, parameters)} {self._on_conflict(body)}"
        return f"insert into {target} ({names}) {source} returning {self.returning}"

    def update(self, body: Body, parameters: Parameters) -> str:
        """Return the statement that updates the rows that match the conditions.

        An empty object changes nothing and is not an error. Raise RestError if there are no conditions.
        """
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
        """Return the statement that deletes the rows that match the conditions.

        Raise RestError if there are no conditions.
        """
        self._require_conditions("DELETE")
        where = self._where(parameters)
        return f"delete from {self.table.name.quoted} where {where} returning {self.returning}"

    def _nothing(self) -> str:
        return f"select {self.returning} from {self.table.name.quoted} where false"

    def _require_conditions(self, what: str) -> None:
        """Raise RestError if there are no conditions: a forgotten filter must not change a whole table.

        Supabase loads the extension safeupdate for the same purpose.
        """
        if not self.query.conditions.get(()):
            raise RestError(400, "21000", f"{what} requires a WHERE clause")

    def _where(self, parameters: Parameters) -> str:
        return all_of(self.query.conditions.get((), ()), self.table.name.quoted, parameters)

    def _rows(self, body: Body, parameters: Parameters) -> str:
        """Return the SQL of the body as a table whose columns have the types of the written table."""
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
    """Return the list of a RETURNING clause; all columns if `columns` is None.

    The list contains only columns that the answer needs, because RETURNING requires the privilege to read
    them.
    """
    if columns is None:
        return f"{table.name.quoted}.*"
    return ", ".join(f"{table.name.quoted}.{quote(name)}" for name in sorted(columns)) or "1"
