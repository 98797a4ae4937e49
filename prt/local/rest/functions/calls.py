"""Function calls, `/rpc/NAME`: arguments by name from the body or the query string.

https://docs.postgrest.org/en/stable/references/api/functions.html
"""

# ruff: noqa: S608 - every name in these texts is quoted, every value a parameter

from __future__ import annotations

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
    check_single,
    content_range,
    read_status,
    response,
    window_of,
)
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.filters import is_operation
from prt.local.rest.query.parameters import Parameters, parse_query
from prt.local.rest.query.tree import Query
from prt.local.rest.reading import Reading, Source, has_embeds
from prt.local.rest.sql import execute, quote
from prt.local.rest.tables import Request, fetch
from prt.suggestions import nearest

RESERVED = {"select", "order", "limit", "offset", "and", "or", "not.and", "not.or", "columns", "on_conflict"}
JSON_TYPES = {"json", "jsonb"}


class Argument(Struct, frozen=True):
    name: str
    type: str
    is_variadic: bool


class Function(Struct, frozen=True):
    """`table` is the one whose rows it returns; `is_scalar` where a row is one value without a name."""

    name: TableName
    arguments: tuple[Argument, ...]
    required: int
    is_set: bool
    is_scalar: bool
    is_void: bool
    table: str | None

    @property
    def takes_body(self) -> bool:
        """One unnamed JSON argument takes the body as it is."""
        return (
            len(self.arguments) == 1 and not self.arguments[0].name and self.arguments[0].type in JSON_TYPES
        )

    def accepts(self, given: set[str]) -> bool:
        names = [argument.name for argument in self.arguments]
        return all(names) and given <= set(names) and given >= set(names[: self.required])

    def signature(self) -> str:
        arguments = ", ".join(f"{argument.name} => {argument.type}" for argument in self.arguments)
        return f"{self.name.schema}.{self.name.name}({arguments})"


class Call(Struct, frozen=True, kw_only=True):
    """What is asked of a function; `body` is None where the arguments stand in the query string."""

    method: str
    function: TableName
    parameters: Parameters
    headers: dict[str, str]
    preferences: Preferences
    media: MediaType
    body: bytes | None


FUNCTIONS = """
select inputs.names, inputs.types, inputs.variadics, cardinality(inputs.names) - p.pronargdefaults,
  p.proretset, t.typname = 'void',
  t.typtype <> 'c' and t.typname <> 'record' and not coalesce(p.proargmodes && '{t}', false),
  case when t.typtype = 'c' and r.relnamespace = p.pronamespace then r.relname::text end
from pg_catalog.pg_proc p
join pg_catalog.pg_type t on t.oid = p.prorettype
left join pg_catalog.pg_class r on r.oid = t.typrelid
cross join lateral (
  select coalesce(array_agg(coalesce(p.proargnames[u.position], '') order by u.position), '{}') as names,
    coalesce(array_agg(pg_catalog.format_type(u.type, null) order by u.position), '{}') as types,
    coalesce(array_agg(coalesce(p.proargmodes[u.position] = 'v', false) order by u.position), '{}')
      as variadics
  from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as u (type, position)
  where coalesce(p.proargmodes[u.position], 'i') in ('i', 'b', 'v')
) inputs
where p.pronamespace = $1::regnamespace and p.proname = $2 and p.prokind = 'f'
"""

FUNCTION_NAMES = """
select distinct proname::text from pg_catalog.pg_proc
where pronamespace = $1::regnamespace and prokind = 'f' order by 1
"""


async def answer(connection: AsyncConnection[Any], call: Call) -> Response:
    """RestError PGRST202 where no function takes these arguments, PGRST203 where several do."""
    candidates = await _candidates(connection, call.function)
    body, query = _arguments(call, candidates)
    function = await _chosen(connection, call, candidates, body)
    keys = await foreign_keys(connection, call.function.schema) if has_embeds(query.select) else ()
    window = window_of(query, call.headers)
    query = msgspec.structs.replace(query, windows={**query.windows, (): window})
    reading = Reading(query, call.function.schema, keys)
    reading.check_paths()
    prelude = _prelude(function, reading.parameters.bind(body))
    name = quote(call.function.name)
    # The planner knows nothing of a function's rows: every kind of count is the exact one.
    preferences = call.preferences
    if preferences.count is not None:
        preferences = msgspec.structs.replace(preferences, count="exact")
    request = Request(
        method=call.method, table=call.function, query=query, preferences=preferences, media=call.media
    )
    source = Source(function.table or call.function.name, f"prt_source as {name}", name)
    rows = await fetch(connection, request, reading, source, prelude)
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
    """`[{"value":1},…]` → `[1,…]`, each value's own text untouched."""
    decoded = msgspec.json.decode(rows, type=list[dict[str, msgspec.Raw]])
    return msgspec.json.encode([next(iter(row.values())) for row in decoded])


def _prelude(function: Function, body: str) -> str:
    """The WITH whose `prt_source` holds the rows; a scalar's column is called `value`."""
    alias = '"prt call"("value")' if function.is_scalar else '"prt call"'
    name = function.name.quoted
    if function.takes_body:
        called = f"{name}({body}::{function.arguments[0].type}) as {alias}"
    elif function.arguments:
        typed = ", ".join(f"{quote(argument.name)} {argument.type}" for argument in function.arguments)
        passed = ", ".join(_passed(argument) for argument in function.arguments)
        called = f'json_to_record({body}::json) as "prt body" ({typed}), lateral {name}({passed}) as {alias}'
    else:
        # A parameter must stand somewhere for PostgreSQL to know its type.
        called = f"{name}() as {alias} where {body}::json is not null"
    return f'with prt_source as (select "prt call".* from {called}) '


def _passed(argument: Argument) -> str:
    variadic = "variadic " if argument.is_variadic else ""
    return f'{variadic}{quote(argument.name)} := "prt body".{quote(argument.name)}'


def _arguments(call: Call, candidates: list[Function]) -> tuple[str, Query]:
    """The arguments as a JSON text, and what is asked of the rows."""
    if call.body is not None:
        return call.body.decode(errors="replace") or "{}", parse_query(call.parameters)
    names = {argument.name for function in candidates for argument in function.arguments}
    given: dict[str, str] = {}
    others: Parameters = []
    for key, value in call.parameters:
        is_argument = key in names or (key not in RESERVED and "." not in key and not is_operation(value))
        if is_argument and key not in RESERVED:
            given[key] = value
        else:
            others.append((key, value))
    return msgspec.json.encode(given).decode(), parse_query(others)


async def _chosen(
    connection: AsyncConnection[Any], call: Call, candidates: list[Function], body: str
) -> Function:
    try:
        given = set(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except msgspec.DecodeError as exc:
        given = set()
        if not any(function.takes_body for function in candidates):
            raise RestError(400, "PGRST102", "Empty or invalid json") from exc
    fitting = [function for function in candidates if function.accepts(given)]
    fitting = fitting or [
        function for function in candidates if function.takes_body and call.body is not None
    ]
    if len(fitting) > 1:
        choices = ", ".join(function.signature() for function in fitting)
        raise RestError(
            300,
            "PGRST203",
            f"Could not choose the best candidate function between: {choices}",
            hint="Try renaming the parameters or the function itself in the database"
            " so function overloading can be resolved",
        )
    if fitting:
        (function,) = fitting
        used = [argument for argument in function.arguments if argument.name in given or function.takes_body]
        return msgspec.structs.replace(function, arguments=tuple(used))
    raise await _unknown(connection, call.function, sorted(given))


async def _candidates(connection: AsyncConnection[Any], name: TableName) -> list[Function]:
    cursor = await execute(connection, FUNCTIONS, (quote(name.schema), name.name), is_of_catalog=True)
    return [
        Function(
            name,
            tuple(Argument(*argument) for argument in zip(row[0], row[1], row[2], strict=True)),
            row[3],
            is_set=row[4],
            is_void=row[5],
            is_scalar=row[6],
            table=row[7],
        )
        for row in await cursor.fetchall()
    ]


async def _unknown(connection: AsyncConnection[Any], name: TableName, given: list[str]) -> RestError:
    cursor = await execute(connection, FUNCTION_NAMES, (quote(name.schema),))
    names = [row[0] for row in await cursor.fetchall()]
    near = nearest(name.name, names)
    full = f"{name.schema}.{name.name}"
    listed = ", ".join(given)
    with_parameters = f"with parameters {listed}" if given else "without parameters"
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {full}{f'({listed})' if given else ' without parameters'}"
        " in the schema cache",
        f"Searched for the function {full} {with_parameters} or with a single unnamed json/jsonb parameter,"
        " but no matches were found in the schema cache.",
        f"Perhaps you meant to call the function {name.schema}.{near}" if near else None,
    )
