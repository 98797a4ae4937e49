"""Which rows a principal may see: asked of PostgreSQL's own policies, a batch of keys at once."""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from prt.local.realtime.catalog import Table
from prt.local.realtime.pgoutput import Row
from prt.local.realtime.session import Connection
from prt.local.realtime.tokens import Principal

logger = logging.getLogger(__name__)


async def visible(connection: Connection, table: Table, principal: Principal, rows: list[Row]) -> set[int]:
    """Places in `rows` of those that the principal can select now.

    Now, not when they were written: a row that was deleted since is seen by nobody, as on the real
    server. A policy that raises hides its rows from the principal for whom it did, and from no other.
    """
    key = [(index, column) for index, column in enumerate(table.columns) if column.is_primary]
    texts = [[row[index] for row in rows] for index, _ in key]
    try:
        # One round trip: the pipeline sends all before it waits.
        async with connection.pipeline(), connection.transaction():
            await connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                [principal.role, principal.claims],
            )
            cursor = await connection.execute(_query(table), texts)
            found = await cursor.fetchall()
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        logger.warning(
            "row security of %s.%s failed for %s: %s", table.schema, table.name, principal.role, error
        )
        return set()
    return {place - 1 for (place,) in found}


def _query(table: Table) -> sql.Composed:
    key = table.primary_key
    names = [sql.Identifier(f"key{number}") for number, _ in enumerate(key)]
    matches = sql.SQL(" and ").join(
        # The type's name comes from `format_type`, which quotes what must be quoted.
        sql.SQL("t.{} = k.{}::{}").format(
            sql.Identifier(column.name),
            name,
            sql.SQL(column.cast),
        )
        for name, column in zip(names, key, strict=True)
    )
    return sql.SQL(
        "select k.place from unnest({}) with ordinality as k({}, place) "
        "where exists (select from {} as t where {})"
    ).format(
        sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(key)),
        sql.SQL(", ").join(names),
        sql.Identifier(table.schema, table.name),
        matches,
    )
