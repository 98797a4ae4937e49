"""The rows of a table that were emitted recently: their keys, each with its latest emitted date."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from prt.events import Change
from prt.stream import values
from prt.stream.rest.pages import Shape
from prt.stream.values import Key

MAX_ROWS: Final = 100_000
"""The most rows that all tables remember together: about 25 MB."""
UNDATED_SLACK: Final = 60_000_000
"""µs that are added to the commit of a change which lacks the date column, to date its row. The column may be
set by a client whose clock is ahead."""


BURST_CHANGES: Final = 50_000
"""The most changes that are looked at in a burst."""
CHANGES_A_SECOND: Final = 5_000
"""The most changes a second that are looked at in the long run. Each costs about 2 µs, and a flood that is
many times faster than a hosted project can be must not wait for this."""


class Budget(Struct):
    """The limits that all tables share.

    Attributes:
        left: How many more rows may be remembered.
        changes: How many more changes may be looked at now.
        at: When `changes` was computed, in seconds of a running clock.
    """

    left: int = MAX_ROWS
    changes: float = BURST_CHANGES
    at: float = 0.0

    def allows(self, changes: int, now: float) -> bool:
        """Take changes from the budget if that many are left in it, and return whether they were.

        Args:
            changes: The number of changes to look at.
            now: The present moment, in seconds of a running clock, which refills the budget.
        """
        self.changes = min(self.changes + (now - self.at) * CHANGES_A_SECOND, BURST_CHANGES)
        self.at = now
        if self.changes < changes:
            return False
        self.changes -= changes
        return True


class Emitted:
    """The emitted rows of one table, each with the latest date that it was emitted with.

    When the budget is spent, the table forgets all of its rows. Rows dated up to `floor` (µs) can then no
    longer be judged.
    """

    def __init__(self, budget: Budget) -> None:
        """Start without rows; `budget` is shared with the other tables."""
        self._budget = budget
        self._dates: dict[Key, int] = {}
        self._latest = 0
        self.floor: int | None = None
        self.horizon: int | None = None
        """Rows dated before this moment (µs) are not remembered, because no window reaches back so far."""

    def __len__(self) -> int:
        return len(self._dates)

    def note(self, key: Key, date: int) -> None:
        """Remember that a row was emitted with this date (µs), or need not be emitted."""
        if self.horizon is not None and date < self.horizon:
            return
        known = self._dates.get(key)
        if known is None:
            if self._budget.left <= 0:
                self._overflow()
            self._budget.left -= 1
        elif known >= date:
            return
        self._dates[key] = date
        self._latest = max(self._latest, date)

    def date_of(self, key: Key) -> int | None:
        """Return the latest date (µs) that the row was emitted with, or None if it is not remembered."""
        return self._dates.get(key)

    def contains(self, key: Key) -> bool:
        """Return whether the row is remembered, with any date."""
        return key in self._dates

    def has(self, key: Key, date: int) -> bool:
        """Return whether the row was emitted with this date (µs) or a later one, or can't be judged."""
        if self.floor is not None and date <= self.floor:
            return True
        known = self._dates.get(key)
        return known is not None and known >= date

    def recent(self, count: int) -> list[Key]:
        """Return up to `count` keys of remembered rows, those that were added last."""
        return list(self._dates)[-count:]

    def drop(self, key: Key | None) -> None:
        """Forget a row that was deleted."""
        if key is not None and self._dates.pop(key, None) is not None:
            self._budget.left += 1

    def forget(self, before: int) -> None:
        """Forget the rows dated before a moment (µs), which no window reaches any more."""
        self.horizon = before
        kept = {key: date for key, date in self._dates.items() if date >= before}
        self._budget.left += len(self._dates) - len(kept)
        self._dates = kept

    def clear(self) -> None:
        """Forget all rows, as if nothing had been emitted."""
        self._budget.left += len(self._dates)
        self._dates = {}

    def skip(self, until: int) -> None:
        """Forget all rows, because changes up to this commit (µs of the server) were not looked at."""
        self.floor = max(until, self._latest, self.floor or 0)
        if self._dates:
            self.clear()

    def _overflow(self) -> None:
        self.skip(self._latest)


def _decoder(fields: dict[str, str]) -> Callable[[Raw], Any]:
    """Return a decoder of JSON rows into objects.

    Args:
        fields: The attribute of the object for each column's name.
    """
    try:
        columns = msgspec.defstruct(
            "Columns",
            [(field, Any, None) for field in fields.values()],
            rename={field: name for name, field in fields.items()},
            gc=False,
        )
    except ValueError:
        # msgspec refuses field names with a quote, a backslash or a control character.
        whole = msgspec.json.Decoder(dict[str, Any]).decode
        return lambda raw: _chosen(whole(raw), fields)
    return msgspec.json.Decoder(columns).decode


def _chosen(row: dict[str, Any], fields: dict[str, str]) -> SimpleNamespace:
    return SimpleNamespace(**{field: row.get(name) for name, field in fields.items()})


class DateReader:
    """The reader of the key and the date of a change's row, which does not decode other columns."""

    def __init__(self, shape: Shape) -> None:
        self.key, self.written = shape.key, shape.written
        dating = dict.fromkeys(name for name in (shape.written, shape.created) if name is not None)
        names = list(dict.fromkeys([*shape.key, *dating]))
        fields = {name: f"f{number}" for number, name in enumerate(names)}
        self._decode = _decoder(fields)
        self._key_fields = [fields[name] for name in shape.key]
        self._date_fields = [fields[name] for name in dating]
        self._text: object = None
        self._moment: int | None = None
        self._commit_text: str | None = None
        self._commit: int | None = None

    def new(self, change: Change) -> tuple[Key | None, int | None]:
        """Return the key and the date (µs) of the row as it is after the change.

        The key is None if the change lacks a column of it. If the change lacks the date columns, the date is
        the commit plus `UNDATED_SLACK`.
        """
        columns = self._decode(change.new)
        date = None
        for field in self._date_fields:
            value = getattr(columns, field)
            if value is not None:
                date = self._parsed(value)
                break
        if date is None:
            commit = self.commit(change)
            date = None if commit is None else commit + UNDATED_SLACK
        return self._key(columns), date

    def commit(self, change: Change) -> int | None:
        """Return when the change was committed (µs of the server), or None."""
        if change.commit_timestamp != self._commit_text:
            self._commit_text = change.commit_timestamp
            self._commit = values.moment(change.commit_timestamp)
        return self._commit

    def old_key(self, change: Change) -> Key | None:
        """Return the key that the row had before the change, or None."""
        return self._key(self._decode(change.old))

    def _key(self, columns: Any) -> Key | None:
        if len(self._key_fields) == 1:
            value = getattr(columns, self._key_fields[0])
            return None if value is None else (values.comparable(value),)
        row = {field: getattr(columns, field) for field in self._key_fields}
        return values.key_of(row, self._key_fields)

    def _parsed(self, value: object) -> int | None:
        # The rows of one statement have the same date.
        if value != self._text:
            self._text, self._moment = value, values.moment(value)
        return self._moment
