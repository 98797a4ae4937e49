"""Decoding of the JSON of rows and payloads into Python values, whatever the JSON holds.

PostgreSQL's `numeric` has numbers that no double can hold (1e400), and integers with more digits than Python
reads. `jsonb` nests deeper than the stack. msgspec refuses all of these, and one such value must not end a
watch.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw

_MOST_DIGITS: Final = 4300
"""The number of digits above which Python itself refuses to read an int."""

_decode = msgspec.json.Decoder().decode
_row = msgspec.json.Decoder(dict[str, Any]).decode
_columns = msgspec.json.Decoder(dict[str, Raw]).decode


def decoded(raw: Raw | bytes) -> Any:
    """Return the decoded value.

    A number that no double can hold becomes a Decimal. A document that is nested too deep, or is not JSON,
    becomes its text.
    """
    try:
        return _decode(raw)
    except (ValueError, RecursionError):  # msgspec's and Unicode's errors are ValueErrors
        text = bytes(raw).decode(errors="replace")
    try:
        return json.loads(text, parse_float=_float, parse_int=_int)
    except (ValueError, RecursionError):
        return text


def decoded_row(raw: Raw | bytes) -> dict[str, Any]:
    """Return the values of a JSON object by column; an empty dict if it is not an object.

    Each value is decoded as `decoded` does.
    """
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
