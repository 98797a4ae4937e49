"""Parser for the text of a `filter`: `column=operator.value`; commas between filters mean AND. Pure.

`not.` before the operator negates a filter. A value may be in double quotes, and `in` has a list in
parentheses; a comma within these does not separate filters.
"""

from __future__ import annotations

from msgspec import Struct

from prt.local.realtime.protocol.inspection import inspected

OPERATORS = (
    "eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "is", "match", "imatch", "isdistinct",
)  # fmt: skip


class Filter(Struct, frozen=True):
    """A filter on one column. `value` is text for PostgreSQL; the list of `in` is an array literal."""

    column: str
    operator: str
    value: str
    is_negated: bool = False


def parse(text: str) -> tuple[Filter, ...] | str:
    """Parse a text into filters (none if it is blank). Return the server's error message if it is invalid."""
    if not text.strip():
        return ()
    parsed: list[Filter] = []
    for segment in _segments(text.strip()):
        found = _filter(segment.strip())
        if isinstance(found, str):
            return found
        parsed.append(found)
    return tuple(parsed)


def _filter(segment: str) -> Filter | str:
    if not segment:
        return "filter must not contain empty segments (check for extra commas)"
    column, equals, condition = segment.partition("=")
    if not equals:
        return inspected([segment])
    is_negated = condition.startswith("not.")
    operator, dot, value = condition.removeprefix("not.").partition(".")
    if not dot:
        return inspected([operator])
    if operator not in OPERATORS:
        return inspected([operator, value])
    if operator != "in":
        return Filter(column, operator, _unquoted(value), is_negated)
    if not (len(value) >= 2 and value[0] == "(" and value[-1] == ")"):
        return "`in` filter value must be wrapped by parentheses"
    return Filter(column, operator, "{" + value[1:-1] + "}", is_negated)


def _segments(text: str) -> list[str]:
    """Split a text at the commas outside of parentheses and quotes."""
    segments, current, depth, is_quoted, previous = [], "", 0, False, ""
    characters = iter(text)
    for character in characters:
        current += character
        if is_quoted:
            if character == "\\":
                current += next(characters, "")
            is_quoted = character != '"'
        elif character == '"' and previous in (".", "(", ","):
            is_quoted = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "," and not depth:
            segments.append(current[:-1])
            current, previous = "", ""
            continue
        previous = character
    return [*segments, current]


def _unquoted(value: str) -> str:
    """Return a value without the quotes around it; a value that isn't quoted as a whole is unchanged."""
    if not value.startswith('"'):
        return value
    inside, characters = "", iter(value[1:])
    for character in characters:
        if character == '"':
            return inside if next(characters, None) is None else value
        inside += next(characters, "") if character == "\\" else character
    return value
