"""A binding's filter as a query of PostgREST, and the conditions that page through a table. Pure.

Realtime and PostgREST share the operators but not their grammars: quotes, lists and patterns differ.
https://docs.postgrest.org/en/stable/references/api/tables_views.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prt.stream.filters import grammar
from prt.stream.filters.grammar import Condition

Parameters = list[tuple[str, str]]
"""Names and values of a query string, not yet encoded for a URL."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {"select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict", "apikey"}
"""Names of columns that PostgREST would take for parameters of its own."""


def parameters_of(text: str | None) -> Parameters:
    """Return the conditions of a filter as parameters, which PostgREST joins by AND.

    Raises:
        FilterError: If Realtime would refuse the filter.
    """
    return [parameter(one) for one in grammar.read(text)]


def column(name: str) -> str:
    """Return a column's name as `select`, `order` and logic trees require it."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def quoted(value: str) -> str:
    """Return a value as lists and logic trees require it, in double quotes."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def condition(name: str, operation: str) -> tuple[str, str]:
    """Return a condition on a column as a parameter.

    Args:
        name: The name of the column.
        operation: The operator and the value, such as `gte.VALUE`, with the value not quoted.
    """
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name, operation
    prefix = "not." if operation.startswith("not.") else ""
    operator, _, value = operation.removeprefix("not.").partition(".")
    inner = value if operator in ("is", "in") else quoted(value)
    return "and", f"({quoted(name)}.{prefix}{operator}.{inner})"


def after(names: Sequence[str], values: Sequence[str]) -> tuple[str, str]:
    """Return the condition for the rows that come after a row.

    Args:
        names: The columns of the order.
        values: The row's values in these columns.
    """
    alternatives = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        before = [f"{column(names[n])}.eq.{quoted(values[n])}" for n in range(index)]
        behind = f"{column(name)}.gt.{quoted(value)}"
        alternatives.append(f"and({','.join([*before, behind])})" if before else behind)
    return "or", f"({','.join(alternatives)})"


def one_of(names: Sequence[str], keys: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Return the condition for the rows with one of these keys.

    Args:
        names: The key columns.
        keys: The values of the key columns, for each key.
    """
    if len(names) == 1:
        return condition(names[0], f"in.({','.join(quoted(key[0]) for key in keys)})")
    alternatives = [
        f"and({','.join(f'{column(n)}.eq.{quoted(v)}' for n, v in zip(names, key, strict=True))})"
        for key in keys
    ]
    return "or", f"({','.join(alternatives)})"


def parameter(one: Condition) -> tuple[str, str]:
    """Return a condition of a filter as a parameter."""
    prefix = "not." if one.is_negated else ""
    operator, value = one.operator, one.value
    if operator == "in":
        elements = one.elements()
        if prefix and None in elements:  # `x not in (…, null)` is true for no row
            return "and", f"({column(one.column)}.is.null,{column(one.column)}.not.is.null)"
        value = f"({','.join(quoted(element) for element in elements if element is not None)})"
    elif operator == "is":
        value = "null" if value.lower() == "unknown" else value.lower()
    elif operator in ("like", "ilike") and "*" in value:  # PostgREST would replace it by `%`
        operator, value = operator.replace("like", "match"), _regex(value)
    return condition(one.column, f"{prefix}{operator}.{value}")


def _regex(pattern: str) -> str:
    """Convert a LIKE pattern into a regular expression of PostgreSQL."""
    pieces, characters = [], iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append(".*")
        elif character == "_":
            pieces.append(".")
        else:
            literal = next(characters, "\\") if character == "\\" else character
            pieces.append(literal if literal.isalnum() or literal.isspace() else f"\\{literal}")
    return f"^{''.join(pieces)}$"
