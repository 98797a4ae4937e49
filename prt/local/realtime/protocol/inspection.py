"""Values printed as by Elixir's `inspect`, which the real server uses for values in its messages."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

_ESCAPES = str.maketrans(
    {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": "\\0", "\x1b": "\\e"}
)


def inspected(value: Any) -> str:
    """Return a value as Elixir's `inspect` prints it, `...` if it is nested too deeply.

    The value is decoded JSON, or a tuple, which is printed as Elixir's tuple.
    """
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
    """Return the shortest text of a float, decimal or scientific, with a digit after the point."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + int(exponent)
    mantissa = f"{text[0]}.{text[1:] or '0'}e{power}"
    decimal = format(Decimal(text).scaleb(int(exponent)), "f")
    decimal = decimal if "." in decimal else f"{decimal}.0"
    return "-" * sign + (decimal if len(decimal) <= len(mantissa) and abs(value) < 2**53 else mantissa)


def printed(value: Any) -> str | None:
    """Return a value as Elixir converts it to text, None if it can't be converted, such as an object.

    A list is text if all its elements are: a number is a code point, and a list is text again.
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
    """Return a value as in Elixir's `"#{…}"`: text unchanged, and everything else as `inspect` prints it."""
    return value if isinstance(value, str) else inspected(value)
