"""Tables in the database's catalog: the properties on which Realtime and a role depend.

psycopg, PostgreSQL's client, is installed with the extra `local`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from prt.checks.database import PUBLICATION, connected, first_line

if TYPE_CHECKING:
    from psycopg import AsyncConnection

STATEMENT_MS = 5_000
ROWS_LOOKED_AT = 1_000
WILDCARD = "*"


class Policy(Struct, frozen=True, array_like=True):
    """A policy of row level security."""

    name: str
    is_permissive: bool


class Relation(Struct, frozen=True, kw_only=True):
    """A table as the catalog describes it, for one role.

    Attributes:
        kind: Its pg_class.relkind.
        identity: Its replica identity: d (default), f (full), n (nothing) or i (an index).
        key: The columns of the primary key.
        identity_columns: The columns of the replica identity's index.
        readable: The columns that the role may select.
        cut_columns: The columns of which Realtime sends only the first character: `char(n)` and `bit(n)`.
        policies: The policies that may let the role read.
        is_open_to_anon: Whether row level security is off and `anon` may select a column.
        rows: How many rows there are, at most 1,000; None if they could not be counted.
        visible: How many rows the role sees, at most 1,000; None if they could not be counted.
    """

    schema: str
    name: str
    kind: str
    identity: str
    has_row_security: bool
    is_published: bool
    key: tuple[str, ...]
    identity_columns: tuple[str, ...]
    columns: tuple[str, ...]
    readable: tuple[str, ...]
    may_use_schema: bool
    policies: tuple[Policy, ...]
    cut_columns: tuple[str, ...] = ()
    is_open_to_anon: bool = False
    rows: int | None = None
    visible: int | None = None
    trouble: str | None = None
    """PostgreSQL's message if counting as the role failed."""


class Publication(Struct, frozen=True, array_like=True):
    """The operations that a publication sends."""

    inserts: bool
    updates: bool
    deletes: bool

    @property
    def missing(self) -> list[str]:
        """Return the operations that the publication leaves out."""
        kinds = {"INSERT": self.inserts, "UPDATE": self.updates, "DELETE": self.deletes}
        return [name for name, is_sent in kinds.items() if not is_sent]


class Server(Struct, frozen=True, kw_only=True):
    """The database as a whole.

    Attributes:
        slots: How many replication slots there are.
        idle_slots: The replication slots that no process reads.
        publication: The publication `supabase_realtime`; None if there is none.
        has_role: Whether the role of the token exists.
    """

    version: str
    wal_level: str
    slots: int
    max_slots: int
    idle_slots: tuple[str, ...]
    connections: int
    max_connections: int
    publication: Publication | None
    has_role: bool
    passes_row_security: bool
    """Whether the role of the token bypasses row level security."""


class Database(Struct, frozen=True, kw_only=True):
    """Everything that was read from the catalog.

    Attributes:
        milliseconds: How long it took to connect.
        relations: The requested tables that exist, by (schema, table).
        others: The names of all tables in the requested schemas.
    """

    milliseconds: float
    server: Server
    relations: dict[tuple[str, str], Relation]
    others: tuple[str, ...]


async def read(
    conninfo: str, tables: Sequence[tuple[str, str]], *, role: str, claims: dict[str, Any]
) -> Database:
    """Read the catalog's description of the server and of some tables.

    Args:
        conninfo: The address of the database.
        tables: The tables as (schema, table). The table `*` stands for all published tables of the schema.
        role: The database role that the identity acts as.
        claims: The claims of the identity's token, which policies may use.

    Raises:
        UsageError: The address is not the address of a database.
        UnreachableError: No database answers.
        RefusedError: The user of the address may not read the catalog.
    """
    began = time.monotonic()
    async with connected(conninfo, application="prt status") as connection:
        milliseconds = (time.monotonic() - began) * 1000
        return await _read(connection, milliseconds, tables, role, claims)


async def _read(
    connection: AsyncConnection[Any],
    milliseconds: float,
    tables: Sequence[tuple[str, str]],
    role: str,
    claims: dict[str, Any],
) -> Database:
    await connection.execute("select set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)])
    server = await _server(connection, role)
    schemas = [schema for schema, _ in tables]
    names = [name for (name,) in await _rows(connection, _NAMES, {"schemas": schemas})]
    found: dict[tuple[str, str], Relation] = {}
    if server.has_role:
        asked = {
            "role": role,
            "schemas": schemas,
            "tables": [table for _, table in tables],
            "publication": PUBLICATION,
        }
        for (row,) in await _rows(connection, _RELATIONS, asked):
            relation = await _counted(connection, msgspec.convert(row, Relation), role, claims)
            found[relation.schema, relation.name] = relation
    return Database(milliseconds=milliseconds, server=server, relations=found, others=tuple(names))


async def _server(connection: AsyncConnection[Any], role: str) -> Server:
    (row,) = await _rows(connection, _SERVER, {"role": role, "publication": PUBLICATION})
    return msgspec.convert(row[0], Server)


async def _counted(
    connection: AsyncConnection[Any], relation: Relation, role: str, claims: dict[str, Any]
) -> Relation:
    """Return a relation with its rows counted, once as ourselves and once as the role. Nothing is changed."""
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    if relation.kind not in ("r", "p"):
        return relation
    count = sql.SQL("select count(*) from (select from {} limit {}) seen").format(
        sql.Identifier(relation.schema, relation.name), sql.Literal(ROWS_LOOKED_AT)
    )
    replace = msgspec.structs.replace
    try:
        async with connection.transaction(force_rollback=True):
            relation = replace(relation, rows=(await _rows(connection, count))[0][0])
    except psycopg.Error:
        return relation  # we may not read it ourselves, so there is nothing to compare with
    if not relation.readable or not relation.may_use_schema:
        return relation
    column = sql.Identifier(relation.readable[0])
    visible = sql.SQL("select count(*) from (select {} from {} limit {}) seen").format(
        column, sql.Identifier(relation.schema, relation.name), sql.Literal(ROWS_LOOKED_AT)
    )
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [role, msgspec.json.encode(claims).decode()],
            )
            return replace(relation, visible=(await _rows(connection, visible))[0][0])
    except psycopg.Error as exc:
        return replace(relation, trouble=first_line(exc))


async def _rows(
    connection: AsyncConnection[Any], query: Any, parameters: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query, parameters)).fetchall()


_SERVER = """
select jsonb_build_object(
  'version', current_setting('server_version'),
  'wal_level', current_setting('wal_level'),
  'slots', (select count(*) from pg_replication_slots),
  'max_slots', current_setting('max_replication_slots')::int,
  'idle_slots', array(select slot_name::text from pg_replication_slots where not active order by 1),
  'connections', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  'max_connections', current_setting('max_connections')::int,
  'publication', (select jsonb_build_array(pubinsert, pubupdate, pubdelete)
    from pg_publication where pubname = %(publication)s),
  'has_role', exists (select from pg_roles where rolname = %(role)s),
  'passes_row_security', coalesce(
    (select rolsuper or rolbypassrls from pg_roles where rolname = %(role)s), false)
)
"""

_WHICH = "c.relkind in ('r', 'p', 'v', 'm', 'f')"

_NAMES = f"""
select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and {_WHICH} order by 1
"""  # noqa: S608 - a constant

_RELATIONS = f"""
select jsonb_build_object(
  'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'identity', c.relreplident,
  'has_row_security', c.relrowsecurity,
  'is_published', exists (select from pg_publication_tables p
    where p.pubname = %(publication)s and p.schemaname = n.nspname and p.tablename = c.relname),
  'key', array(select a.attname::text from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = c.oid and i.indisprimary order by a.attnum),
  'identity_columns', array(select a.attname::text from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = c.oid and i.indisreplident order by a.attnum),
  'columns', array(select a.attname::text from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum),
  'readable', array(select a.attname::text from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and has_column_privilege(%(role)s::name, c.oid, a.attnum, 'select') order by a.attnum),
  'cut_columns', array(select a.attname::text from pg_attribute a join pg_type t on t.oid = a.atttypid
    cross join lateral (select
      case when t.typtype = 'd' then t.typbasetype
        when t.typcategory = 'A' then t.typelem else t.oid end as base,
      case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as modifier) own
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and ((own.base = 'bpchar'::regtype and own.modifier > 5)
        or (own.base = 'bit'::regtype and own.modifier > 1))
    order by a.attnum),
  'may_use_schema', coalesce(has_schema_privilege(%(role)s::name, n.oid, 'usage'), false),
  'is_open_to_anon', not c.relrowsecurity and case when exists (select from pg_roles where rolname = 'anon')
      then has_any_column_privilege('anon', c.oid, 'select') else false end,
  'policies', coalesce((select jsonb_agg(jsonb_build_array(p.polname, p.polpermissive) order by p.polname)
    from pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*')
      and exists (select from unnest(p.polroles) member where member = 0
        or pg_has_role(%(role)s::name, member, 'member'))), '[]')
)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where {_WHICH} and exists (
  select from unnest(%(schemas)s::text[], %(tables)s::text[]) wanted(schema, name)
  where wanted.schema = n.nspname and (wanted.name = c.relname or (wanted.name = '*' and exists (
    select from pg_publication_tables p
    where p.pubname = %(publication)s and p.schemaname = n.nspname and p.tablename = c.relname)))
)
order by n.nspname, c.relname
"""  # noqa: S608 - a constant


def expanded(
    names: Sequence[tuple[str, str]], database: Database | None
) -> list[tuple[str, str, tuple[str, str]]]:
    """Return each table as (schema, table, requested table), the last one as (schema, table) too.

    A requested `*` becomes each published table of its schema, or stays `*` if the database was not read.
    """
    found: list[tuple[str, str, tuple[str, str]]] = []
    for schema, table in names:
        if table == WILDCARD and database is not None:
            published = [
                name for name, one in database.relations.items() if name[0] == schema and one.is_published
            ]
            found += [(schema, name, (schema, table)) for _, name in published]
        else:
            found.append((schema, table, (schema, table)))
    return found
