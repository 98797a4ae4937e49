"""Lookup of database functions by name, and the errors if none or several of them accept a call."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from prt.local.rest.catalog import TableName
from prt.local.rest.errors import RestError
from prt.local.rest.sql import execute, quote
from prt.suggestions import nearest


class Argument(Struct, frozen=True):
    """An argument of a function; the name is empty if the argument is unnamed."""

    name: str
    type: str
    is_variadic: bool


class Function(Struct, frozen=True):
    """A function of the database.

    Attributes:
        name: The name with its schema.
        arguments: The input arguments, in their order.
        required: The number of arguments without a default; these come first.
        is_set: Whether the function returns a set of rows.
        is_scalar: Whether a returned row is one value without a column name.
        is_void: Whether the function returns nothing.
        table: The name of the table whose rows the function returns, None if it returns others.
    """

    name: TableName
    arguments: tuple[Argument, ...]
    required: int
    is_set: bool
    is_scalar: bool
    is_void: bool
    table: str | None

    def accepts_body_as(self, types: Collection[str]) -> bool:
        """Return whether a single unnamed argument of one of these types accepts the whole body."""
        return len(self.arguments) == 1 and not self.arguments[0].name and self.arguments[0].type in types

    def accepts(self, given: Collection[str]) -> bool:
        """Return whether the function can be called with named arguments of exactly these names."""
        names = [argument.name for argument in self.arguments]
        return all(names) and set(names[: self.required]) <= set(given) <= set(names)

    def signature(self) -> str:
        """Return the signature in PostgREST's form."""
        arguments = ", ".join(f"{argument.name} => {argument.type}" for argument in self.arguments)
        return f"{self.name.schema}.{self.name.name}({arguments})"


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


async def find_functions(connection: AsyncConnection[Any], name: TableName) -> list[Function]:
    """Return the functions with this name."""
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


def ambiguous(functions: list[Function]) -> RestError:
    """Return the error for a call that several functions accept."""
    choices = ", ".join(function.signature() for function in functions)
    return RestError(
        300,
        "PGRST203",
        f"Could not choose the best candidate function between: {choices}",
        hint="Try renaming the parameters or the function itself in the database"
        " so function overloading can be resolved",
    )


async def unknown(
    connection: AsyncConnection[Any],
    name: TableName,
    given: list[str] | None,
    *,
    unnamed: str | None,
    overloads: list[Function],
) -> RestError:
    """Return the error `PGRST202` for a call that no function accepts.

    Args:
        connection: A connection, on which the most similar function name is looked up.
        name: The function that was called.
        given: The names of the arguments, None if the body is not a JSON object.
        unnamed: The types that a single unnamed argument could have had, for the message; None if there is no
            body.
        overloads: The functions with this name, which accept other arguments.
    """
    full = f"{name.schema}.{name.name}"
    if overloads:
        lists = [f"({', '.join(argument.name for argument in each.arguments)})" for each in overloads]
        near = nearest(f"({', '.join(given or ())})", lists)
        hint = f"{full}{near}" if near else None
    else:
        cursor = await execute(connection, FUNCTION_NAMES, (quote(name.schema),))
        near = nearest(name.name, [row[0] for row in await cursor.fetchall()])
        hint = f"{name.schema}.{near}" if near else None
    called, searched = "", ""
    if given is not None:
        listed = ", ".join(given)
        called = f"({listed})" if given else " without parameters"
        searched = f" with parameter{'s' * (len(given) > 1)} {listed}" if given else called
    if unnamed is not None:
        searched += f"{' or' if searched else ''} with a single unnamed {unnamed} parameter"
    return RestError(
        404,
        "PGRST202",
        f"Could not find the function {full}{called} in the schema cache",
        f"Searched for the function {full}{searched}, but no matches were found in the schema cache.",
        f"Perhaps you meant to call the function {hint}" if hint else None,
    )
