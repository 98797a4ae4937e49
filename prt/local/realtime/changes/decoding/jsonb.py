"""JSON text as PostgreSQL's `jsonb` prints it. Pure.

Keys are ordered by length, then by their bytes, and the last of equal keys wins. Numbers are printed as
`numeric`, with all digits and never with an exponent. The separators are `", "` and `": "`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

LARGEST_EXPANSION = 1024 * 1024
"""The most digits that the exponents of one value may add: `1e131071` alone becomes 131,072 digits."""


class _TooLongError(ValueError):
    """The exponents of a value add more digits than `LARGEST_EXPANSION`."""


class _Number(str):
    """A number as its original text."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs, in the order of the text."""


def string(text: str) -> str:
    """Return text as a JSON string with PostgreSQL's escapes, which are the same as Python's."""
    return encode_basestring(text)


def number(text: str) -> str:
    """Return a number as `numeric` prints it: `1e-10` becomes `0.0000000001`, minus zero loses its sign."""
    if "e" in text or "E" in text:
        text = format(Decimal(text), "f")
    if text.startswith("-0") and not text.strip("-0."):
        return text[1:]
    return text


def key_order(key: str) -> tuple[int, bytes]:
    """Return the sort key by which jsonb orders the keys of an object."""
    raw = key.encode("utf-8", "surrogatepass")
    return len(raw), raw


def object_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Return an object as JSON text, with its keys in jsonb's order; the values are JSON text."""
    ordered = sorted(pairs, key=lambda pair: key_order(pair[0]))
    return "{" + ", ".join(f"{string(key)}: {value}" for key, value in ordered) + "}"


def normalised(text: str) -> str:
    """Return the text of a `json` value as `jsonb` would print it."""
    try:
        return _printed(_load(text))
    except (RecursionError, _TooLongError):
        # Too deep for Python's stack, or too many digits: the text is valid JSON, but not in jsonb's order.
        return text


def _load(text: str) -> Any:
    left = LARGEST_EXPANSION

    def number_with_exponent(digits: str) -> _Number:
        nonlocal left
        exponent = digits.lower().partition("e")[2].lstrip("+-").lstrip("0")
        left -= int(exponent or 0) if len(exponent) < len(str(LARGEST_EXPANSION)) + 1 else left + 1
        if left < 0:
            raise _TooLongError
        return _Number(digits)

    return json.loads(text, parse_int=_Number, parse_float=number_with_exponent, object_pairs_hook=_Pairs)


def _printed(value: Any) -> str:
    match value:
        case _Number():
            return number(value)
        case str():
            return _safe_string(value)
        case _Pairs():
            return object_of((key, _printed(item)) for key, item in dict(value).items())
        case list():
            return "[" + ", ".join(map(_printed, value)) + "]"
        case None:
            return "null"
        case _:
            return "true" if value else "false"


def _safe_string(text: str) -> str:
    # `json` accepts single surrogates if they are escaped; unescaped, a frame can't contain them.
    return string(text) if not _has_surrogate(text) else encode_basestring_ascii(text)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
