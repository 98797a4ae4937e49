"""The metas of a presence: who it is, where and since when. Clients can track any keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from prt.state.rows.difference import LONGEST, Cell

Meta = Mapping[str, Any]

REF: Final = "presence_ref"
"""The key that identifies a connection's meta; the server adds it."""

USER: Final = (
    *("name", "full_name", "fullName", "display_name", "displayName", "username", "user_name", "userName"),
    *("email", "user_email", "user_id", "userId", "uid", "user"),
)
"""Columns that name a person; names come before ids."""

WHERE: Final = ("location", "page", "path", "pathname")
SINCE: Final = ("online_at", "onlineAt", "joined_at", "joinedAt")
ABSENT: Final = "–"

_MISSING: Final = object()
_OF_A_USER: Final = (*USER[:-1], "id")
_MILLISECONDS: Final = 100_000_000_000
"""Greater numbers are times in milliseconds, because in seconds they would be years after 5000."""
_SECOND: Final = 1_000_000
_LATEST: Final = 253_402_300_800  # the year 10000


def tracked(meta: Meta) -> dict[str, Any]:
    """Return a meta without the server's own key, as its client tracked it."""
    return {column: value for column, value in meta.items() if column != REF}


def user_of(metas: Iterable[Meta]) -> str:
    """Return the name of the user from the first meta that has one; empty if none has."""
    for meta in metas:
        for column in USER:
            value = meta.get(column)
            if isinstance(value, Mapping):
                value = next((value[name] for name in _OF_A_USER if _is_plain(value.get(name))), None)
            if _is_plain(value):
                return value_text(value)
    return ""


def where_of(metas: Sequence[Meta]) -> str:
    """Return the places of all connections, each once."""
    for column in WHERE:
        if any(column in meta for meta in metas):
            return joined_values(metas, column)
    return ""


def since_of(metas: Iterable[Meta]) -> int | None:
    """Return the earliest time (µs) in the metas, which can be timestamps, seconds or milliseconds."""
    times = [time for meta in metas for column in SINCE if (time := _time(meta.get(column))) is not None]
    return min(times, default=None)


def joined_values(metas: Iterable[Meta], column: str) -> str:
    """Return the values of one column, each once, the newest connection's first."""
    values = dict.fromkeys(value_text(meta[column]) for meta in metas if column in meta)
    return _cut(", ".join(reversed(values)))


def value_text(value: Any) -> str:
    """Return a string as it is, and any other value as JSON, cut to LONGEST characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _cut(text)


def differences(before: Meta, after: Meta) -> tuple[Cell, ...]:
    """Return the columns that differ, in the order of `after`; a missing value is a dash."""
    columns = dict.fromkeys((*after, *before))
    return tuple(
        Cell(
            column,
            value_text(before[column]) if column in before else ABSENT,
            value_text(after[column]) if column in after else ABSENT,
        )
        for column in columns
        if column != REF and before.get(column, _MISSING) != after.get(column, _MISSING)
    )


def _is_plain(value: Any) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    )


def _time(value: Any) -> int | None:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        seconds = moment.timestamp()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > _MILLISECONDS else value
    else:
        return None
    return round(seconds * _SECOND) if 0 < seconds < _LATEST else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
