"""Tables and types in the database's catalog, for the decoding of changes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg.rows import tuple_row

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding.values import Field, Type, Types
from prt.postgres.pgoutput import Relation

PUBLICATION = "supabase_realtime"
CHANGES_PUBLICATION = "prt_realtime_changes"
"""The publication that streams changes: the tables of PUBLICATION without row filters and column lists."""
MESSAGES_PUBLICATION = "prt_realtime_messages"
"""The publication that streams inserts into `realtime.messages`, with which the database sends broadcasts."""


class TableGoneError(Exception):
    """A table was dropped after its change was written to the stream."""


class Column(Struct, frozen=True, kw_only=True):
    """A column of a published table.

    Attributes:
        name: The name.
        type: The type.
        cast: The SQL of the type with its length, which is used to compare stored values.
        is_identity: Whether the column is part of the replica identity.
        is_primary: Whether the column is part of the primary key.
    """

    name: str
    type: Type
    cast: str
    is_identity: bool
    is_primary: bool


class Table(Struct, frozen=True, kw_only=True):
    """A published table; its columns are in the order of a change's values."""

    oid: int
    schema: str
    name: str
    has_row_security: bool
    columns: tuple[Column, ...]
    types: Types

    @property
    def primary_key(self) -> tuple[Column, ...]:
        """The columns of the primary key."""
        return tuple(column for column in self.columns if column.is_primary)


async def published(connection: Connection, schema: str, table: str) -> list[int]:
    """Return the oids of the matching tables of the publication, the lowest first.

    `schema` and `table` are `*` for all, or patterns of LIKE without an escape character, as on the real
    server: the `_` in a table's name also matches any other character.
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
    """Return the publication's tables as (schema, name, oid)."""
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
    """Return whether the role bypasses row security.

    Raises:
        psycopg.errors.UndefinedObject: There is no such role.
    """
    rows = await _rows(
        connection,
        "select rolsuper or rolbypassrls from pg_roles where oid = quote_ident(%s::text)::regrole",
        [role],
    )
    return bool(rows[0][0])


async def selectable(connection: Connection, oid: int, role: str) -> dict[str, str]:
    """Return the columns that the role may read, each with its type as `regtype` prints it.

    Raises:
        TableGoneError: The table was dropped, which is not the same as a table without readable columns.
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
    """Return the table that a relation of the stream describes.

    Raises:
        TableGoneError: The table was dropped.
    """
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
    """Return these types by oid, with the types of their elements, fields and bases."""
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
