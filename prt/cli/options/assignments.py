"""Parsers of `COL=VALUE` and `KEY`: values are JSON if they can be parsed as JSON, otherwise text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

from prt.cli.options.identifiers import QUOTED, unquoted
from prt.errors import UsageError

_NAME: Final = rf"(?:[^\W\d]\w*|{QUOTED})"
_NAMED: Final = re.compile(rf"{_NAME}=.+", re.DOTALL)
_CONDITIONS: Final = re.compile(rf'({_NAME}=(?:"(?:[^"\\]|\\.)*"(?=,|$)|.*?))(?:,(?={_NAME}=)|$)', re.DOTALL)
"""Conditions separated by commas.

A comma only ends a value if another `COL=` follows, and never inside a JSON string.
"""
_WORD: Final = re.compile(rf"({QUOTED}|[^=]*)(=?)(.*)", re.DOTALL)


def value_of(text: str) -> Raw:
    """Return a value as raw JSON, as it was typed, so that 1.10 stays 1.10; nothing is the empty string."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return Raw(msgspec.json.encode(text))
    return Raw(text.strip().encode())


def assignments_of(words: Iterable[str], option: str) -> dict[str, Raw]:
    """Return the values by column.

    Raises:
        UsageError: A word isn't an assignment, or a column is named twice.
    """
    found: dict[str, Raw] = {}
    for word in words:
        column, equals, value = _WORD.fullmatch(word).groups()  # type: ignore[union-attr]
        column = unquoted(column)
        if not column or not equals:
            raise UsageError(f"{option} can't read {word!r}", "write COL=VALUE, or COL= for an empty text")
        if column in found:
            raise UsageError(f"{option} names {column} twice", "leave one of them out")
        found[column] = value_of(value)
    return found


def key_of(text: str) -> dict[str, Raw]:
    """Return the values of a key by column.

    `7` is id=7, and `org=1,nr=7` names the columns. `name=a,b` and `name="a,b=c"` are one value each.

    Raises:
        UsageError: The key is empty or can't be parsed.
    """
    if not text:
        raise UsageError("the KEY is empty", "write the row's id, or COL=VALUE,COL=VALUE")
    if _NAMED.fullmatch(text):
        return assignments_of(_CONDITIONS.findall(text), "KEY")
    return {"id": value_of(text)}
