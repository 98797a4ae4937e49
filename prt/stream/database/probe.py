"""The state of the database that can explain a lost change, read once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection

from prt.clock import wall_clock
from prt.stream.database.preflight import PUBLICATION
from prt.stream.database.session import DatabaseSession
from prt.stream.database.values import AuditedTable, ServerState

PAUSE_SECONDS = 0.05
"""The pause between two questions whether our slot has read the log."""


class Probe:
    """The reader of the database's state.

    Attributes:
        slot: The name of our own slot, which must be set once the slot is open.
    """

    def __init__(self, session: DatabaseSession, tables: Sequence[AuditedTable]) -> None:
        """Prepare the reading of the state of these tables."""
        self._session = session
        self._oids = [table.oid for table in tables]
        self.slot = ""

    async def state(self) -> ServerState | None:
        """Return the present state; None if the database does not answer."""
        try:
            return await self._session.run(self._read)
        except psycopg.Error:
            return None

    async def until_read(self, seconds: float) -> None:
        """Wait until our slot has read everything that the log contains now, but no longer than `seconds`."""

        async def end(connection: AsyncConnection[Any]) -> str:
            row = await (await connection.execute("select pg_current_wal_flush_lsn()::text")).fetchone()
            return str(row[0]) if row else "0/0"

        async def is_read(connection: AsyncConnection[Any]) -> bool:
            row = await (await connection.execute(_IS_READ, [position, self.slot])).fetchone()
            return bool(row and row[0])

        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(seconds):
                position = await self._session.run(end)
                while True:
                    if await self._session.run(is_read):
                        return
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, connection: AsyncConnection[Any]) -> ServerState:
        asked = {"oids": self._oids, "publication": PUBLICATION, "slot": self.slot}
        before = wall_clock()
        cursor = await connection.execute(_STATE, asked)
        clock_ahead = (before + wall_clock()) // 2
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - a query without FROM has one row
        at, started, slots, publication, publication_oid, policies, retained, can_read_filters = row
        filters: list[Any] = []
        if can_read_filters:
            filters = await (await connection.execute(_STRUCTURED_FILTERS)).fetchall()
        return ServerState(
            at=at,
            clock_ahead=clock_ahead - at,
            started=started,
            slots=frozenset((name, pid) for name, pid in slots),
            publication=frozenset(publication),
            publication_oid=publication_oid,
            policies=policies,
            structured_filters=tuple(name for (name,) in filters),
            retained=None if retained is None else int(retained),
        )


_STATE = """
select
  (extract(epoch from clock_timestamp()) * 1000000)::int8,
  (extract(epoch from pg_postmaster_start_time()) * 1000000)::int8,
  (select coalesce(jsonb_agg(jsonb_build_array(slot_name, active_pid)), '[]') from pg_replication_slots
    where slot_type = 'logical' and database = current_database() and slot_name like '%%realtime%%'
      and slot_name not like '%%messages%%'),
  (select coalesce(jsonb_agg(p.schemaname || '.' || p.tablename), '[]') from pg_publication_tables p
    join pg_namespace n on n.nspname = p.schemaname
    join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
    where p.pubname = %(publication)s and c.oid = any (%(oids)s::oid[])),
  (select oid::int8 from pg_publication where pubname = %(publication)s),
  (select coalesce(jsonb_object_agg(n.nspname || '.' || c.relname, md5(concat(c.relrowsecurity,
      (select string_agg(concat(p.oid, p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual), '|'
        order by p.oid) from pg_policy p where p.polrelid = c.oid)))), '{}')
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = any (%(oids)s::oid[])),
  (select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) from pg_replication_slots
    where slot_name = %(slot)s),
  coalesce(has_table_privilege(to_regclass('realtime.subscription'), 'select'), false)
"""

_IS_READ = "select confirmed_flush_lsn >= %s::pg_lsn from pg_replication_slots where slot_name = %s"

_STRUCTURED_FILTERS = """
select distinct s.entity::text || '.' || f.column_name from realtime.subscription s
cross join unnest(s.filters) f
join pg_attribute a on a.attrelid = s.entity and a.attname = f.column_name
join pg_type t on t.oid = a.atttypid
where t.typcategory = 'A' or t.typtype = 'c'
order by 1
"""
