"""Comparisons that Python decides exactly as PostgreSQL does, with keys that sort like the type. Pure.

Text is sorted by code point, because the embedded database's locale is C.UTF-8. `patterns.py` matches
patterns. PostgreSQL decides what has no exact equivalent here (regexes, ranges, arrays, the order of enums
…): see `conditions.py`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from math import isnan
from typing import Any

from prt.local.realtime.changes.decoding import values
from prt.local.realtime.changes.decoding.values import Type

Key = Callable[[str], Any]

OID, NAME, TEXT, VARCHAR, UUID = 26, 19, 25, 1043, 2950

_DATE = re.compile(r"(\d+)(-.*?)( BC)?")


def key_of(found: Type, comparison: str) -> Key | None:
    """Return a function from a value's text to a key that sorts and compares like the value.

    None if there is no such function for this type and operator.
    """
    if found.kind == "e":
        return str if comparison in ("eq", "neq", "in", "isdistinct") else None
    return _KEYS.get(found.oid)


ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def is_plain_text(found: Type) -> bool:
    """Return whether a pattern is matched against the unchanged text of a value of this type."""
    return found.oid in (TEXT, VARCHAR)


def _float(text: str) -> tuple[int, float]:
    number = float(text)
    return (1, 0.0) if isnan(number) else (0, number)  # NaN equals itself and is above all


def _numeric(text: str) -> tuple[int, Decimal]:
    return (1, Decimal(0)) if text == "NaN" else (0, Decimal(text))


def _boolean(text: str) -> bool:
    return text[0] == "t"


def _blank_padded(text: str) -> str:
    return text[:1].rstrip(" ")


def _moment(text: str) -> tuple[float, str]:
    """Return the sort key of an ISO date or time in UTC: the year as a number, and the rest as text."""
    if text.endswith("infinity"):
        return (float("inf") if text[0] != "-" else float("-inf")), ""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"no ISO date: {text}")
    year, rest, is_before_christ = int(found[1]), found[2], found[3] is not None
    return (1 - year if is_before_christ else year), rest


_KEYS: dict[int, Key] = {
    values.BOOL: _boolean,
    values.NUMERIC: _numeric,
    values.BPCHAR: _blank_padded,
    values.TIME: str,
    OID: int,
    NAME: str,
    TEXT: str,
    VARCHAR: str,
    UUID: str,
    **dict.fromkeys(values.INTEGERS, int),
    **dict.fromkeys(values.FLOATS, _float),
    **dict.fromkeys((values.DATE, values.TIMESTAMP, values.TIMESTAMPTZ), _moment),
}
