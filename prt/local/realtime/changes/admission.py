"""The checks of a binding in the database: is its table published, do the role, filters and columns exist.

The checks and their messages are those of the server's trigger on `realtime.subscription`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple

import psycopg
from psycopg import sql

from prt.local.postgres.session import Connection
from prt.local.realtime.changes.decoding import catalog
from prt.local.realtime.changes.decoding.catalog import TableGoneError
from prt.local.realtime.changes.filters.conditions import IS_VALUES, SYMBOLS
from prt.local.realtime.changes.filters.grammar import Filter
from prt.local.realtime.protocol import bindings
from prt.local.realtime.protocol.bindings import BindingRefusedError, Parameters
from prt.postgres.quoting import type_name

LARGEST_LIST = 100

_PATTERNS = ("like", "ilike")
_REGEXES = ("match", "imatch")


class _RaisedError(Exception):
    """An error that the server's trigger raises for a binding."""


class Admitted(NamedTuple):
    """The result of checking a binding: whether the role bypasses row security, and the tables' oids."""

    is_unrestricted: bool
    tables: frozenset[int]


async def admit(connection: Connection, role: str, parameters: Parameters) -> Admitted:
    """Check a binding in the database.

    Raises:
        BindingRefusedError: A check failed.
        psycopg.OperationalError: The connection was closed.
    """
    try:
        oids = await catalog.published(connection, parameters.schema, parameters.table)
        if not oids:
            raise BindingRefusedError(
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled "
                f"for the given connect parameters: [{parameters.described()}]"
            )
        is_unrestricted = await catalog.is_unrestricted(connection, role)
        for oid in oids:
            with suppress(TableGoneError):
                await _check(connection, oid, role, parameters)
    except (psycopg.Error, _RaisedError) as error:
        if connection.closed:
            raise  # the connection was lost, which doesn't mean that the binding is bad
        raise BindingRefusedError(bindings.raised(parameters, _described(error))) from error
    return Admitted(is_unrestricted, frozenset(oids))


async def _check(connection: Connection, oid: int, role: str, parameters: Parameters) -> None:
    if not parameters.filters and parameters.select is None:
        return
    columns = await catalog.selectable(connection, oid, role)
    for filter_ in parameters.filters:
        if filter_.column not in columns:
            raise _RaisedError(f"invalid column for filter {filter_.column}")
        await _check_filter(connection, filter_, columns[filter_.column])
    for column in parameters.select or ():
        if column not in columns:
            raise _RaisedError(f"invalid column for select {column}")


async def _check_filter(connection: Connection, filter_: Filter, column_type: str) -> None:
    if filter_.operator == "is":
        _check_is(filter_, column_type)
    elif filter_.operator == "in":
        await _check_list(connection, filter_, column_type)
    else:
        if filter_.operator in _REGEXES:
            await _check_regex(connection, filter_)
        elif filter_.operator not in _PATTERNS:
            await connection.execute(_sql("select %s::{}", column_type), [filter_.value])
        await _check_operator(connection, filter_, column_type)


def _check_is(filter_: Filter, column_type: str) -> None:
    if filter_.value not in IS_VALUES:
        raise _RaisedError("invalid value for is filter: must be null, true, false, or unknown")
    if filter_.value != "null" and column_type != "boolean":
        raise _RaisedError(f"is {filter_.value} filter requires a boolean column, got {column_type}")


async def _check_list(connection: Connection, filter_: Filter, column_type: str) -> None:
    query = _sql("select cardinality(%s::{}[])", column_type)
    row = await (await connection.execute(query, [filter_.value])).fetchone()
    if row and row[0] > LARGEST_LIST:
        raise _RaisedError(f"too many values for `in` filter. Maximum {LARGEST_LIST}")


async def _check_regex(connection: Connection, filter_: Filter) -> None:
    try:
        await connection.execute("select '' ~ %s", [filter_.value])
    except psycopg.DataError as error:
        words = error.diag.message_primary
        raise _RaisedError(f"invalid regular expression for {filter_.operator} filter: {words}") from error


async def _check_operator(connection: Connection, filter_: Filter, column_type: str) -> None:
    """Check that the operator exists for the type, by using it.

    So a binding that passes this check can also be evaluated later.
    """
    is_textual = filter_.operator in (*_PATTERNS, *_REGEXES)
    template = f"select null::{{}} {SYMBOLS[filter_.operator]} %s" + ("" if is_textual else "::{}")
    query = _sql(template, *[column_type] * template.count("{}"))
    try:
        await connection.execute(query, [filter_.value])
    except psycopg.errors.UndefinedFunction as error:
        if is_textual:
            raise _RaisedError(
                f"operator {filter_.operator} requires a text-compatible column type, got {column_type}"
            ) from error
        raise _RaisedError(
            f"operator {filter_.operator} is not supported on column {filter_.column} of type {column_type}: "
            f"{error.diag.message_primary}"
        ) from error


def _sql(template: str, *type_names: str) -> sql.Composed:
    return sql.SQL(template).format(*map(type_name, type_names))


def _described(error: psycopg.Error | _RaisedError) -> str:
    """Return an error as the server's driver prints it: its code, its name and its message."""
    if isinstance(error, _RaisedError):
        return f"ERROR P0001 (raise_exception) {error}"
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
    return f"ERROR {error.sqlstate} ({name}) {error.diag.message_primary}"
