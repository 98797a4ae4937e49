"""The text of a binding's `filter`: `column=operator.value`, several joined by commas as AND. Pure.

`not.` before the operator negates it. A column's name stands as it is, quotes, dots and blanks included; a
comma ends it. A value may stand in double quotes, and `in` takes a list in parentheses: commas inside of
either separate nothing. A quote opens only behind `.`, `(` or `,`, as on the server.
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
_PLAIN: Final = re.compile(r'[^,"()\\]+')

Fault = Literal["empty", "unreadable", "operator", "list", "length", "is"]
"""Why the server would refuse a condition: it is empty, has no column or operator, an unknown operator, a
list without parentheses or with too many values, or an `is` with another value than it takes.
"""


class Condition(Struct, frozen=True):
    """One condition. `value` is without its quotes; of `in` it is what stands between the parentheses."""

    column: str
    operator: str
    value: str
    is_negated: bool = False

    def elements(self) -> tuple[str | None, ...]:
        """Return the values of `in`; a bare NULL is None."""
        return tuple(_elements(self.value))


class FilterError(UsageError):
    """A condition that the server would refuse, whatever the table is."""

    def __init__(self, fault: Fault, segment: str, operator: str = "") -> None:
        super().__init__(f"the server can't read the filter {segment}")
        self.fault: Fault = fault
        self.segment = segment
        self.operator = operator


def read(text: str | None) -> tuple[Condition, ...]:
    """Return the conditions of a filter; without a filter there are none. Raise FilterError."""
    if text is None or not text.strip():
        return ()
    return tuple(_condition(segment.strip()) for segment in _segments(text.strip()))


def columns_of(text: str | None) -> tuple[str, ...]:
    """Return the columns of a filter that the server can read, each once; of any other none."""
    try:
        return tuple(dict.fromkeys(condition.column for condition in read(text)))
    except FilterError:
        return ()


def equals(column: str, value: str) -> str | None:
    """Return the filter for a column that equals `value`, or None if the grammar has no words for it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    for written in (value, f'"{escaped}"') if _PLAIN.fullmatch(value) else (f'"{escaped}"',):
        text = f"{column}=eq.{written}"
        try:
            # A column's name may hold what opens a list or a quote, and swallow the next condition.
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
    """Read the inside of an array literal: quoted values as they are, others trimmed."""
    for found in re.finditer(r'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^,"\\]|\\.)*))\s*(?:,|$)', text, re.DOTALL):
        if found[1] is not None:
            yield re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
        elif bare := found[2].strip():
            yield None if bare.upper() == "NULL" else re.sub(r"\\(.)", r"\1", bare, flags=re.DOTALL)


def _unquoted(value: str) -> str:
    """Return the inside of a value that is quoted as a whole; any other stays as it is."""
    found = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value, re.DOTALL)
    return value if found is None else re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
