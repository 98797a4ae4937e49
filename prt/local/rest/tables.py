"""Requests on a table: read, insert, update and delete, each in the transaction of its connection."""

# ruff: noqa: S608 - all names in the SQL are quoted, all values are parameters

from __future__ import annotations

from typing import Any
from urllib.parse import quote as quote_url

import msgspec
from psycopg import AsyncConnection
from starlette.responses import Response

from prt.local.rest import writing
from prt.local.rest.catalog import TableName, find_table, foreign_keys
from prt.local.rest.errors import RestError
from prt.local.rest.exchange import (
    LARGEST_ANSWER,
    MAX_ROWS,
    MediaType,
    Rows,
    body_of,
    check_affected,
    check_single,
    content_range,
    read_status,
    response,
)
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.tree import Column, Field, Node, Query
from prt.local.rest.reading import ROW, Reading, Source, has_embeds
from prt.local.rest.sql import execute, quote


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request on a table, or on the rows that a function returns.

    Attributes:
        method: The HTTP method.
        table: The table or the function.
        query: The parsed parameters. The window of a read is already limited to `MAX_ROWS`.
        preferences: The preferences of the header `Prefer`.
        media: The media type of the answer.
        body: The JSON body of a write, empty for other requests.
    """

    method: str
    table: TableName
    query: Query
    preferences: Preferences
    media: MediaType
    body: bytes = b""

    @property
    def is_read(self) -> bool:
        """Whether the request only reads."""
        return self.method in {"GET", "HEAD"}


async def answer(connection: AsyncConnection[Any], request: Request) -> Response:
    """Answer a request on a table.

    Raises:
        RestError: The request is refused. The caller must roll back the transaction.
        psycopg.Error: The database reports an error. The caller must roll back the transaction.
    """
    if request.is_read:
        return await _read(connection, request)
    return await _write(connection, request)


async def _read(connection: AsyncConnection[Any], request: Request) -> Response:
    reading = await _reading(connection, request)
    source = Source.of_table(request.table)
    rows = await fetch(connection, request, reading, source)
    check_single(request.media, rows)
    first = request.query.windows[()].offset
    status = read_status(first, rows)
    headers = {"Content-Range": content_range(first, rows), "Content-Profile": request.table.schema}
    return response(status, request.media, body_of(request.media, rows), request.preferences, headers)


async def fetch(
    connection: AsyncConnection[Any], request: Request, reading: Reading, source: Source, prelude: str = ""
) -> Rows:
    """Read the rows of a request.

    Args:
        connection: The connection, in the transaction of the request.
        request: The request.
        reading: The compiler for the request's SELECT.
        source: The source of the rows.
        prelude: A WITH clause that defines a name used by the source.
    """
    nodes = request.query.select
    rows = reading.rows(source, nodes)
    total = "null"
    if request.preferences.count == "exact":
        total = f"(select count(*) from ({reading.rows(source, nodes, is_counted=True)}) as {ROW})"
    text = f"{prelude}select {json_list(request.media)}, count(*), {total} from ({rows}) as {ROW}"
    read = await _rows(connection, text, reading.parameters.values)
    if request.preferences.count in {"planned", "estimated"}:
        total_rows = await _estimate(connection, request, Source(source.table, source.text, source.owner))
        return Rows(read.json, read.count, total_rows)
    return read


async def _write(connection: AsyncConnection[Any], request: Request) -> Response:
    query, preferences = request.query, request.preferences
    table = await find_table(connection, request.table)
    reading = await _reading(connection, request)
    nodes: tuple[Node, ...] = query.select if preferences.returning == "representation" else ()
    columns: set[str] | None = set()
    if preferences.returning == "representation":
        columns = reading.needed_columns(request.table.name)
    elif preferences.returning == "headers-only" and request.method == "POST":
        columns = set(table.key)
        nodes = tuple(Column(Field(name), cast="text") for name in table.key)
    returning = writing.returning_sql(table, columns)
    change = writing.Change(table, query, preferences, returning)
    if request.method == "DELETE":
        write = change.delete(reading.parameters)
    else:
        body = await writing.parse_body(request.body, query.columns)
        compile_write = change.insert if request.method == "POST" else change.update
        write = compile_write(body, reading.parameters)
    rows_sql = "select from prt_source"
    if nodes:
        written = Source(
            request.table.name, f"prt_source as {quote(table.name.name)}", quote(table.name.name)
        )
        rows_sql = reading.rows(written, nodes, is_filtered=False)
    text = (
        f"with prt_source as ({write}) select {json_list(request.media)}, count(*), "
        f"nullif(current_setting('{writing.UPDATED}', true), '')::int from ({rows_sql}) as {ROW}"
    )
    rows = await _rows(connection, text, reading.parameters.values)
    check_single(request.media, rows)
    if request.method != "POST":
        check_affected(preferences, rows)
    return _written(request, rows)


def _written(request: Request, rows: Rows) -> Response:
    preferences = request.preferences
    counted = Rows(b"", rows.count, rows.count if preferences.count == "exact" else None)
    unspanned = Rows(b"", 0, counted.total)
    headers = {
        "Content-Range": content_range(0, counted if request.method == "PATCH" else unspanned),
        "Content-Profile": request.table.schema,
    }
    is_full = preferences.returning == "representation"
    body = body_of(request.media, rows) if is_full else b""
    if request.method != "POST":
        return response(200 if is_full else 204, request.media, body, preferences, headers)
    if preferences.returning == "headers-only" and rows.count == 1:
        (key,) = msgspec.json.decode(rows.json, type=list[dict[str, str | None]])
        headers["Location"] = _location(request.table.name, key)
    # 200 means that a merge only updated existing rows. Ignored duplicates are answered with 201.
    has_inserted = preferences.resolution != "merge-duplicates" or rows.count > (rows.total or 0)
    return response(201 if has_inserted else 200, request.media, body, preferences, headers)


def _location(table: str, key: dict[str, str | None]) -> str:
    conditions = (f"{quote_url(name)}=eq.{quote_url(value or '')}" for name, value in key.items())
    return f"/{quote_url(table)}?{'&'.join(conditions)}"


async def _reading(connection: AsyncConnection[Any], request: Request) -> Reading:
    query = request.query
    keys = await foreign_keys(connection, request.table.schema) if has_embeds(query.select) else ()
    reading = Reading(query, request.table.schema, keys)
    reading.check_paths()
    return reading


def json_list(media: MediaType) -> str:
    """Return the SQL expression of all rows as one JSON list."""
    text = f"coalesce(json_agg({ROW}), '[]')"
    return f"json_strip_nulls({text})::text" if media.is_stripped else f"{text}::text"


async def _rows(connection: AsyncConnection[Any], text: str, values: list[str]) -> Rows:
    """Run a statement whose three columns are the attributes of `Rows`.

    The bytes of the list become the body without being decoded.
    """
    cursor = await execute(connection, text, values)
    result = cursor.pgresult
    if result is None:
        raise RestError(500, "PGRST000", "The database gave no result")
    body = bytes(result.get_value(0, 0) or b"[]")
    if len(body) > LARGEST_ANSWER:
        raise RestError(
            413,
            "54000",
            f"The answer holds {len(body)} bytes, more than the {LARGEST_ANSWER} of an embedded project",
            hint="Ask for fewer rows or columns",
        )
    total = result.get_value(0, 2)
    return Rows(
        body,
        int(result.get_value(0, 1) or 0),
        None if total is None else int(total),
    )


async def _estimate(connection: AsyncConnection[Any], request: Request, source: Source) -> int:
    """Return the planner's estimate of the number of rows.

    For `count=estimated`, the exact number is returned if it is `MAX_ROWS` at most.
    """
    if request.preferences.count == "estimated":
        counting = await _reading(connection, request)
        rows = counting.rows(source, request.query.select, is_counted=True)
        text = f"select count(*) from ({rows} limit {MAX_ROWS + 1}) as {ROW}"
        cursor = await execute(connection, text, counting.parameters.values)
        exact: int = (await cursor.fetchall())[0][0]
        if exact <= MAX_ROWS:
            return exact
    planning = await _reading(connection, request)
    rows = planning.rows(source, request.query.select, is_counted=True)
    cursor = await execute(connection, f"explain (format json) {rows}", planning.parameters.values)
    plan = (await cursor.fetchall())[0][0]
    return int(plan[0]["Plan"]["Plan Rows"])
