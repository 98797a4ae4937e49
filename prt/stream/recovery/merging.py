"""The comparison of rows that were read with the changes that streamed: which of the rows are new. Pure.

A row is read after the reading has begun. So what streamed before the beginning is contained in the row,
whatever the row's columns say: the row is the same as the streamed state, or newer. What streams after the
beginning comes in order and continues. Such a row must not be emitted here: it could only repeat what
streams, or come after a newer state of the row. Rows that were read are held back until the stream has had
the time to deliver what was committed when they were read.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from prt.events import Change
from prt.stream import values
from prt.stream.rest.pages import Row, Stamp
from prt.stream.values import Key

Verdict = Literal["known", "changed", "cut", "gone before", "unknown"]
"""What a row that was read means, compared with what is known of it.

`known`: nothing new, or its changes stream anyway. `changed`: it differs from its last known state. `cut`: it
streamed without the parts that were too large for the server. `gone before`: it had been deleted before.
`unknown`: nothing is known of it."""

UNTOUCHED = 60_000_000
"""µs by which the date in an UPDATE's row may lie before the commit: a transaction may take that long. A row
with an older date was updated without a change of its date column."""


class Known(Struct, frozen=True, gc=False):
    """The last known state of a row: its streamed columns, or only the dates of a row that was read.

    Attributes:
        number: The number of the change in the stream, or how many changes had streamed before the row was
            read.
        row: The row as it streamed; None if it did not stream or is deleted.
        stamp: The dates of a row that was read; None if it streamed or is deleted.
    """

    number: int
    row: Raw | None = None
    stamp: Stamp | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether the row was deleted."""
        return self.row is None and self.stamp is None


class Merger:
    """The comparison of one table's rows that are read over REST with its streamed changes.

    The rows of changes that stream before `begin` are remembered. Of later changes only the keys are.
    """

    def __init__(self, key: tuple[str, ...], written: str | None = None) -> None:
        """Start without known rows.

        Args:
            key: The columns of the table's key.
            written: The column that dates a row's last change, if there is one.
        """
        self._key = key
        self._written = written
        self._known: dict[Key, Known] = {}
        self._streamed: set[Key] = set()
        self._has_begun = False
        self.has_untouched = False
        """Whether an UPDATE came that left the date column `written` as it was."""
        self._cut: dict[Key, Raw] = {}

    def begin(self) -> None:
        """Note that rows are read from here on."""
        self._has_begun = True

    def observe(self, change: Change, number: int) -> None:
        """Note a change of the table; must be called for each one in order.

        Args:
            change: The change.
            number: Its number in the stream.
        """
        new, old = values.row_of(change.new), values.row_of(change.old)
        before, after = values.key_of(old, self._key), values.key_of(new, self._key)
        if change.event_type == "DELETE":
            after = None
        if before is not None and before != after:
            self._record(before, Known(number))
        if after is not None:
            self._record(after, Known(number, change.new))
        if change.event_type == "UPDATE" and self._written is not None and change.commit_timestamp:
            written, commit = values.moment(new.get(self._written)), values.moment(change.commit_timestamp)
            if written is not None and commit is not None and commit - written > UNTOUCHED:
                self.has_untouched = True

    def note_emitted(self, key: Key, stamp: Stamp | None, number: int) -> None:
        """Note that a row was emitted that did not come from the stream.

        Args:
            key: The key of the row.
            stamp: The dates of the row, or None if it was emitted as deleted.
            number: How many changes had streamed before.
        """
        known = self._known.get(key)
        if known is None or known.number < number:
            self._known[key] = Known(number, stamp=stamp)

    def cut(self, row: Raw) -> None:
        """Note a row that streamed without the parts that were too large for the server."""
        key = values.key_of(values.row_of(row), self._key)
        if key is not None:
            self._cut[key] = row

    def still_cut(self) -> list[Key]:
        """Return the keys of cut rows for which no later change has come."""
        return [key for key in self._cut if self._is_cut(key)]

    def judge(self, row: Row) -> Verdict:
        """Compare a row that was read after `begin` with what is known of it."""
        if row.key in self._streamed:
            return "known"
        known = self._known.get(row.key)
        if self._is_cut(row.key):
            return "cut"
        if known is None:
            return "unknown"
        if known.is_deleted:
            return "gone before"
        if known.row is not None:
            emitted, read = values.row_of(known.row), values.row_of(row.raw)
            # A row that can't be decoded may have changed.
            is_same = bool(emitted and read) and values.is_same_row(emitted, read)
        else:
            is_same = known.stamp == row.stamp
        return "known" if is_same else "changed"

    def has_streamed(self, key: Key) -> bool:
        """Return whether a change of the row with this key has streamed since `begin`."""
        return key in self._streamed

    def _is_cut(self, key: Key) -> bool:
        if key not in self._cut or key in self._streamed:
            return False
        known = self._known.get(key)
        return known is None or known.row is self._cut[key]

    def _record(self, key: Key, known: Known) -> None:
        if self._has_begun:
            self._streamed.add(key)
        else:
            former = self._known.get(key)
            if former is None or former.number <= known.number:
                self._known[key] = known
