"""The parser of `--filter [TABLE:]COLUMN=[not.]OPERATOR.VALUE`, which finds what the server would refuse."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from prt import quoting
from prt.errors import UsageError
from prt.stream.filters import grammar
from prt.stream.filters.grammar import IS_VALUES, MAX_IN_VALUES, OPERATORS, FilterError
from prt.suggestions import did_you_mean

_EXAMPLE: Final = "write it as production_id=eq.42 or status=in.(open,done)"


class Filter(Struct, frozen=True):
    """A `--filter`: `text` is the filter on the wire, conditions joined by commas.

    `table` None is every table.
    """

    table: str | None
    text: str
    columns: tuple[str, ...]


def parse_filter(text: str) -> Filter:
    """Parse a filter.

    Raises:
        UsageError: The server would refuse the filter for any table.
    """
    before, colon, after = text.partition(":")
    table: str | None = None
    # Only a text without `=` can be a table, because values can have colons.
    if colon and "=" not in before:
        table, text = before.strip(), after
        if not table:
            raise UsageError("--filter names no table before the colon", _EXAMPLE)
    text = text.strip()
    try:
        conditions = grammar.read(text)
    except FilterError as error:
        raise _refused(error, text) from error
    if not conditions:
        raise _refused(FilterError("empty", ""), text)
    return Filter(table, text, tuple(one.column for one in conditions))


def _refused(error: FilterError, text: str) -> UsageError:
    segment, operator = error.segment, error.operator
    if error.fault == "unreadable" and (quoted := _quoted(text, segment)) is not None:
        hint = "a comma separates conditions; a value that holds one stands in double quotes: "
        hint += quoting.word(quoted)
        return UsageError(f"--filter can't read {segment}", hint)
    if error.fault == "operator":
        hint = did_you_mean(operator.lower(), OPERATORS, f"operators: {', '.join(OPERATORS)}")
        return UsageError(f"--filter: unknown operator {operator or '(empty)'} in {segment}", hint)
    message, hint = {
        "empty": (f"--filter has an empty condition: {text}", f"check for extra commas; {_EXAMPLE}"),
        "unreadable": (f"--filter can't read {segment}", _EXAMPLE),
        "list": (f"--filter: the values of `in` stand in parentheses: {segment}", _EXAMPLE),
        "length": (f"--filter: `in` takes at most {MAX_IN_VALUES} values", "use --include on our side"),
        "is": (f"--filter: `is` takes {', '.join(IS_VALUES)}: {segment}", "use eq for other values"),
    }[error.fault]
    return UsageError(message, hint)


def _quoted(text: str, segment: str) -> str | None:
    """Return the condition before an unreadable one, with both in one quoted value that has a comma."""
    before = text[: text.rindex(segment)].rstrip().removesuffix(",")
    try:
        *_, last = grammar.read(before) or (None,)
    except FilterError:
        return None
    if last is None or last.operator == "in":
        return None
    value = f"{last.value},{segment}".replace("\\", "\\\\").replace('"', '\\"')
    return f'{last.column}={"not." * last.is_negated}{last.operator}."{value}"'
