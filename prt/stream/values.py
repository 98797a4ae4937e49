"""Values of rows as Realtime and PostgREST print them, compared by their meaning. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw

from prt.decoding import decoded_row

Key = tuple[Any, ...]
"""The identity of a row: the comparable values of its key columns, in their order."""

_MOMENT = re.compile(r"\d{4,}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def row_of(raw: Raw) -> dict[str, object]:
    """Return a row as values by column; empty if it is not a JSON object."""
    return decoded_row(raw)


def moment(value: Any) -> int | None:
    """Convert a timestamp into µs since the epoch, in UTC if it has no zone; None for any other value."""
    if not isinstance(value, str) or not _MOMENT.match(value):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return (parsed - _EPOCH) // _MICROSECOND


def timestamp(moment_us: int) -> str:
    """Convert µs since the epoch into an RFC 3339 timestamp."""
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat()


def key_of(row: Mapping[str, Any], columns: Sequence[str]) -> Key | None:
    """Return the key of a row; None if the row lacks a key column or has null in one."""
    values = tuple(comparable(row.get(column)) for column in columns)
    return None if None in values else values


def text(value: Any) -> str:
    """Return a JSON value as a text that PostgreSQL can read."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def is_same_row(streamed: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Return whether a streamed row and a read one can be the same state.

    Only columns that both have are compared: a change lacks the columns outside of `select`, unchanged TOAST
    values, and values that were too large.
    """
    return all(is_same(value, read[column]) for column, value in streamed.items() if column in read)


def is_same(streamed: Any, read: Any) -> bool:
    """Return whether two values are equal, or only printed differently.

    The differences are timestamps, bytea without `\\x`, `char(5)` that is cut, and NaN printed as null.
    """
    if streamed == read:
        return True
    if isinstance(streamed, str) and isinstance(read, str):
        at = moment(streamed)
        if at is not None:
            return at == moment(read)
        return read == f"\\x{streamed}" or is_cut(streamed, read)
    if isinstance(streamed, list) and isinstance(read, list):
        return len(streamed) == len(read) and all(map(is_same, streamed, read))
    if isinstance(streamed, dict) and isinstance(read, dict):
        return streamed.keys() == read.keys() and is_same_row(streamed, read)
    return streamed is None and read in _NOT_FINITE


def is_cut(streamed: Any, read: Any) -> bool:
    """Return whether a streamed value is only the first character of the read one.

    Realtime cuts the values of `char(n)` and `bit(n)` so, also in arrays, composites and domains.
    """
    if isinstance(streamed, str) and isinstance(read, str):
        return len(streamed) == 1 < len(read) and read.startswith(streamed)
    if isinstance(streamed, list) and isinstance(read, list):
        return any(map(is_cut, streamed, read))
    if isinstance(streamed, dict) and isinstance(read, dict):
        return any(is_cut(value, read.get(name)) for name, value in streamed.items())
    return False


def comparable(value: Any) -> Any:
    """Return a key's value in a form in which all printed forms of it are equal."""
    if isinstance(value, str):
        at = moment(value)
        return value if at is None else timestamp(at)
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value
