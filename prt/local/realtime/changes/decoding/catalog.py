"""Tables and types in the database's catalog, as decoding needs them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg.rows import tuple_row

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding.values import Field, Type, Types
from prt.postgres.pgoutput import Relation

PUBLICATION = "supabase_realtime"
CHANGES_PUBLICATION = "prt_realtime_changes"
"""Streams the changes of the tables in PUBLICATION, without its row filters and column lists."""
MESSAGES_PUBLICATION = "prt_realtime_messages"
"""Streams the inserts into realtime.messages, through which the database sends broadcasts."""


class TableGoneError(Exception):
    """It was dropped after what the stream tells of it."""


class Column(Struct, frozen=True, kw_only=True):
    """`cast` is the type with its length, for comparing values as they are stored."""

    name: str
    type: Type
    cast: str
    is_identity: bool
    is_primary: bool


class Table(Struct, frozen=True, kw_only=True):
    """A published table as its changes arrive: columns in the order of their values."""

    oid: int
    schema: str
    name: str
    has_row_security: bool
    columns: tuple[Column, ...]
    types: Types

    @property
    def primary_key(self) -> tuple[Column, ...]:
        """Return the columns of the primary key."""
        return tuple(column for column in self.columns if column.is_primary)


async def published(connection: Connection, schema: str, table: str) -> list[int]:
    """Return the oids of the publication's tables, the oldest first.

    `schema` and `table` are patterns of LIKE without an escape character, or `*` for all, as on the real
    server: a table that has a `_` in its name may bring others along.
    """
    rows = await _rows(
        connection,
        """
        select c.oid::int8 from pg_publication_tables p
        join pg_namespace n on n.nspname = p.schemaname
        join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
        where p.pubname = %s
          and p.schemaname like coalesce(nullif(%s::text, '*'), '%%') escape ''
          and p.tablename like coalesce(nullif(%s::text, '*'), '%%') escape ''
        order by c.oid
        """,
        [PUBLICATION, schema, table],
    )
    return [oid for (oid,) in rows]


async def tables(connection: Connection) -> frozenset[tuple[str, str, int]]:
    """Return the publication's tables: schema, name and oid."""
    rows = await _rows(
        connection,
        """
        select p.schemaname, p.tablename, c.oid::int8 from pg_publication_tables p
        join pg_namespace n on n.nspname = p.schemaname
        join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
        where p.pubname = %s
        """,
        [PUBLICATION],
    )
    return frozenset((schema, name, oid) for schema, name, oid in rows)


async def is_unrestricted(connection: Connection, role: str) -> bool:
    """Whether the role passes row security. Raises UndefinedObject where there is no such role."""
    rows = await _rows(
        connection,
        "select rolsuper or rolbypassrls from pg_roles where oid = quote_ident(%s::text)::regrole",
        [role],
    )
    return bool(rows[0][0])


async def selectable(connection: Connection, oid: int, role: str) -> dict[str, str]:
    """The columns that the role may read, each with its type as `regtype` prints it.

    Raises TableGoneError: a table that was dropped is not one that nobody may read.
    """
    rows = await _rows(
        connection,
        """
        select attname, atttypid::regtype::text, has_column_privilege(%s::name, attrelid, attnum, 'SELECT')
        from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped
        """,
        [role, oid],
    )
    if not rows or any(is_readable is None for *_, is_readable in rows):
        raise TableGoneError
    return {name: type_name for name, type_name, is_readable in rows if is_readable}


async def describe(connection: Connection, relation: Relation) -> Table:
    """The table behind a relation of the stream. Raises TableGoneError."""
    rows = await _rows(
        connection,
        """
        select a.attname, format_type(a.atttypid, a.atttypmod), c.relrowsecurity,
          exists (select from pg_index i
            where i.indrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey))
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.oid = %s
        """,
        [relation.oid],
    )
    if not rows:
        raise TableGoneError
    types = await types_of(connection, [column.type_oid for column in relation.columns])
    stored = {name: (cast, is_primary) for name, cast, _, is_primary in rows}
    return Table(
        oid=relation.oid,
        schema=relation.schema,
        name=relation.name,
        has_row_security=rows[0][2],
        columns=tuple(
            Column(
                name=column.name,
                type=types.get(column.type_oid) or _forgotten(column.type_oid),
                cast=stored.get(column.name, ("text", False))[0],
                is_identity=column.is_identity,
                is_primary=stored.get(column.name, ("text", False))[1],
            )
            for column in relation.columns
        ),
        types=types,
    )


async def types_of(connection: Connection, oids: list[int]) -> dict[int, Type]:
    """These types and all that they are made of."""
    rows = await _rows(
        connection,
        """
        with recursive parts(oid) as (
          select unnest(%s::oid[])
          union
          select part.oid from parts join pg_type t on t.oid = parts.oid, lateral (
            select t.typelem union all select t.typbasetype
            union all select atttypid from pg_attribute where attrelid = nullif(t.typrelid, 0) and attnum > 0
          ) part(oid) where part.oid <> 0
        )
        select t.oid::int8, t.typname, t.oid::regtype::text, t.typtype::text, t.typdelim::text,
          case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem::int8 else 0 end,
          t.typbasetype::int8,
          coalesce((select jsonb_agg(jsonb_build_array(attname, atttypid::int8) order by attnum)
            from pg_attribute
            where attrelid = nullif(t.typrelid, 0) and attnum > 0 and not attisdropped), '[]')
        from parts join pg_type t using (oid)
        """,
        [oids],
    )
    return {
        oid: Type(
            oid=oid,
            name=name,
            sql=sql,
            kind=kind,
            delimiter=delimiter,
            element=element,
            base=base,
            fields=tuple(Field(*field) for field in fields),
        )
        for oid, name, sql, kind, delimiter, element, base, fields in rows
    }


def _forgotten(oid: int) -> Type:
    return Type(oid=oid, name="unknown", sql="text", kind="b")


async def _rows(connection: Connection, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()
