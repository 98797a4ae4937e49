"""The text of a `filter`: `column=operator.value`, several joined by commas as AND. Pure.

`not.` before the operator negates it. A value may stand in double quotes, `in` has a list in
parentheses; commas inside either don't separate.
"""

from __future__ import annotations

from msgspec import Struct

from prt.local.realtime.protocol.inspection import inspected

OPERATORS = (
    "eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "is", "match", "imatch", "isdistinct",
)  # fmt: skip


class Filter(Struct, frozen=True):
    """`value` is PostgreSQL's text: an `in` list stands as an array literal."""

    column: str
    operator: str
    value: str
    is_negated: bool = False


def parse(text: str) -> tuple[Filter, ...] | str:
    """The filters, or the server's words for why there are none. Blank text has no filter."""
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
    """Split at the commas outside of parentheses and quotes."""
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
    """The inside of a value that is quoted as a whole; any other stays as it is."""
    if not value.startswith('"'):
        return value
    inside, characters = "", iter(value[1:])
    for character in characters:
        if character == '"':
            return inside if next(characters, None) is None else value
        inside += next(characters, "") if character == "\\" else character
    return value
