"""Conditions: a filter prepared for one column, decided in Python if that is exact, else by PostgreSQL.

Null is never equal to anything: a comparison with null never holds, negated or not. Only `is` and
`isdistinct` treat null as a value.

PostgreSQL is asked by the lane of the subscription with the filter (see `lanes.py`), never by the stream that
all subscriptions share. It is asked once for a value's canonical form, and for each batch about all else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg import sql

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding import values
from prt.local.realtime.changes.decoding.catalog import Column
from prt.local.realtime.changes.filters import comparison, patterns
from prt.local.realtime.changes.filters.grammar import Filter
from prt.local.realtime.changes.filters.patterns import Folding
from prt.postgres.quoting import type_name

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
Sent = Callable[[str], str | None]


class Condition:
    """A filter on one column. `holds` may be called only if `is_decided` is true.

    `sent` converts a value to the text that the real server's filters see, if that is different.
    """

    def __init__(self, test: Test | None, *, is_negated: bool, sent: Sent | None = None) -> None:
        self._test = test
        self._is_negated = is_negated
        self._sent = sent

    @property
    def is_decided(self) -> bool:
        """Whether the condition can be decided without asking PostgreSQL."""
        return self._test is not None

    def holds(self, value: str | None) -> bool:
        """Return whether the condition holds for the text of a column's value; None is null."""
        if self._sent is not None and value is not None:
            value = self._sent(value)
        result = self._test(value) if self._test is not None else None
        return result is not None and result is not self._is_negated

    async def answered(self, connection: Connection, texts: Iterable[str | None]) -> Condition:
        """Return a condition that is decided for these values, and ask PostgreSQL if necessary."""
        return self


class AskedCondition(Condition):
    """A condition that PostgreSQL helps to decide: once, if Python can compare afterwards, else each time."""

    def __init__(self, filter_: Filter, column: Column) -> None:
        super().__init__(None, is_negated=filter_.is_negated, sent=_SENT.get(column.type.oid))
        self._filter = filter_
        self._column = column
        self._is_for_postgresql = False

    async def answered(self, connection: Connection, texts: Iterable[str | None]) -> Condition:
        """Return a condition that is decided for these values.

        Raises:
            psycopg.OperationalError: PostgreSQL does not answer in time.
        """
        if self._test is None and not self._is_for_postgresql:
            try:
                self._test = await _prepared(connection, self._filter, self._column)
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                # The column's type was altered after the filter was admitted.
                logger.info("a filter could not be read: %s", error)
                self._test = _never
            self._is_for_postgresql = self._test is None
        if self._test is not None:
            return self
        query = sql.SQL(
            "select array(select {} from unnest(%s::text[]) with ordinality as t(value, n) order by n)"
        ).format(_expression(self._filter, self._column))
        sent = self._sent
        if sent is not None:
            texts = (None if text is None else sent(text) for text in texts)
        answers = await _answers(connection, query, self._filter.value, list(set(texts)))
        return Condition(answers.get, is_negated=self._is_negated, sent=sent)


def condition(filter_: Filter, column: Column) -> Condition:
    """Return the condition of a filter, already decided if PostgreSQL isn't needed for it."""
    test = None
    if filter_.operator == "is":
        test = _is(filter_)
    elif filter_.operator == "like" and comparison.is_plain_text(column.type):
        matches = patterns.matcher(filter_.value)
        test = matches and _skipping_null(matches)
    if test is None:
        return AskedCondition(filter_, column)
    return Condition(test, is_negated=filter_.is_negated, sent=_SENT.get(column.type.oid))


_SENT: dict[int, Sent] = {
    **dict.fromkeys(values.NUMBERS, lambda text: text if values.is_finite(text) else None),
    values.BYTEA: lambda text: text[len("\\x") :],
}
"""The changes that wal2json makes to values (see `decoding/values.py`), by the oid of the column's type."""


def _never(_: str | None) -> None:
    return None


NEVER = Condition(_never, is_negated=False)
"""The condition for a column that does not exist: as on the real server, it never holds."""


def _is(filter_: Filter) -> Test:
    if filter_.value in ("null", "unknown"):
        return lambda value: value is None
    expected = filter_.value[0]  # booleans arrive as t and f
    return lambda value: value == expected


async def _prepared(connection: Connection, filter_: Filter, column: Column) -> Test | None:
    """Return the test of a filter, None if only PostgreSQL can decide.

    Raises:
        psycopg.Error: The filter's value is invalid for the column's type.
    """
    if filter_.operator == "ilike" and comparison.is_plain_text(column.type):
        matches = patterns.folded_matcher(filter_.value, await _folding(connection))
        return matches and _skipping_null(matches)
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
    """Return the test of `= any(array)`.

    If the value isn't found and the array has a null, the result is unknown (None).
    """

    def test(value: str | None) -> bool | None:
        if value is None:
            return None if keys or has_null else False
        return True if key(value) in keys else (None if has_null else False)

    return test


async def _answers(
    connection: Connection, query: sql.Composed, expected: str, texts: list[str | None]
) -> dict[str | None, bool | None]:
    """Ask about all texts at once. A text for which PostgreSQL raises an error has no answer."""
    try:
        cursor = await connection.execute(query, [expected, texts])
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        if len(texts) < 2:
            logger.info("a filter could not be evaluated: %s", error)
            return {}
        middle = len(texts) // 2
        return {
            **await _answers(connection, query, expected, texts[:middle]),
            **await _answers(connection, query, expected, texts[middle:]),
        }
    row = await cursor.fetchone()
    return dict(zip(texts, row[0] if row else [], strict=False))


def _expression(filter_: Filter, column: Column) -> sql.Composable:
    """Return the SQL of a filter, with one placeholder for its value."""
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


_LAST_CASED = 0x1FFFF
_foldings: dict[int, Folding] = {}


async def _folding(connection: Connection) -> Folding:
    """Return PostgreSQL's lower-case mapping, because Python's has other characters and longer results.

    The mapping depends only on the server's version, because `prt.local.postgres` chooses the locale.
    """
    version = connection.info.server_version
    if version not in _foldings:
        cursor = await connection.execute(
            "select code, lower(chr(code)) from generate_series(1, %s) as code"
            " where code not between 55296 and 57343 and lower(chr(code)) <> chr(code)",
            [_LAST_CASED],
        )
        _foldings[version] = dict(await cursor.fetchall())
    return _foldings[version]
