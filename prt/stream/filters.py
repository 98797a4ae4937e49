"""A binding's `filter` in PostgREST's words, and the conditions that page through a table. Pure.

Realtime and PostgREST share the operators but not their grammars: quotes, lists and patterns differ.
https://docs.postgrest.org/en/stable/references/api/tables_views.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Parameters = list[tuple[str, str]]
"""Names and values of a query string, not yet encoded."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {"select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict", "apikey"}


def parameters_of(text: str | None) -> Parameters:
    """The conditions of a filter that Realtime took, joined by AND."""
    return [_parameter(segment.strip()) for segment in _segments(text or "") if segment.strip()]


def column(name: str) -> str:
    """A column's name in `select`, `order` or a logic tree."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def quoted(value: str) -> str:
    """A value as it stands in a list or a logic tree."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def condition(name: str, operation: str) -> tuple[str, str]:
    """`operation` is `gte.VALUE` and the like, its value not quoted."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name, operation
    prefix = "not." if operation.startswith("not.") else ""
    operator, _, value = operation.removeprefix("not.").partition(".")
    inner = value if operator in ("is", "in") else quoted(value)
    return "and", f"({quoted(name)}.{prefix}{operator}.{inner})"


def after(names: Sequence[str], values: Sequence[str]) -> tuple[str, str]:
    """The rows behind the one with these values, in the order of these columns."""
    alternatives = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        before = [f"{column(names[n])}.eq.{quoted(values[n])}" for n in range(index)]
        behind = f"{column(name)}.gt.{quoted(value)}"
        alternatives.append(f"and({','.join([*before, behind])})" if before else behind)
    return "or", f"({','.join(alternatives)})"


def one_of(names: Sequence[str], keys: Sequence[Sequence[str]]) -> tuple[str, str]:
    """The rows with one of these keys."""
    if len(names) == 1:
        return condition(names[0], f"in.({','.join(quoted(key[0]) for key in keys)})")
    alternatives = [
        f"and({','.join(f'{column(n)}.eq.{quoted(v)}' for n, v in zip(names, key, strict=True))})"
        for key in keys
    ]
    return "or", f"({','.join(alternatives)})"


def _parameter(segment: str) -> tuple[str, str]:
    name, _, rest = segment.partition("=")
    prefix = "not." if rest.startswith("not.") else ""
    operator, _, value = rest.removeprefix("not.").partition(".")
    if operator == "in":
        elements = list(_elements(value[1:-1]))
        if prefix and None in elements:  # `x not in (…, null)` holds for nothing
            return "and", f"({column(name)}.is.null,{column(name)}.not.is.null)"
        value = f"({','.join(quoted(element) for element in elements if element is not None)})"
    elif operator == "is":
        value = "null" if value.lower() == "unknown" else value.lower()
    else:
        value = _unquoted(value)
        if operator in ("like", "ilike") and "*" in value:  # which PostgREST takes for `%`
            operator, value = operator.replace("like", "match"), _regex(value)
    return condition(name, f"{prefix}{operator}.{value}")


def _segments(text: str) -> Iterator[str]:
    """Split at the commas outside of parentheses and quotes."""
    current, depth, is_quoted, previous = "", 0, False, ""
    characters = iter(text)
    for character in characters:
        if character == "," and not depth and not is_quoted:
            yield current
            current, previous = "", ""
            continue
        current += character
        if is_quoted:
            if character == "\\":
                current += next(characters, "")
            is_quoted = character != '"'
        elif character == '"' and previous in (".", "(", ","):
            is_quoted = True
        else:
            depth = max(0, depth + (character == "(") - (character == ")"))
        previous = character
    yield current


def _elements(text: str) -> Iterator[str | None]:
    """Of an array literal's inside: quoted ones as they are, others trimmed, a bare NULL is None."""
    for found in re.finditer(r'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^,"\\]|\\.)*))\s*(?:,|$)', text, re.DOTALL):
        if found[1] is not None:
            yield re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
        elif bare := found[2].strip():
            yield None if bare.upper() == "NULL" else re.sub(r"\\(.)", r"\1", bare, flags=re.DOTALL)


def _unquoted(value: str) -> str:
    """The inside of a value that is quoted as a whole; any other stays as it is."""
    found = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value, re.DOTALL)
    return value if found is None else re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)


def _regex(pattern: str) -> str:
    """A LIKE pattern as a regular expression of PostgreSQL."""
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
