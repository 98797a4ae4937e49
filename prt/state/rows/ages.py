"""Which of two states of a row is the later one, as far as their own dates tell. Pure.

The stream's changes come in the order of their commits, and nothing compares them with each other: by
`updated_at`, which is a transaction's start, they could run backwards. A row that was read is another
matter: it may be older than what has streamed, or newer, whichever came here first.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from prt.stream import values

CURSORS = ("updated_at", "created_at")
"""Columns that date a row, the telling one first."""

_MILLISECOND = 1_000
"""µs: commits are cut to milliseconds on the wire."""

_NONE = Raw()


class _Dates(Struct):
    updated_at: Raw = _NONE
    created_at: Raw = _NONE


_dates_of = msgspec.json.Decoder(_Dates).decode


def dated(row: bytes | Raw) -> int | None:
    """Return when the row was written by its own date (µs); None if no column dates it."""
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
    """Whether a row that was read is later than a change of the stream, of which None is a DELETE.

    Only if its transaction began after the change was committed: an earlier one may have waited for the
    change, or the change for it. Where its date is not later than the change's own, dates tell nothing.
    """
    at, committed = dated(read), None if commit is None else values.moment(commit)
    if at is None or committed is None or at // _MILLISECOND <= committed // _MILLISECOND:
        return False
    own = None if streamed is None else dated(streamed)
    return own is None or at > own
