"""The check of which rows a principal may see: PostgreSQL applies its policies to a batch of keys."""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding.catalog import Table
from prt.local.realtime.protocol.tokens import Principal
from prt.postgres.pgoutput import Row, Value
from prt.postgres.quoting import identifier, type_name
from prt.postgres.snapshots import NotYet, are_visible

logger = logging.getLogger(__name__)


async def visible(
    connection: Connection,
    table: Table,
    principal: Principal,
    rows: list[Row],
    transactions: set[int],
) -> set[int]:
    """Return the indices of the rows that the principal can select now.

    Rows are looked up as they are now, and not as they were when they were written: a deleted row is visible
    to no one, as on the real server. If a policy raises an error, its rows are hidden from that principal
    only.

    Args:
        connection: A connection of a superuser.
        table: The table of the rows.
        principal: The role and the claims for the policies.
        rows: The rows, of which only the primary key is used.
        transactions: The ids of the transactions that wrote the rows; the check waits until they are visible.
    """
    key = [(index, column) for index, column in enumerate(table.columns) if column.is_primary]
    texts = [[row[index] for row in rows] for index, _ in key]
    not_yet = NotYet()
    try:
        while True:
            snapshot, found = await _asked(connection, _query(table), texts, principal)
            if are_visible(snapshot, transactions) or not await not_yet.wait():
                return found
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        name = f"{table.schema}.{table.name}"
        logger.info("row security of %s failed for the role %s: %s", name, principal.role, error)
        return set()


async def _asked(
    connection: Connection, query: sql.Composed, texts: list[list[Value]], principal: Principal
) -> tuple[str, set[int]]:
    """Run the query in one round trip and with one snapshot.

    One round trip is enough because a pipeline sends all statements before it waits.
    """
    async with connection.pipeline(), connection.transaction():
        setting = await connection.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
            " pg_current_snapshot()::text",
            [principal.role, principal.claims],
        )
        answer = await connection.execute(query, texts)
        row = await setting.fetchone()
        found = await answer.fetchall()
    return row[2] if row else "", {position - 1 for (position,) in found}


def _query(table: Table) -> sql.Composed:
    key = table.primary_key
    names = [sql.Identifier(f"key{number}") for number, _ in enumerate(key)]
    matches = sql.SQL(" and ").join(
        sql.SQL("t.{} = k.{}::{}").format(identifier(column.name), name, type_name(column.cast))
        for name, column in zip(names, key, strict=True)
    )
    return sql.SQL(
        "select k.position from unnest({}) with ordinality as k({}, position) "
        "where exists (select from {} as t where {})"
    ).format(
        sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(key)),
        sql.SQL(", ").join(names),
        identifier(table.schema, table.name),
        matches,
    )
