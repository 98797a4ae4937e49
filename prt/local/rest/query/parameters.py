"""Parser for a request's query string."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qsl

from prt.local.rest.errors import RestError
from prt.local.rest.query.filters import parse_filter, parse_logic
from prt.local.rest.query.scanner import Scanner
from prt.local.rest.query.select import parse_names, parse_order, parse_select
from prt.local.rest.query.tree import Condition, Field, Node, Order, Path, Query, Star, Window

Parameters = list[tuple[str, str]]
NUMBER = re.compile(r"-?[0-9]{1,18}")


def parameters_of(query_string: bytes) -> Parameters:
    """Return the decoded parameters in their order, without the gateway's `apikey`.

    Raises:
        RestError: `PGRST100`: the query string is not UTF-8.
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as exc:
        raise RestError(400, "PGRST100", "The query string is not UTF-8") from exc
    return [(key, value) for key, value in pairs if key != "apikey"]


def parse_query(parameters: Parameters) -> Query:
    """Parse the parameters of a request.

    Raises:
        RestError: `PGRST100`: a parameter is invalid; the message names it.
    """
    select: tuple[Node, ...] = (Star(),)
    has_select = False
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    conditions: dict[Path, list[Condition]] = {}
    orders: dict[Path, tuple[Order, ...]] = {}
    limits: dict[Path, int | None] = {}
    offsets: dict[Path, int] = {}
    for key, value in parameters:
        if key == "select":
            select, has_select = parse_select(value), True
        elif key == "columns":
            columns = parse_names(value, "columns parameter")
        elif key == "on_conflict":
            on_conflict = parse_names(value, "on_conflict parameter")
        else:
            path, field, is_negated = _target(key)
            match field.name:
                case "order" if not field.steps:
                    orders[path] = parse_order(value)
                case "limit" if not field.steps:
                    limits[path] = _limit(value)
                case "offset" if not field.steps:
                    offsets[path] = max(_number(value) or 0, 0)
                case "and" | "or" if not field.steps:
                    logic: Literal["and", "or"] = "and" if field.name == "and" else "or"
                    condition: Condition = parse_logic(logic, value, is_negated=is_negated)
                    conditions.setdefault(path, []).append(condition)
                case _:
                    conditions.setdefault(path, []).append(parse_filter(field, value))
    return Query(
        select=select,
        has_select=has_select,
        conditions={path: tuple(each) for path, each in conditions.items()},
        orders=orders,
        windows={path: Window(limits.get(path), offsets.get(path, 0)) for path in {*limits, *offsets}},
        columns=columns,
        on_conflict=on_conflict,
    )


def _target(key: str) -> tuple[Path, Field, bool]:
    """Parse a parameter's name: the path of a resource, a field of it, and whether it is negated (`not.and`).

    For example, `task.production.name->>a` is the field `name->>a` of the resource `("task", "production")`.
    """
    scanner = Scanner(key, "tree path")
    names: list[str] = []
    while True:
        field = scanner.field()
        if not scanner.accepts("."):
            break
        names.append(field.name)
    scanner.expect_end('"." or end of input')
    is_negated = field.name in {"and", "or"} and names[-1:] == ["not"]
    return tuple(names[:-1] if is_negated else names), field, is_negated


def _limit(text: str) -> int | None:
    number = _number(text)
    if number is not None and number < 0:
        raise RestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            "Limit should be greater than or equal to zero.",
        )
    return number


def _number(text: str) -> int | None:
    """Return an integer, None if it is not one: the parameter then counts as missing, as in PostgREST."""
    return min(int(text), 2**62) if NUMBER.fullmatch(text) else None
