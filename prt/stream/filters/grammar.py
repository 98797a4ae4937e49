"""The grammar of a binding's `filter`: `column=operator.value`, several joined by commas as AND. Pure.

`not.` before the operator negates the condition. A column's name is written as it is, with its quotes, dots
and blanks; a comma ends it. A value may be in double quotes, and `in` has a list in parentheses: commas
inside them do not separate conditions. As on the server, a quote only opens after `.`, `(` or `,`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from prt.errors import UsageError

OPERATORS: Final = (
    "eq",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "in",
    "like",
    "ilike",
    "is",
    "match",
    "imatch",
    "isdistinct",
)
IS_VALUES: Final = ("null", "true", "false", "unknown")
MAX_IN_VALUES: Final = 100
"""The most values of an `in` that the server accepts."""
_ELEMENT: Final = re.compile(
    r'(?:\s*"(?P<quoted>(?:[^"\\]|\\.)*)"\s*|(?P<bare>(?:[^,"\\]|\\.)*))(?:,|\Z)', re.DOTALL
)
_PLAIN: Final = re.compile(r'[^,"()\\]+')

Fault = Literal["empty", "unreadable", "operator", "list", "length", "is"]
"""Why the server would refuse a condition.

`empty`: it is empty. `unreadable`: it has no column or no operator. `operator`: the operator is unknown.
`list`: an `in` has no parentheses. `length`: an `in` has too many values. `is`: an `is` has a value that it
does not accept."""


class Condition(Struct, frozen=True):
    """One condition of a filter.

    Attributes:
        column: The name of the column.
        operator: The operator, without `not.`.
        value: The value without its quotes; for `in` the text between the parentheses.
        is_negated: Whether the operator has the prefix `not.`.
    """

    column: str
    operator: str
    value: str
    is_negated: bool = False

    def elements(self) -> tuple[str | None, ...]:
        """Return the values of `in`. An unquoted NULL becomes None."""
        return tuple(_elements(self.value))


class FilterError(UsageError):
    """A condition that the server would refuse for any table.

    Attributes:
        fault: Why it would refuse it.
        segment: The text of the condition.
        operator: The operator, empty if it was not found.
    """

    def __init__(self, fault: Fault, segment: str, operator: str = "") -> None:
        super().__init__(f"the server can't read the filter {segment}")
        self.fault: Fault = fault
        self.segment = segment
        self.operator = operator


def read(text: str | None) -> tuple[Condition, ...]:
    """Parse a filter into its conditions; None or a blank text has none.

    Raises:
        FilterError: If the server would refuse a condition.
    """
    if text is None or not text.strip():
        return ()
    return tuple(_condition(segment.strip()) for segment in _segments(text.strip()))


def columns_of(text: str | None) -> tuple[str, ...]:
    """Return the columns of a filter, without duplicates; none if the server can't read the filter."""
    try:
        return tuple(dict.fromkeys(condition.column for condition in read(text)))
    except FilterError:
        return ()


def equals(column: str, value: str) -> str | None:
    """Return the filter for a column that equals `value`; None if the grammar can't express it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    for written in (value, f'"{escaped}"') if _PLAIN.fullmatch(value) else (f'"{escaped}"',):
        text = f"{column}=eq.{written}"
        try:
            # A column's name may open a list or a quote, so that the next condition becomes part of it.
            found, *others = read(f"{text},x=is.null")
        except FilterError:
            continue
        if found == Condition(column, "eq", value) and len(others) == 1:
            return text
    return None


def _condition(segment: str) -> Condition:
    if not segment:
        raise FilterError("empty", segment)
    column, _, condition = segment.partition("=")
    is_negated = condition.startswith("not.")
    operator, dot, value = condition.removeprefix("not.").partition(".")
    if not column or not dot:
        raise FilterError("unreadable", segment)
    if operator not in OPERATORS:
        raise FilterError("operator", segment, operator)
    if operator != "in":
        value = _unquoted(value)
        if operator == "is" and value.lower() not in IS_VALUES:
            raise FilterError("is", segment, operator)
        return Condition(column, operator, value, is_negated)
    if not (len(value) >= 2 and value[0] == "(" and value[-1] == ")"):
        raise FilterError("list", segment, operator)
    found = Condition(column, operator, value[1:-1], is_negated)
    if len(found.elements()) > MAX_IN_VALUES:
        raise FilterError("length", segment, operator)
    return found


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
    """Parse the inside of an array literal: quoted values are kept as they are, others are trimmed.

    What can't be read is left out, up to the next comma.
    """
    position = 0
    while position < len(text):
        found = _ELEMENT.match(text, position)
        if found is None:
            position = text.find(",", position) + 1 or len(text)
            continue
        position = found.end()
        if found["quoted"] is not None:
            yield re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL)
        elif bare := found["bare"].strip():
            yield None if bare.upper() == "NULL" else re.sub(r"\\(.)", r"\1", bare, flags=re.DOTALL)


def _unquoted(value: str) -> str:
    """Return the inside of a value that is quoted as a whole, and any other value unchanged."""
    found = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value, re.DOTALL)
    return value if found is None else re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
