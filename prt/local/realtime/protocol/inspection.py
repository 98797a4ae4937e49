"""Values as Elixir's `inspect` prints them: the real server quotes bindings so in its messages."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

_ESCAPES = str.maketrans(
    {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": "\\0", "\x1b": "\\e"}
)


def inspected(value: Any) -> str:
    """`value` is decoded JSON; a tuple prints as a tuple, what is nested too deeply as dots."""
    try:
        return _inspected(value)
    except RecursionError:
        return "..."


def _inspected(value: Any) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.translate(_ESCAPES).replace("#{", "\\#{") + '"'
        case dict():
            pairs = (f"{_inspected(key)} => {_inspected(value[key])}" for key in sorted(value))
            return "%{" + ", ".join(pairs) + "}"
        case tuple():
            return "{" + ", ".join(map(_inspected, value)) + "}"
        case list():
            return "[" + ", ".join(map(_inspected, value)) + "]"
        case float():
            return _float(value)
        case _:
            return repr(value)


def _float(value: float) -> str:
    """The shortest digits, in whichever notation takes fewer characters, and a digit after the point."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + int(exponent)
    mantissa = f"{text[0]}.{text[1:] or '0'}e{power}"
    decimal = format(Decimal(text).scaleb(int(exponent)), "f")
    decimal = decimal if "." in decimal else f"{decimal}.0"
    return "-" * sign + (decimal if len(decimal) <= len(mantissa) and abs(value) < 2**53 else mantissa)


def printed(value: Any) -> str | None:
    """Return a value as Elixir turns it into text, or None if it has no text: an object, say.

    A list is text if its elements are: numbers stand for characters, lists for what they hold.
    """
    match value:
        case None:
            return ""
        case dict():
            return None
        case list():
            try:
                return _characters(value)
            except RecursionError:
                return None
        case _:
            return interpolated(value)


def _characters(value: list[Any]) -> str | None:
    pieces: list[str] = []
    for each in value:
        if isinstance(each, str):
            pieces.append(each)
        elif type(each) is int and 0 <= each <= sys.maxunicode and not 0xD800 <= each <= 0xDFFF:
            pieces.append(chr(each))
        elif isinstance(each, list) and (inner := _characters(each)) is not None:
            pieces.append(inner)
        else:
            return None
    return "".join(pieces)


def interpolated(value: Any) -> str:
    """Return a value as in Elixir's `"#{…}"`: text stands as it is, everything else inspected."""
    return value if isinstance(value, str) else inspected(value)
