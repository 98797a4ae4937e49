"""Checks that are made before a replication slot is opened on a user's database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import psycopg
from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict

from prt.config.hosts import is_loopback
from prt.config.project import HOSTED
from prt.errors import RefusedError, UnreachableError, UsageError
from prt.inputs import Input
from prt.postgres.kinds import UNPUBLISHABLE
from prt.quoting import identifier
from prt.stream.database.session import DatabaseSession, first_line
from prt.stream.database.values import AuditedTable

PUBLICATION = "supabase_realtime"
POOLER_DOMAIN = ".pooler.supabase.com"
POOLER_PORT = "6543"
FREE = 2
"""The number of slots and WAL senders that must be free: one for us, and one that Realtime opens if it loses
its own."""
WILDCARD = "*"
"""The table that stands for all published tables of a schema."""


class Address(NamedTuple):
    """The address of the direct connection. An empty host is a local socket."""

    host: str
    is_loopback: bool


class Database(Struct, frozen=True, kw_only=True):
    """The properties of the server that an audit depends on.

    Attributes:
        version: The version of PostgreSQL.
        user: The role of the connection.
        wal_level: The setting of that name.
        may_replicate: Whether the role may replicate.
        slots: How many replication slots exist.
        max_slots: How many may exist.
        senders: How many WAL senders run.
        max_senders: How many may run.
        keep_size: The setting max_slot_wal_keep_size in bytes; None if it is unlimited.
        has_publication: Whether Realtime's publication exists.
        role_exists: Whether the audited identity's role exists.
        role_is_unrestricted: Whether policies do not apply to this role.
        tables: The audited tables.
    """

    version: str
    user: str
    wal_level: str
    may_replicate: bool
    slots: int
    max_slots: int
    senders: int
    max_senders: int
    keep_size: int | None
    has_publication: bool
    role_exists: bool
    role_is_unrestricted: bool
    tables: list[AuditedTable]


class NotAuditableError(UnreachableError):
    """The database can't serve an audit: it has no free replication slot, or its log lacks the changes."""

    id = "E-NOT-AUDITABLE"


class UnpublishedError(UnreachableError):
    """A table does not exist, or its changes are not published: no subscription to it would succeed."""

    id = "E-TABLE-UNPUBLISHED"


def address_of(database_url: str, project_url: str) -> Address:
    """Return the host that a connection URL leads to.

    Args:
        database_url: The URL of the direct connection.
        project_url: The URL of the project.

    Raises:
        UsageError: If the URL can't be parsed, leads to a pooler, or belongs to another project.
    """
    try:
        parts = conninfo_to_dict(database_url)
    except psycopg.ProgrammingError as exc:
        raise UsageError(
            "SUPABASE_DB_URL can't be read as a connection URL",
            "it looks like postgresql://postgres:PASSWORD@db.PROJECT_REF.supabase.co:5432/postgres",
        ) from exc
    hosts = [host.lower() for host in str(parts.get("host") or "").split(",")]
    ports = str(parts.get("port") or "").split(",")
    for host in hosts:
        if host.endswith(POOLER_DOMAIN) or POOLER_PORT in ports:
            raise UsageError(
                "SUPABASE_DB_URL leads to a pooler, which passes no replication on",
                "use the direct connection, db.PROJECT_REF.supabase.co port 5432; it is reachable over IPv6 "
                "only, unless the project has the IPv4 add-on (dashboard: Connect, Direct connection)",
            )
    own, other = _ref_of(urlsplit(project_url).hostname or ""), _ref_of(hosts[0].removeprefix("db."))
    if own is not None and other is not None and own != other:
        raise UsageError(
            f"SUPABASE_DB_URL belongs to project {other}, the project's URL to {own}",
            f"take the direct connection of {own}",
        )
    is_near = all(not host or host.startswith("/") or is_loopback(host) for host in hosts)
    return Address(hosts[0], is_near)


async def read(session: DatabaseSession, tables: Sequence[tuple[str, str]], *, role: str) -> Database:
    """Read the properties of the server that an audit depends on.

    Args:
        session: The connection to the database.
        tables: The audited tables as (schema, table). The table "*" stands for all published ones of its
            schema.
        role: The role of the audited identity.

    Raises:
        UnreachableError: If the database does not answer.
        RefusedError: If the database refuses the query.
    """
    asked = {
        "role": role,
        "publication": PUBLICATION,
        "schemas": [schema for schema, _ in tables],
        "tables": [table for _, table in tables],
    }

    async def ask(connection: AsyncConnection[Any]) -> Any:
        return await (await connection.execute(_DATABASE, asked)).fetchone()

    try:
        (row,) = await session.run(ask)
    except psycopg.OperationalError as exc:
        raise UnreachableError(
            f"the database does not answer: {first_line(exc)}",
            "check SUPABASE_DB_URL; a hosted project's direct host is reachable over IPv6 only, "
            "unless it has the IPv4 add-on",
        ) from exc
    except psycopg.Error as exc:
        raise RefusedError(
            f"the database refused to be asked: {first_line(exc)}",
            "put the URL of the user postgres into SUPABASE_DB_URL",
        ) from exc
    return msgspec.convert(row, Database)


def check(database: Database, wanted: Sequence[tuple[str, str]], role: str) -> None:
    """Raise an error if a slot can't be opened, or not without harm.

    Args:
        database: The properties of the server.
        wanted: The audited tables as (schema, table).
        role: The role of the audited identity.

    Raises:
        RefusedError: If the database's user may not replicate.
        NotAuditableError: If no slot is free, the log lacks what is needed, or the role is unknown.
        UnpublishedError: If a table is missing, or its changes are not published.
    """
    if database.wal_level != "logical":
        raise NotAuditableError(
            f"wal_level is {database.wal_level}: the log does not hold what an audit reads",
            "alter system set wal_level = logical; -- then restart PostgreSQL",
        )
    if not database.may_replicate:
        raise RefusedError(
            f"the user {database.user} may not replicate",
            "put the URL of the user postgres into SUPABASE_DB_URL, or alter role … replication;",
        )
    for what, setting, used, most in (
        ("replication slots", "max_replication_slots", database.slots, database.max_slots),
        ("WAL senders", "max_wal_senders", database.senders, database.max_senders),
    ):
        if most - used < FREE:
            raise NotAuditableError(
                f"{used} of {most} {what} are taken, and an audit needs {FREE} free ones: "
                "its own, and one that Realtime can turn to",
                f"drop slots that nobody uses (see pg_replication_slots), or raise {setting}",
            )
    if not database.role_exists:
        raise NotAuditableError(
            f"the identity's role {role} does not exist in the database",
            f"name another identity with {Input.IDENTITY}",
        )
    _check_tables(database.tables, wanted)


def check_filter(table: AuditedTable, columns: Sequence[str]) -> None:
    """Raise UsageError if a filter's column is unknown, or if filtering by it would fail in the database."""
    for name in columns:
        found = next((one for one in table.columns if one.name == name), None)
        if found is None:
            names = ", ".join(one.name for one in table.columns)
            raise UsageError(f"{table.name} has no column {name}", f"there are {names}")
        if found.is_structured:
            raise UsageError(
                f"{Input.FILTER} on {name}: a filter on a column of type {found.type} fails in the database, "
                "and every client of the project loses changes",
                "filter on another column",
            )


def _check_tables(tables: Sequence[AuditedTable], wanted: Sequence[tuple[str, str]]) -> None:
    found = {(table.schema, table.table): table for table in tables}
    for schema, name in wanted:
        if name == WILDCARD:
            continue
        table = found.get((schema, name))
        if table is None:
            raise UnpublishedError(f"there is no table {schema}.{name}", "check its name and schema")
        if table.kind in UNPUBLISHABLE:
            raise UnpublishedError(
                f"{schema}.{name} is {UNPUBLISHABLE[table.kind]}, and Realtime sends changes of tables only",
                "audit the tables behind it",
            )
        if table.kind == "p":
            raise UnpublishedError(
                f"{schema}.{name} is partitioned, and Realtime sends changes of its partitions only",
                "audit the partitions by their names",
            )
        if not table.is_published:
            raise UnpublishedError(
                f"{schema}.{name} is not in the publication {PUBLICATION}",
                f"alter publication {PUBLICATION} add table {identifier(schema)}.{identifier(name)};",
            )
    if not tables:
        raise UnpublishedError(
            f"the publication {PUBLICATION} holds no table of that schema", "name the tables"
        )


def _ref_of(host: str) -> str | None:
    return next((host.removesuffix(domain) for domain in HOSTED if host.endswith(domain)), None)


_DATABASE = """
select jsonb_build_object(
  'version', current_setting('server_version'),
  'user', current_user,
  'wal_level', current_setting('wal_level'),
  'may_replicate', (select rolreplication or rolsuper from pg_roles where rolname = current_user),
  'slots', (select count(*) from pg_replication_slots),
  'max_slots', current_setting('max_replication_slots')::int,
  'senders', (select count(*) from pg_stat_activity where backend_type = 'walsender'),
  'max_senders', current_setting('max_wal_senders')::int,
  'keep_size', nullif((select setting::int8 from pg_settings where name = 'max_slot_wal_keep_size'), -1)
    * 1024 * 1024,
  'has_publication', exists (select from pg_publication where pubname = %(publication)s),
  'role_exists', exists (select from pg_roles where rolname = %(role)s),
  'role_is_unrestricted', coalesce(
    (select rolsuper or rolbypassrls from pg_roles where rolname = %(role)s), false),
  'tables', coalesce((select jsonb_agg(jsonb_build_object(
      'oid', c.oid::int8, 'schema', n.nspname, 'table', c.relname, 'kind', c.relkind,
      'has_row_security', c.relrowsecurity,
      'is_published', exists (select from pg_publication_tables p
        where p.pubname = %(publication)s and p.schemaname = n.nspname and p.tablename = c.relname),
      'key', array(select a.attname::text from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = c.oid and i.indisprimary order by a.attnum),
      'columns', (select coalesce(jsonb_agg(jsonb_build_array(a.attname,
          format_type(a.atttypid, a.atttypmod), t.typcategory = 'A' or t.typtype = 'c')
          order by a.attnum), '[]')
        from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) order by n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and exists (
      select from unnest(%(schemas)s::text[], %(tables)s::text[]) wanted(schema, name)
      where wanted.schema = n.nspname and (wanted.name = c.relname or (wanted.name = '*' and exists (
        select from pg_publication_tables p
        where p.pubname = %(publication)s and p.schemaname = n.nspname and p.tablename = c.relname))))), '[]')
)
"""
