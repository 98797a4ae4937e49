"""A filter made ready for one column: decided in Python where that is exact, else by PostgreSQL.

Null is never equal to anything and a comparison with it holds for nothing, negated or not; only
`is` and `isdistinct` see it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg import sql

from prt.local.postgres.quoting import type_name
from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding.catalog import Column
from prt.local.realtime.changes.filters import comparison
from prt.local.realtime.changes.filters.grammar import Filter

logger = logging.getLogger(__name__)

SYMBOLS = {
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
    "isdistinct": "is distinct from",
}
IS_VALUES = ("null", "true", "false", "unknown")

Test = Callable[[str | None], bool | None]


class Condition:
    """`holds` takes a value's text, None for null."""

    def __init__(self, test: Test, *, is_negated: bool) -> None:
        self._test = test
        self._is_negated = is_negated

    async def learn(self, connection: Connection, values: Iterable[str | None]) -> None:
        """Makes ready for a batch's values."""

    def holds(self, value: str | None) -> bool:
        result = self._test(value)
        return result is not None and result is not self._is_negated


class DatabaseCondition(Condition):
    """Learns the answers for a batch's values in one query."""

    def __init__(self, expression: sql.Composable, expected: str, *, is_negated: bool) -> None:
        self._answers: dict[str | None, bool | None] = {}
        super().__init__(self._answers.get, is_negated=is_negated)
        self._expected = expected
        self._query = sql.SQL(
            "select array(select {} from unnest(%s::text[]) with ordinality as t(value, n) order by n)"
        ).format(expression)

    async def learn(self, connection: Connection, values: Iterable[str | None]) -> None:
        """Forgets what it knew before. What PostgreSQL can't compare matches nothing."""
        texts = list(set(values))
        self._answers.clear()
        try:
            cursor = await connection.execute(self._query, [self._expected, texts])
        except psycopg.DataError as error:
            logger.info("a filter could not be evaluated: %s", error)
            return
        row = await cursor.fetchone()
        self._answers.update(zip(texts, row[0] if row else [], strict=False))


async def condition(connection: Connection, filter_: Filter, column: Column) -> Condition:
    """The condition. Raises psycopg.Error where the value is none of the column's type."""
    test = _is(filter_) if filter_.operator == "is" else await _compared(connection, filter_, column)
    if test is not None:
        return Condition(test, is_negated=filter_.is_negated)
    return DatabaseCondition(_expression(filter_, column), filter_.value, is_negated=filter_.is_negated)


NEVER = Condition(lambda _: None, is_negated=False)
"""For a column that the row can't have: the server fails closed."""


def _is(filter_: Filter) -> Test:
    if filter_.value in ("null", "unknown"):
        return lambda value: value is None
    expected = filter_.value[0]  # booleans arrive as t and f
    return lambda value: value == expected


async def _compared(connection: Connection, filter_: Filter, column: Column) -> Test | None:
    if filter_.operator == "like":
        pattern = comparison.pattern_of(column.type, filter_.value)
        return pattern and _skipping_null(lambda value: pattern.fullmatch(value) is not None)
    key = comparison.key_of(column.type, filter_.operator)
    if key is None or filter_.operator not in (*comparison.ORDER, "in", "isdistinct"):
        return None
    if filter_.operator == "in":
        texts = await _canonical_list(connection, filter_.value, column)
        return _contained({key(text) for text in texts if text is not None}, None in texts, key)
    expected = key(await _canonical(connection, filter_.value, column))
    if filter_.operator == "isdistinct":
        return lambda value: value is None or key(value) != expected
    compare = comparison.ORDER[filter_.operator]
    return _skipping_null(lambda value: compare(key(value), expected))


def _skipping_null(test: Callable[[str], bool]) -> Test:
    return lambda value: None if value is None else test(value)


def _contained(keys: set[Any], has_null: bool, key: comparison.Key) -> Test:
    """As `= any(array)`: what isn't found is unknown as long as the array has a null."""

    def test(value: str | None) -> bool | None:
        if value is None:
            return None if keys or has_null else False
        return True if key(value) in keys else (None if has_null else False)

    return test


def _expression(filter_: Filter, column: Column) -> sql.Composable:
    """With one placeholder, for the filter's value."""
    cast = type_name(column.type.sql)
    if filter_.operator == "in":
        return sql.SQL("value::{} = any(%s::{}[])").format(cast, cast)
    symbol = sql.SQL(SYMBOLS[filter_.operator])
    if filter_.operator in ("like", "ilike", "match", "imatch"):
        return sql.SQL("value::{} {} %s").format(cast, symbol)
    return sql.SQL("value::{} {} %s::{}").format(cast, symbol, cast)


async def _canonical(connection: Connection, value: str, column: Column) -> str:
    query = sql.SQL("select (%s::{})::text").format(type_name(column.type.sql))
    row = await (await connection.execute(query, [value])).fetchone()
    return str(row[0]) if row else value


async def _canonical_list(connection: Connection, value: str, column: Column) -> list[str | None]:
    query = sql.SQL("select array(select unnest(%s::{}[])::text)").format(type_name(column.type.sql))
    row = await (await connection.execute(query, [value])).fetchone()
    return list(row[0]) if row else []
