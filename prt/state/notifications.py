"""The notifications of one user, read from the rows of a table.

Tables have different columns; of each kind, the first one that a row has is used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from prt.decoding import decoded, decoded_row
from prt.events import Change, Event
from prt.state.conditions.matching import Matching
from prt.state.rows.present import KeyColumns, Present, assume_id, key_of, values_of
from prt.stream.values import moment

READ = ("read_at", "seen_at", "is_read", "read", "seen")
"""Columns that mark a notification as read, by a time or by true."""
TITLE = ("title", "subject", "name")
MESSAGE = ("message", "body", "content", "text", "description")
KIND = ("type", "kind", "severity", "level", "category")
CREATED = ("created_at", "inserted_at", "sent_at")

KEPT = 2_000
"""How many notifications are kept."""
REMEMBERED = 20_000
"""How many keys of the user's rows are remembered."""


class Notification(Struct, frozen=True, kw_only=True):
    """A notification. `at` is when it was written (µs), or when it arrived if its row has no date."""

    key: str
    kind: str
    title: str
    message: str
    at: int
    is_read: bool


class Notifications:
    """The notifications of one table; beyond KEPT, the oldest are dropped."""

    def __init__(
        self, schema: str = "public", table: str = "notifications", key_columns: KeyColumns = assume_id
    ) -> None:
        self._present = Present(schema, table, key_columns, limit=KEPT)
        self._read: dict[bytes, tuple[bytes, Notification]] = {}
        self._came_at: dict[bytes, int] = {}
        self._newest: list[Notification] | None = []

    def apply(self, event: Event) -> None:
        """Apply an event; only changes have an effect."""
        if not isinstance(event, Change):
            return
        turn = self._present.apply(event)
        if turn is not None:
            self._came_at.setdefault(turn.key, event.at)
            self._newest = None

    def row(self, key: str) -> bytes | None:
        """Return the row of a notification as raw JSON; None if the notification is gone."""
        return next((row for row, one in self._read.values() if one.key == key), None)

    def newest(self) -> list[Notification]:
        """Return the unread notifications, then those that were read, the newest of each first."""
        if self._newest is None:
            rows, former, came_at = self._present.rows, self._read, self._came_at
            self._came_at = {key: came_at[key] for key in rows}
            self._read = {
                key: former[key]
                if key in former and former[key][0] is row
                else (row, notification_of(key, row, came_at[key]))
                for key, row in rows.items()
            }
            found = (one for _, one in self._read.values())
            self._newest = sorted(found, key=lambda one: (one.is_read, -one.at))
        return self._newest


class Own(Matching):
    """A filter for the changes of one user's rows, because the server can't filter DELETEs.

    A DELETE mostly has only the key of the row, so only rows that arrived before are known to be the user's.
    The caller sets `user` as soon as the user is known.
    """

    def __init__(
        self,
        column: str,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        *,
        key: tuple[str, ...] = ("id",),
    ) -> None:
        super().__init__(include, exclude)
        self._column = (column,)
        self.user = ""
        self._key = key
        self._seen: OrderedDict[bytes | None, None] = OrderedDict()

    def __bool__(self) -> bool:
        return True

    def keeps(self, event: Event) -> bool:
        """Return whether an event is about the user's own rows and passes the patterns."""
        return not (isinstance(event, Change) and not self._is_own(event)) and super().keeps(event)

    def _is_own(self, change: Change) -> bool:
        is_gone = change.event_type == "DELETE"
        row = change.old if is_gone else change.new
        key = key_of(row, self._key)
        (owner,) = values_of(row, self._column) or (None,)
        is_own = key in self._seen if owner is None and is_gone else self._is_user(owner)
        if is_gone:
            self._seen.pop(key, None)
        elif is_own:
            self._seen[key] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return is_own

    def _is_user(self, owner: bytes | None) -> bool:
        """Return whether a row belongs to the user; a row without the column was filtered by the server."""
        return owner is None or shown(decoded(owner)) == self.user


def is_new_notification(event: Event) -> bool:
    """Return whether an event is a new notification, which may have been delayed by a gap."""
    return isinstance(event, Change) and event.event_type == "INSERT" and event.source != "snapshot"


def notification_of(key: bytes, raw: bytes, at: int) -> Notification:
    """Return the notification in a row; `at` (µs) dates it if the row has no date."""
    row = decoded_row(raw)
    written = next((found for name in CREATED if (found := moment(row.get(name))) is not None), at)
    return Notification(
        key=", ".join(shown(value) for value in decoded(b"[" + key + b"]")),
        kind=_first(row, KIND),
        title=_first(row, TITLE),
        message=_first(row, MESSAGE),
        at=written,
        is_read=is_read(row),
    )


def is_read(row: Mapping[str, Any]) -> bool:
    """Return whether a row is marked as read."""
    column = read_column(row)
    return column is not None and bool(row[column])


def read_column(row: Mapping[str, Any]) -> str | None:
    """Return the column that marks a row as read; None if there is none."""
    return next((name for name in READ if name in row), None)


def shown(value: Any) -> str:
    """Return a JSON value as text without quotes; empty for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((text for name in names if (text := shown(row.get(name)))), "")
