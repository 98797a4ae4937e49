"""Tables, columns and foreign keys, read from the database's catalog.

A read doesn't need the columns of its table; a write looks up one table, and embedding looks up the foreign
keys of the schema.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from prt.local.rest.errors import RestError
from prt.local.rest.sql import execute, quote
from prt.suggestions import nearest


class TableName(Struct, frozen=True):
    """The name of a table with its schema."""

    schema: str
    name: str

    @property
    def quoted(self) -> str:
        """The name with its schema, quoted for SQL."""
        return f"{quote(self.schema)}.{quote(self.name)}"


class TableColumn(Struct, frozen=True):
    """A column of a table.

    Attributes:
        name: The column's name, unquoted.
        type: The type as SQL text, formatted by PostgreSQL.
        default: The default value as an SQL expression, None if there is no default.
        is_key: Whether the column is part of the primary key.
    """

    name: str
    type: str
    default: str | None
    is_key: bool


class Table(Struct, frozen=True):
    """A table or view with its columns by name."""

    name: TableName
    columns: dict[str, TableColumn]

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the primary key's columns, in the table's order; empty without a primary key."""
        return tuple(column.name for column in self.columns.values() if column.is_key)


class ForeignKey(Struct, frozen=True):
    """A foreign key between two tables of one schema.

    Attributes:
        name: The name of the constraint.
        table: The table that refers to `target`.
        columns: The referring columns.
        target: The table that is referred to.
        target_columns: The columns that are referred to, in the order of `columns`.
        is_one_to_one: Whether the referring columns are unique.
        is_in_key: Whether the referring columns are part of the primary key.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    is_one_to_one: bool
    is_in_key: bool


COLUMNS = """
select a.attname::text,
  pg_catalog.format_type(a.atttypid, a.atttypmod),
  case when a.attgenerated <> '' then null
    when a.attidentity <> '' then
      format('pg_catalog.nextval(%L)', pg_catalog.pg_get_serial_sequence($1, a.attname::text))
    else pg_catalog.pg_get_expr(d.adbin, d.adrelid) end,
  coalesce(a.attnum = any(k.conkey), false)
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
where c.oid = pg_catalog.to_regclass($1) and c.relkind in ('r', 'v', 'm', 'f', 'p')
order by a.attnum
"""

FOREIGN_KEYS = """
select k.conname::text, s.relname::text, own.names, t.relname::text, other.names,
  exists (
    select from pg_catalog.pg_index i
    where i.indrelid = k.conrelid and i.indisunique and i.indpred is null
      and (i.indkey::int2[])[0:i.indnkeyatts - 1] <@ k.conkey
  ),
  exists (
    select from pg_catalog.pg_constraint p
    where p.conrelid = k.conrelid and p.contype = 'p' and p.conkey @> k.conkey
  )
from pg_catalog.pg_constraint k
join pg_catalog.pg_class s on s.oid = k.conrelid
join pg_catalog.pg_class t on t.oid = k.confrelid
cross join lateral (
  select array_agg(a.attname::text order by u.position) as names
  from unnest(k.conkey) with ordinality as u (number, position)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number
) own
cross join lateral (
  select array_agg(a.attname::text order by u.position) as names
  from unnest(k.confkey) with ordinality as u (number, position)
  join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number
) other
where k.contype = 'f' and k.conparentid = 0
  and s.relnamespace = $1::regnamespace and t.relnamespace = $1::regnamespace
order by k.conname
"""

TABLE_NAMES = """
select relname::text from pg_catalog.pg_class
where relnamespace = $1::regnamespace and relkind in ('r', 'v', 'm', 'f', 'p') order by relname
"""


async def find_table(connection: AsyncConnection[Any], name: TableName) -> Table:
    """Return a table with its columns.

    Raises:
        RestError: `PGRST205`: there is no such table. The hint contains the most similar name.
    """
    rows = await _rows(connection, COLUMNS, name.quoted)
    if not rows:
        raise await unknown_table(connection, name)
    return Table(name, {row[0]: TableColumn(*row) for row in rows})


async def table_names(connection: AsyncConnection[Any], schema: str) -> list[str]:
    """Return the names of the tables and views of a schema."""
    return [row[0] for row in await _rows(connection, TABLE_NAMES, quote(schema))]


async def foreign_keys(connection: AsyncConnection[Any], schema: str) -> tuple[ForeignKey, ...]:
    """Return the foreign keys between the tables of a schema."""
    rows = await _rows(connection, FOREIGN_KEYS, quote(schema))
    return tuple(ForeignKey(r[0], r[1], tuple(r[2]), r[3], tuple(r[4]), r[5], r[6]) for r in rows)


async def unknown_table(connection: AsyncConnection[Any], name: TableName) -> RestError:
    """Return the error for an unknown table, with the most similar name as a hint."""
    near = nearest(name.name, await table_names(connection, name.schema))
    return RestError(
        404,
        "PGRST205",
        f"Could not find the table '{name.schema}.{name.name}' in the schema cache",
        hint=f"Perhaps you meant the table '{name.schema}.{near}'" if near else None,
    )


async def _rows(connection: AsyncConnection[Any], text: str, *parameters: Any) -> list[Any]:
    cursor = await execute(connection, text, parameters, is_of_catalog=True)
    return await cursor.fetchall()
