"""JSON of rows and payloads as Python values, whatever is in it.

PostgreSQL's `numeric` has numbers that no double holds (1e400), and more digits than an int may be read
from; `jsonb` nests deeper than a stack. msgspec refuses all of them, and one such value must not end a watch.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw

_MOST_DIGITS: Final = 4300
"""Python's own bound for reading an int."""

_decode = msgspec.json.Decoder().decode
_row = msgspec.json.Decoder(dict[str, Any]).decode
_columns = msgspec.json.Decoder(dict[str, Raw]).decode


def decoded(raw: Raw | bytes) -> Any:
    """Return the value: a number that no double holds as a Decimal, what is nested too deep as its text."""
    try:
        return _decode(raw)
    except (ValueError, RecursionError):  # msgspec's and Unicode's errors are ValueErrors
        text = bytes(raw).decode(errors="replace")
    try:
        return json.loads(text, parse_float=_float, parse_int=_int)
    except (ValueError, RecursionError):
        return text


def decoded_row(raw: Raw | bytes) -> dict[str, Any]:
    """Return the values by column, each as `decoded` has it; nothing if it is not an object."""
    try:
        return _row(raw)
    except (ValueError, RecursionError):
        pass
    try:
        return {name: decoded(value) for name, value in _columns(raw).items()}
    except (ValueError, RecursionError):
        row = decoded(raw)
        return row if isinstance(row, dict) else {}


def _float(text: str) -> float | Decimal:
    value = float(text)
    return value if math.isfinite(value) else Decimal(text)


def _int(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MOST_DIGITS else Decimal(text)
