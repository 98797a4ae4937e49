"""Reasons why clients receive no changes although every layer works, as far as the database shows them.

`prt status` looks for them while it is subscribed, `prt test` when a change did not come, and `prt watch` if
it has a direct connection. psycopg is installed with the extra `local`.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from prt import quoting
from prt.checks import database
from prt.errors import PrtError
from prt.results import Cause

SLOT: Final = "supabase_realtime_replication_slot"
DECODER: Final = "wal2json"
PUBLICATION: Final = "supabase_realtime"
LIMIT: Final = Cause(
    "the server drops what is above its limit of messages a second (100 Free, 500 Pro; each row counts once "
    "a subscriber), until the average of a minute has fallen below it",
    "wait a minute without bursts; fewer subscribers a row, filters, or a larger plan",
)


class Filtered(Struct, frozen=True, array_like=True):
    """A column of an array or composite type by which a client filters."""

    table: str
    column: str


class Partitioned(Struct, frozen=True, kw_only=True):
    """The root of a partitioned table.

    Attributes:
        is_via_root: Whether the publication sends the changes under the root's name.
        partitions: The names of its partitions as SQL.
    """

    schema: str
    name: str
    is_via_root: bool
    partitions: tuple[str, ...]


class Delivery(Struct, frozen=True, kw_only=True):
    """The state of the database that decides about the delivery of changes.

    Attributes:
        slot: Whether a process reads the replication slot of changes; None if there is no slot.
        plugins: PostgreSQL's list of decoders that may be loaded; None if it has no such setting.
        subscribers: How many subscriptions there are; None if the server keeps them outside the database.
        filters: Columns of array or composite types by which clients filter.
        roots: The requested tables that are partitioned.
        changed: How many rows of the requested tables were ever written, as PostgreSQL counts them.
    """

    slot: bool | None
    plugins: str | None
    subscribers: int | None
    filters: tuple[Filtered, ...]
    roots: tuple[Partitioned, ...]
    changed: int

    @property
    def has_slot(self) -> bool:
        """Return whether the slot is read, or no subscription needs it."""
        return bool(self.slot) or not self.subscribers


async def read(conninfo: str, names: Sequence[tuple[str, str]] = ()) -> Delivery | None:
    """Return the state of delivery and of the tables `names`, as (schema, table); None if that fails."""
    try:
        # The import runs in a thread, because it takes a tenth of a second, in which changes may arrive.
        await asyncio.to_thread(importlib.import_module, "psycopg")
    except ImportError:
        return None
    asked = {
        "slot": f"{SLOT}%",
        "publication": PUBLICATION,
        "schemas": [schema for schema, _ in names],
        "tables": [table for _, table in names],
    }
    found: tuple[int | None, list[list[str]]] = (None, [])
    try:
        async with (
            asyncio.timeout(database.CONNECT_SECONDS),
            database.connected(conninfo, application="prt") as connection,
        ):
            row = await (await connection.execute(_DELIVERY, asked)).fetchone()
            if row is not None and row[0].pop("has_subscriptions"):
                held = await (await connection.execute(_SUBSCRIPTIONS)).fetchone()
                found = found if held is None else (held[0], held[1])
    except (TimeoutError, PrtError):
        return None
    if row is None:
        return None
    return msgspec.convert({**row[0], "subscribers": found[0], "filters": found[1]}, Delivery)


def slot_causes(found: Delivery) -> tuple[Cause, ...]:
    """Return why nothing reads the database's changes.

    There is no cause if they are read, or if there is no subscription.
    """
    if found.has_slot:
        return ()
    if found.plugins is not None and DECODER not in [one.strip() for one in found.plugins.split(",")]:
        allowed = f"{found.plugins}, {DECODER}" if found.plugins.strip() else DECODER
        return (
            Cause(
                f"PostgreSQL's output_plugin_libraries leaves out {DECODER}, by which Realtime reads changes",
                f"alter system set output_plugin_libraries = {quoting.literal(allowed)}; "
                "select pg_reload_conf();",
            ),
        )
    what = f"nobody reads the replication slot {SLOT}" if found.slot is False else f"there is no slot {SLOT}"
    return (
        Cause(
            f"{what}: Realtime could not begin to read the database's changes",
            "restart the project's Realtime (Project Settings, General); its logs say why",
        ),
        Cause(
            "every replication slot or WAL sender is taken",
            "select slot_name, active, restart_lsn from pg_replication_slots;",
        ),
    )


def filter_causes(found: Delivery) -> tuple[Cause, ...]:
    """Return the filters of clients that make the server lose the changes of all clients."""
    remedy = "select entity, filters, claims from realtime.subscription; -- and take it out of that app"
    return tuple(
        Cause(
            f"a client filters {one.table} by {one.column}, an array or composite column: meanwhile the "
            "server loses the changes of every client",
            remedy,
        )
        for one in found.filters
    )


def causes_of(found: Delivery) -> tuple[Cause, ...]:
    """Return the causes that keep every change from every client."""
    return (*slot_causes(found), *filter_causes(found))


def partition_cause(root: Partitioned) -> Cause:
    """Return why a partitioned table's changes don't arrive under its own name, and a command that works."""
    name = f"{root.schema}.{root.name}"
    watched = f"prt watch {' '.join(map(quoting.word, root.partitions))}" if root.partitions else None
    if root.is_via_root:
        return Cause(
            f"{name} is partitioned and the publication sends its changes as the root's "
            "(publish_via_partition_root): Realtime is subscribed and delivers nothing",
            f"alter publication {PUBLICATION} set (publish_via_partition_root = false);"
            + (f" {quoting.comment(f'then {watched}')}" if watched else ""),
        )
    return Cause(
        f"{name} is partitioned: its changes come under the names of its partitions",
        watched,
    )


_DELIVERY = """
select jsonb_build_object(
  'slot', (select bool_or(active) from pg_replication_slots where slot_name like %(slot)s),
  'plugins', current_setting('output_plugin_libraries', true),
  'has_subscriptions', to_regclass('realtime.subscription') is not null,
  'changed', coalesce((select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables s
    join unnest(%(schemas)s::text[], %(tables)s::text[]) wanted(schema, name)
      on s.schemaname = wanted.schema and wanted.name in (s.relname, '*')
    where exists (select from pg_publication_tables p where p.pubname = %(publication)s
      and p.schemaname = s.schemaname and p.tablename = s.relname)), 0)::bigint,
  'roots', coalesce((select jsonb_agg(jsonb_build_object(
      'schema', n.nspname, 'name', c.relname,
      'is_via_root', coalesce((select pubviaroot from pg_publication where pubname = %(publication)s), false),
      'partitions', array(select format('%%I.%%I', m.nspname, d.relname) from pg_partition_tree(c.oid) t
        join pg_class d on d.oid = t.relid join pg_namespace m on m.oid = d.relnamespace
        where t.isleaf and t.relid <> c.oid order by 1)) order by n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join unnest(%(schemas)s::text[], %(tables)s::text[]) wanted(schema, name)
      on n.nspname = wanted.schema and c.relname = wanted.name
    where c.relkind = 'p'), '[]')
)
"""

_SUBSCRIPTIONS = """
select count(*), coalesce((select jsonb_agg(distinct jsonb_build_array(s.entity::text, f.column_name))
  from realtime.subscription s, unnest(s.filters) f
  join pg_attribute a on a.attname = f.column_name
  join pg_type t on t.oid = a.atttypid
  left join pg_type base on base.oid = t.typbasetype
  where a.attrelid = s.entity and coalesce(base.typcategory, t.typcategory) in ('A', 'C')), '[]')
from realtime.subscription
"""
