"""Function calls, `/rpc/NAME`, with named arguments from the body or the query string.

https://docs.postgrest.org/en/stable/references/api/functions.html
"""

# ruff: noqa: S608 - all names in the SQL are quoted, all values are parameters

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection
from starlette.responses import Response

from prt.local.rest.catalog import TableName, foreign_keys
from prt.local.rest.errors import RestError
from prt.local.rest.exchange import (
    MediaType,
    Rows,
    body_of,
    check_affected,
    check_single,
    content_range,
    read_status,
    response,
    window_of,
)
from prt.local.rest.functions.catalog import Argument, Function, ambiguous, find_functions, unknown
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.filters import is_operation
from prt.local.rest.query.parameters import Parameters, parameters_of, parse_query
from prt.local.rest.query.tree import Query
from prt.local.rest.reading import Reading, Source, has_embeds
from prt.local.rest.sql import quote
from prt.local.rest.tables import Request, fetch

RESERVED = {"select", "order", "limit", "offset", "and", "or", "not.and", "not.or", "columns", "on_conflict"}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
UNNAMED = {
    JSON: ("json", "jsonb"),
    "text/plain": ("text",),
    "text/xml": ("xml",),
    "application/octet-stream": ("bytea",),
}
"""The types of a single unnamed argument that accepts the whole body, by the body's content type."""


class Arguments(Struct, frozen=True):
    """The arguments of a call.

    Attributes:
        keys: The names of the arguments, None if the body is not a JSON object.
        named: The arguments as the text of a JSON object.
        raw: The whole body as text, for a single unnamed argument; None if there is no body.
    """

    keys: frozenset[str] | None
    named: str = "{}"
    raw: str | None = None


class Call(Struct, frozen=True, kw_only=True):
    """A call of a function; `body` is None if the arguments are in the query string."""

    method: str
    function: TableName
    parameters: Parameters
    headers: dict[str, str]
    preferences: Preferences
    media: MediaType
    content_type: str
    body: bytes | None


async def answer(connection: AsyncConnection[Any], call: Call) -> Response:
    """Call a function and answer with its result.

    Raises:
        RestError: The request is refused, for example with `PGRST202` if no function accepts the arguments,
            or `PGRST203` if several do.
        psycopg.Error: The database reports an error.
    """
    candidates = await find_functions(connection, call.function)
    arguments, query = _arguments(call, candidates)
    function = await _chosen(connection, call, candidates, arguments)
    keys = await foreign_keys(connection, call.function.schema) if has_embeds(query.select) else ()
    window = window_of(query, call.headers)
    query = msgspec.structs.replace(query, windows={**query.windows, (): window})
    if call.preferences.max_affected is not None and not function.is_set:
        raise RestError(
            400,
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        )
    reading = Reading(query, call.function.schema, keys)
    reading.check_paths()
    body = arguments.raw if _is_unnamed(function) and arguments.raw is not None else arguments.named
    prelude = _prelude(function, reading.parameters.bind(body))
    name = quote(call.function.name)
    # The planner can't estimate a function's rows, so every kind of count is exact.
    preferences = call.preferences
    if preferences.count is not None:
        preferences = msgspec.structs.replace(preferences, count="exact")
    request = Request(
        method=call.method, table=call.function, query=query, preferences=preferences, media=call.media
    )
    source = Source(function.table or call.function.name, f"prt_source as {name}", name)
    rows = await fetch(connection, request, reading, source, prelude)
    check_affected(preferences, rows)
    return _response(call, function, rows, window.offset)


def _response(call: Call, function: Function, rows: Rows, first: int) -> Response:
    headers = {"Content-Profile": call.function.schema}
    if function.is_void:
        return response(204, call.media, b"", call.preferences, headers)
    if function.is_set:
        check_single(call.media, rows)
        headers["Content-Range"] = content_range(first, rows)
        body = _values(body_of(MediaType(), rows)) if function.is_scalar else rows.json
        if call.media.is_object:
            body = body[1:-1]
        return response(read_status(first, rows), call.media, body, call.preferences, headers)
    headers["Content-Range"] = content_range(0, rows)
    single = (_values(rows.json) if function.is_scalar else rows.json)[1:-1] or b"null"
    return response(200, MediaType(), single, call.preferences, headers)


def _values(rows: bytes) -> bytes:
    """Convert `[{"value":1},…]` to `[1,…]`; the JSON text of each value stays unchanged."""
    decoded = msgspec.json.decode(rows, type=list[dict[str, msgspec.Raw]])
    return msgspec.json.encode([next(iter(row.values())) for row in decoded])


def _prelude(function: Function, body: str) -> str:
    """Return the WITH clause that defines `prt_source`, the function's rows.

    The column of a scalar function is named `value`.
    """
    alias = '"prt call"("value")' if function.is_scalar else '"prt call"'
    name = function.name.quoted
    if _is_unnamed(function):
        called = f"{name}({body}::{function.arguments[0].type}) as {alias}"
    elif function.arguments:
        typed = ", ".join(f"{quote(argument.name)} {argument.type}" for argument in function.arguments)
        passed = ", ".join(_passed(argument) for argument in function.arguments)
        called = f'json_to_record({body}::json) as "prt body" ({typed}), lateral {name}({passed}) as {alias}'
    else:
        # The parameter must be used somewhere, so that PostgreSQL can determine its type.
        called = f"{name}() as {alias} where {body}::json is not null"
    return f'with prt_source as (select "prt call".* from {called}) '


def _is_unnamed(function: Function) -> bool:
    return len(function.arguments) == 1 and not function.arguments[0].name


def _passed(argument: Argument) -> str:
    variadic = "variadic " if argument.is_variadic else ""
    return f'{variadic}{quote(argument.name)} := "prt body".{quote(argument.name)}'


def _arguments(call: Call, candidates: list[Function]) -> tuple[Arguments, Query]:
    """Return the arguments for the function, and the query that applies to its rows."""
    if call.body is not None:
        query = parse_query(call.parameters)
        if call.content_type == JSON:
            return _of_json(call.body), query
        if call.content_type == FORM:
            return _of_pairs(dict(parameters_of(call.body))), query
        return Arguments(None, raw=_raw(call)), query
    names = {argument.name for function in candidates for argument in function.arguments}
    given: dict[str, str] = {}
    others: Parameters = []
    for key, value in call.parameters:
        is_argument = key in names or (key not in RESERVED and "." not in key and not is_operation(value))
        if is_argument and key not in RESERVED:
            given[key] = value
        else:
            others.append((key, value))
    return _of_pairs(given), parse_query(others)


def _of_pairs(given: dict[str, str]) -> Arguments:
    return Arguments(frozenset(given), msgspec.json.encode(given).decode())


def _raw(call: Call) -> str:
    r"""Return the body as the text of a value: bytes in hexadecimal (`\x…`), or else UTF-8."""
    body = call.body or b""
    if call.content_type == "application/octet-stream":
        return f"\\x{body.hex()}"
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        raise RestError(400, "PGRST102", "The body is not UTF-8") from exc


def _of_json(body: bytes) -> Arguments:
    """Return the arguments in a JSON body. Of a list of objects only the first counts, as in PostgREST."""
    try:
        raw = body.decode() or "{}"
        decoded = msgspec.json.decode(
            raw, type=dict[str, msgspec.Raw] | list[msgspec.Raw] | None | float | str | bool
        )
        if isinstance(decoded, dict):
            return Arguments(frozenset(decoded), raw, raw)
        if not isinstance(decoded, list):
            return Arguments(None, raw=raw)
        with suppress(msgspec.DecodeError):
            objects = [msgspec.json.decode(one, type=dict[str, msgspec.Raw]) for one in decoded]
            if len({frozenset(one) for one in objects}) == 1:
                return Arguments(frozenset(objects[0]), bytes(decoded[0]).decode(), raw)
        return Arguments(None, raw=raw)
    except (UnicodeDecodeError, msgspec.DecodeError) as exc:
        raise RestError(400, "PGRST102", "Empty or invalid json") from exc


async def _chosen(
    connection: AsyncConnection[Any], call: Call, candidates: list[Function], arguments: Arguments
) -> Function:
    """Return the one function that accepts the arguments, with only those arguments that are given."""
    given = arguments.keys
    fitting = [function for function in candidates if given is not None and function.accepts(given)]
    if not fitting and arguments.raw is not None:
        types = UNNAMED[call.content_type]
        fitting = [function for function in candidates if function.accepts_body_as(types)]
    if len(fitting) > 1:
        raise ambiguous(fitting)
    if not fitting:
        if given is None and call.content_type == JSON and candidates:
            raise RestError(400, "PGRST102", "All object keys must match")
        unnamed = None if arguments.raw is None else "/".join(UNNAMED[call.content_type])
        raise await unknown(
            connection,
            call.function,
            None if given is None else sorted(given),
            unnamed=unnamed,
            overloads=candidates,
        )
    (function,) = fitting
    used = [
        argument for argument in function.arguments if not argument.name or argument.name in (given or ())
    ]
    return msgspec.structs.replace(function, arguments=tuple(used))
