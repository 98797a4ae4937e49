"""Which of two states of a row is newer, judged by the dates in the row. Pure.

Changes of the stream come in the order of their commits and are never compared: `updated_at` is the start of
a transaction, so it could order them wrongly. A row that was read can be older or newer than the stream's.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from prt.stream import values

CURSORS = ("updated_at", "created_at")
"""Columns that date a row; `updated_at` has priority."""

_MILLISECOND = 1_000
"""The precision of commit timestamps on the wire (µs)."""

_NONE = Raw()


class _Dates(Struct):
    updated_at: Raw = _NONE
    created_at: Raw = _NONE


_dates_of = msgspec.json.Decoder(_Dates).decode


def dated(row: bytes | Raw) -> int | None:
    """Return when a row was written by its own date (µs); None if no column dates it."""
    try:
        dates = _dates_of(row)
        for value in (dates.updated_at, dates.created_at):
            moment = values.moment(msgspec.json.decode(value)) if bytes(value) else None
            if moment is not None:
                return moment
    except (msgspec.DecodeError, RecursionError):
        return None
    return None


def is_newer(read: bytes | Raw, commit: str | None, streamed: bytes | Raw | None) -> bool:
    """Return whether a row that was read is newer than a change of the stream.

    It is only if its transaction began after the change was committed: an earlier transaction may have waited
    for the change, or the change for it. If the row's date isn't later than the change's own, nothing is
    known.

    Args:
        read: The row that was read.
        commit: The commit timestamp of the change, or None.
        streamed: The row of the change; None for a DELETE.
    """
    at, committed = dated(read), None if commit is None else values.moment(commit)
    if at is None or committed is None or at // _MILLISECOND <= committed // _MILLISECOND:
        return False
    own = None if streamed is None else dated(streamed)
    return own is None or at > own
