"""The tables and the publication in the database's catalog, as far as contracts contain them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from prt.checks.database import PUBLICATION, connected, is_installed
from prt.checks.test.contract.observations import Declared, Observation, Published, TopicPolicies
from prt.checks.test.contract.terms import EVENTS, Event
from prt.checks.test.outcomes import SkippedError
from prt.config.project import Project

_APPLICATION: Final = "prt test"
_IDENTITIES: Final = {"d": "default", "f": "full", "n": "nothing", "i": "index"}
_MESSAGES: Final = ("realtime", "messages")


async def published(conninfo: str) -> tuple[tuple[Event, ...], tuple[tuple[str, str], ...]]:
    """Return the events and the tables, as (schema, table), of the publication.

    Raises:
        PrtError: The database can't be read, as `prt.checks.database.connected` reports it.
    """
    asked = {"publication": PUBLICATION}
    async with connected(conninfo, application=_APPLICATION) as connection:
        sent = await (await connection.execute(_PUBLICATION, asked)).fetchone()
        rows = await (await connection.execute(_TABLES, asked)).fetchall()
    return _events(sent), tuple((schema, table) for schema, table in rows)


async def read(project: Project, tables: Sequence[tuple[str, str]]) -> list[Observation]:
    """Return what the catalog declares about the tables, the publication and private topics.

    Raises:
        SkippedError: The database is not configured, or psycopg is not installed.
        PrtError: The database can't be read, as `prt.checks.database.connected` reports it.
    """
    if project.database_url is None:
        raise SkippedError("needs SUPABASE_DB_URL, for replica identity, publication and policies")
    if not is_installed():
        raise SkippedError("needs psycopg, which comes with prt-realtime[local]")
    asked = {
        "publication": PUBLICATION,
        "schemas": [schema for schema, _ in (*tables, _MESSAGES)],
        "tables": [table for _, table in (*tables, _MESSAGES)],
    }
    async with (
        connected(project.database_url.reveal(), application=_APPLICATION) as connection,
        connection.transaction(),
    ):
        # PostgreSQL omits the schema of names if it is in the search path, which depends on the user.
        await connection.execute("select set_config('search_path', '', true)")
        relations = await (await connection.execute(_DECLARED, asked)).fetchall()
        sent = await (await connection.execute(_PUBLICATION, asked)).fetchone()
        names = await (await connection.execute(_TABLES, asked)).fetchall()
    observed: list[Observation] = []
    for schema, table, is_published, identity, policies in relations:
        if (schema, table) == _MESSAGES:
            observed.append(TopicPolicies(_digest(policies)))
        if (schema, table) in tables:
            observed.append(
                Declared(
                    table=f"{schema}.{table}",
                    is_published=is_published,
                    replica_identity=_IDENTITIES[identity],
                    policies=_digest(policies),
                )
            )
    listed = tuple(f"{schema}.{table}" for schema, table in names)
    observed.append(Published(events=_events(sent), tables=listed))
    return observed


def _events(sent: Sequence[bool] | None) -> tuple[Event, ...]:
    """Return the events of a row of _PUBLICATION; none if there is no publication."""
    return tuple(event for event, is_sent in zip(EVENTS, sent or (), strict=False) if is_sent)


def _digest(policies: Any) -> str:
    """Return a digest of row level security and of each policy's definition, without the policies' names."""
    text = msgspec.json.encode(policies, order="deterministic")
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


_TABLES: Final = """
select schemaname::text, tablename::text from pg_publication_tables
where pubname = %(publication)s order by 1, 2
"""

_PUBLICATION: Final = """
select pubdelete, pubinsert, pubupdate from pg_publication where pubname = %(publication)s
"""

_DECLARED: Final = """
select n.nspname::text, c.relname::text,
  exists (select from pg_publication_tables p
    where p.pubname = %(publication)s and p.schemaname = n.nspname and p.tablename = c.relname),
  c.relreplident::text,
  jsonb_build_array(c.relrowsecurity, c.relforcerowsecurity, coalesce((
    select jsonb_agg(said order by said) from (
      select jsonb_build_array(p.polcmd, p.polpermissive,
        array(select case when member = 0 then 'public' else pg_get_userbyid(member)::text end
          from unnest(p.polroles) member order by 1),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) said
      from pg_policy p where p.polrelid = c.oid) policies), '[]'))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and exists (
  select from unnest(%(schemas)s::text[], %(tables)s::text[]) wanted(schema, name)
  where wanted.schema = n.nspname and wanted.name = c.relname)
order by 1, 2
"""
