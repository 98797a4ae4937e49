"""A filter made ready for one column: decided in Python where that is exact, else by PostgreSQL.

Null is never equal to anything and a comparison with it holds for nothing, negated or not; only
`is` and `isdistinct` see it.

PostgreSQL is asked by the lane of the subscription that brought the filter (see `lanes.py`), never by
the stream that all subscriptions share: a value's canonical form once, everything else for each batch.
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
    """A filter on one column. `holds` may be asked once it `is_decided`, with a value's text or None.

    `sent` makes of a value the text that the real server's filters see, if it is another one.
    """

    def __init__(self, test: Test | None, *, is_negated: bool, sent: Sent | None = None) -> None:
        self._test = test
        self._is_negated = is_negated
        self._sent = sent

    @property
    def is_decided(self) -> bool:
        """Return whether the condition can be decided without asking PostgreSQL."""
        return self._test is not None

    def holds(self, value: str | None) -> bool:
        """Return whether the condition holds for a column's value; None is null."""
        if self._sent is not None and value is not None:
            value = self._sent(value)
        result = self._test(value) if self._test is not None else None
        return result is not None and result is not self._is_negated

    async def answered(self, connection: Connection, texts: Iterable[str | None]) -> Condition:
        """Return a condition that is decided for these values."""
        return self


class AskedCondition(Condition):
    """A condition for which PostgreSQL is asked: once if Python can go on from there, else each time."""

    def __init__(self, filter_: Filter, column: Column) -> None:
        super().__init__(None, is_negated=filter_.is_negated, sent=_SENT.get(column.type.oid))
        self._filter = filter_
        self._column = column
        self._is_for_postgresql = False

    async def answered(self, connection: Connection, texts: Iterable[str | None]) -> Condition:
        """Raise psycopg.OperationalError if PostgreSQL does not answer in time."""
        if self._test is None and not self._is_for_postgresql:
            try:
                self._test = await _prepared(connection, self._filter, self._column)
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                # The column's type was altered since the filter was let in.
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
    """Return the condition. It is decided at once if that takes no word of PostgreSQL's."""
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
"""wal2json's habits (see `decoding/values.py`), by the type of the column."""


def _never(_: str | None) -> None:
    return None


NEVER = Condition(_never, is_negated=False)
"""For a column that the row can't have: the server fails closed."""


def _is(filter_: Filter) -> Test:
    if filter_.value in ("null", "unknown"):
        return lambda value: value is None
    expected = filter_.value[0]  # booleans arrive as t and f
    return lambda value: value == expected


async def _prepared(connection: Connection, filter_: Filter, column: Column) -> Test | None:
    """Return the test, or None if only PostgreSQL can decide. Raise psycopg.Error for a bad value."""
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
    """Return the test of `= any(array)`: what isn't found is unknown as long as the array has a null."""

    def test(value: str | None) -> bool | None:
        if value is None:
            return None if keys or has_null else False
        return True if key(value) in keys else (None if has_null else False)

    return test


async def _answers(
    connection: Connection, query: sql.Composed, expected: str, texts: list[str | None]
) -> dict[str | None, bool | None]:
    """Ask about all texts at once. A text for which PostgreSQL raises has no answer, the others have."""
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
    """Return PostgreSQL's own lower case, because Python's knows other characters and longer results.

    It depends on nothing but the server's version: `prt.local.postgres` chooses the locale.
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
