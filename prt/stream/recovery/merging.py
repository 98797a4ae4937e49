"""Rows that were read against what has streamed: which of them are news. Pure.

A row is read after the reading began. So what streamed before that is in it, whatever the columns say:
the row is the same, or newer. What streams after that is in order and has no end: of such a row
nothing needs to be told here, and telling it could only repeat it, or put it behind a newer state.
What is read is held back until the stream has had the time to deliver what was committed by then.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from prt.events import Change
from prt.stream import values
from prt.stream.rest.pages import Row, Stamp
from prt.stream.values import Key

Verdict = Literal["known", "changed", "cut", "gone before", "unknown"]
"""`cut` is a row of which the server has left out what was too large."""

UNTOUCHED = 60_000_000
"""µs by which an UPDATE's own date may lie before its commit: a transaction may take that long."""


class Known(Struct, frozen=True, gc=False):
    """The last state of a row that was told: as it streamed, or only its dates; neither if deleted."""

    number: int
    row: Raw | None = None
    stamp: Stamp | None = None

    @property
    def is_deleted(self) -> bool:
        """Return whether the row was deleted."""
        return self.row is None and self.stamp is None


class Merger:
    """The merger of one table's streamed changes with the rows read over REST.

    Changes streamed before `begin` are remembered with their rows, later ones without.
    """

    def __init__(self, key: tuple[str, ...], written: str | None = None) -> None:
        self._key = key
        self._written = written
        self._known: dict[Key, Known] = {}
        self._streamed: set[Key] = set()
        self._has_begun = False
        self.has_untouched = False
        """Whether an UPDATE came that did not touch the column that should date it."""
        self._cut: dict[Key, Raw] = {}

    def begin(self) -> None:
        """Note that rows are read from here on."""
        self._has_begun = True

    def observe(self, change: Change, number: int) -> None:
        """Every change of the table, in the order of the stream; `number` is its place there."""
        new, old = values.row_of(change.new), values.row_of(change.old)
        before, after = values.key_of(old, self._key), values.key_of(new, self._key)
        if change.event_type == "DELETE":
            after = None
        if before is not None and before != after:
            self._take(before, Known(number))
        if after is not None:
            self._take(after, Known(number, change.new))
        if change.event_type == "UPDATE" and self._written is not None and change.commit_timestamp:
            written, commit = values.moment(new.get(self._written)), values.moment(change.commit_timestamp)
            if written is not None and commit is not None and commit - written > UNTOUCHED:
                self.has_untouched = True

    def note_emitted(self, key: Key, stamp: Stamp | None, number: int) -> None:
        """A row that did not stream, deleted without a stamp; `number` changes had streamed before."""
        known = self._known.get(key)
        if known is None or known.number < number:
            self._known[key] = Known(number, stamp=stamp)

    def cut(self, row: Raw) -> None:
        """Note that a row streamed without what was too large."""
        key = values.key_of(values.row_of(row), self._key)
        if key is not None:
            self._cut[key] = row

    def still_cut(self) -> list[Key]:
        """Return the keys of the cut rows of which nothing else has come since."""
        return [key for key in self._cut if self._is_cut(key)]

    def judge(self, row: Row) -> Verdict:
        """Return what a row that was read after `begin` means."""
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
            # A row that can't be read may have changed.
            is_same = bool(emitted and read) and values.is_same_row(emitted, read)
        else:
            is_same = known.stamp == row.stamp
        return "known" if is_same else "changed"

    def has_streamed(self, key: Key) -> bool:
        """Return whether a change of the row has streamed since the reading began."""
        return key in self._streamed

    def _is_cut(self, key: Key) -> bool:
        if key not in self._cut or key in self._streamed:
            return False
        known = self._known.get(key)
        return known is None or known.row is self._cut[key]

    def _take(self, key: Key, known: Known) -> None:
        if self._has_begun:
            self._streamed.add(key)
        else:
            former = self._known.get(key)
            if former is None or former.number <= known.number:
                self._known[key] = known
