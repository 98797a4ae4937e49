"""`--filter [TABLE:]COLUMN=[not.]OPERATOR.VALUE`, checked as the server would before anything is opened."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

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

_EXAMPLE: Final = "write it as production_id=eq.42 or status=in.(open,done)"
_CONDITION: Final = re.compile(
    r"(?P<column>[^=]+)=(?P<negated>not\.)?(?P<operator>[^.]*)\.(?P<value>.*)", re.DOTALL
)


class Filter(Struct, frozen=True):
    """One `--filter`: `text` is the wire's, conditions joined by commas; `table` None is every table."""

    table: str | None
    text: str
    columns: tuple[str, ...]


def parse_filter(text: str) -> Filter:
    """UsageError where the server would answer with an error whatever the table is."""
    before, colon, after = text.partition(":")
    table: str | None = None
    # Only what holds no `=` can be a table: the value of a condition may hold a colon.
    if colon and "=" not in before:
        table, text = before.strip(), after
        if not table:
            raise UsageError("--filter names no table before the colon", _EXAMPLE)
    segments = _segments(text.strip())
    return Filter(table, ",".join(segments), tuple(_checked(segment, text) for segment in segments))


def _checked(segment: str, text: str) -> str:
    """The column of one condition."""
    if not segment:
        raise UsageError(f"--filter has an empty condition: {text}", "check for extra commas; " + _EXAMPLE)
    match = _CONDITION.fullmatch(segment)
    if match is None:
        raise UsageError(f"--filter can't read {segment}", _EXAMPLE)
    operator, value = match["operator"], match["value"]
    if operator not in OPERATORS:
        close = get_close_matches(operator.lower(), OPERATORS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"operators: {', '.join(OPERATORS)}"
        raise UsageError(f"--filter knows no operator {operator or '(empty)'} in {segment}", hint)
    if operator == "in":
        if not (value.startswith("(") and value.endswith(")")):
            raise UsageError(f"--filter: the values of `in` stand in parentheses: {segment}", _EXAMPLE)
        if len(_segments(value[1:-1])) > MAX_IN_VALUES:
            raise UsageError(
                f"--filter: `in` takes at most {MAX_IN_VALUES} values", "use --include on our side"
            )
    if operator == "is" and value.lower() not in IS_VALUES:
        raise UsageError(f"--filter: `is` takes {', '.join(IS_VALUES)}: {segment}", "use eq for other values")
    return match["column"].strip()


def _segments(text: str) -> list[str]:
    """Split at the commas that stand outside of quotes and parentheses.

    A quote in a column's name is a part of it: the server takes names as they are.
    """
    segments, current, depth, is_quoted = [], "", 0, False
    for character in text:
        if character == '"' and (is_quoted or current == "" or current[-1] in ".(,"):
            is_quoted = not is_quoted
        elif not is_quoted:
            depth += (character == "(") - (character == ")")
        if character == "," and not is_quoted and depth <= 0:
            segments.append(current)
            current = ""
        else:
            current += character
    return [*segments, current]
