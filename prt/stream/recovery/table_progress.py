"""The recovery progress of one table: its key, the rows emitted recently, and how far each read has come."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw, Struct

from prt.events import Change
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery.merging import UNTOUCHED, Merger
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.verification.emitted import UNDATED_SLACK, DateReader, Emitted
from prt.stream.rest.pages import CREATED, UPDATED, ReadOrder, Row, Shape, Stamp
from prt.stream.values import Key

Table = tuple[str, str]
"""(schema, table)"""

CUT_KEPT = 10_000
"""The most rows of one table that are remembered as cut by the server until they are read."""
SAME_TRANSACTION = 5_000_000
"""µs within which an INSERT and an UPDATE of a row with the same date may belong to one transaction."""


class Reached(Struct):
    """The rows up to which a binding was read in one order, by their dates in µs.

    Attributes:
        through: Rows dated up to this were emitted or noted; None if there was no dated row.
        floor: Rows dated up to this were not looked at when the latest rows were read at READY; None if all
            rows were looked at.
        is_read: Whether `through` is only the latest date of rows that were read at READY or in a snapshot,
            and not yet of rows that a recovery emitted in this order. Changes with earlier dates may then
            have been missed in a gap.
    """

    through: int | None = None
    floor: int | None = None
    is_read: bool = False


class Baseline(Struct, frozen=True, kw_only=True):
    """The rows of a table that existed at READY, as far as they were read. All moments are µs of the server.

    Attributes:
        date: When they were read.
        floor: Rows dated up to this were not all read.
        inserted_since: Rows created after this were certainly inserted during the watch.
    """

    date: int
    floor: int
    inserted_since: int


class HeldKeys:
    """The keys of the rows that a snapshot emitted, kept up to date with the stream.

    Attributes:
        keys: The keys.
        is_whole: Whether the keys of all rows are held.
    """

    def __init__(self, limit: int) -> None:
        """Start without keys; at most `limit` keys are held."""
        self._limit = limit
        self.keys: set[Key] = set()
        self.is_whole = False

    def add(self, key: Key) -> None:
        """Hold a key, or note that the limit leaves no space for it."""
        if len(self.keys) >= self._limit:
            self.is_whole = False
        else:
            self.keys.add(key)


class TableProgress:
    """The recovery progress of one table: its key and columns, emitted rows, and how far it was read.

    Emitted rows are remembered as far back as a recovery may read them again.

    Attributes:
        name: The table as `schema.table`.
        key: The key columns: given by the user, learned from the stream, or else `id`.
        shape: The key and date columns, None until the server was asked for them.
        reached: How far each binding was read in each order.
        held: The keys that a snapshot holds, None without a snapshot.
        merger: Compares read rows with the stream while rows are read, else None.
    """

    def __init__(self, table: Table, *, given_key: tuple[str, ...] | None = None) -> None:
        """Start without progress.

        Args:
            table: The schema and the name of the table.
            given_key: The key columns that the user gave, or None.
        """
        self.schema, self.table = table
        self.name = f"{self.schema}.{self.table}"
        self.key = given_key or ("id",)
        self.shape: Shape | None = None
        self.reached: dict[tuple[Binding, ReadOrder], Reached] = {}
        self.held: HeldKeys | None = None
        self.snapshots: set[Binding] = set()
        """Bindings whose rows were all read for a snapshot."""
        self.held_at: int | None = None
        """When the held keys were read (µs of the server). If a held key is inserted by a later commit, a
        DELETE is missing."""
        self.emitted: Emitted | None = None
        """The emitted rows with their dates; None unless the table is verified."""
        self.baselines: dict[Binding, Baseline] = {}
        """The rows of each binding that existed at READY; filled only if the table is verified."""
        self.has_untouched = False
        """Whether an UPDATE came that left the date column as it was."""
        self.reinserted_since: int | None = None
        """Set if a row was inserted that already existed: a DELETE that was committed after this moment (µs
        of the server) may be missing."""
        self.merger: Merger | None = None
        self._is_key_given = given_key is not None
        self._emitted_rows: dict[Key, tuple[int, Stamp | None]] = {}
        self._doubtful: set[Key] = set()
        self._cut: list[Raw] = []
        self._cut_before: list[Raw] = []
        """The rows of `_cut` that had come when the reading began."""
        self.has_cut_delete = False
        """Whether the server has cut the row of a DELETE. Such a row can't be read afterwards."""
        self._dates = DateReader(Shape(key=self.key, written=UPDATED, created=CREATED))

    @property
    def is_attentive(self) -> bool:
        """Whether the table's changes have to be passed to `observe`."""
        return self.merger is not None or self.held is not None

    def observe(self, change: Change, number: int) -> None:
        """Apply a change to the held keys, and to the comparison with the rows that are being read.

        Args:
            change: A change of this table.
            number: Its number in the stream.
        """
        if self.merger is not None:
            self.merger.observe(change, number)
        if self.held is not None:
            before = values.key_of(values.row_of(change.old), self.key)
            after = (
                None if change.event_type == "DELETE" else values.key_of(values.row_of(change.new), self.key)
            )
            if before is not None and before != after:
                self.held.keys.discard(before)
            if after is not None:
                self.held.add(after)

    def cut(self, change: Change) -> None:
        """Note a change without the parts that were too large for the server: its row has to be read."""
        if change.event_type == "DELETE":
            self.has_cut_delete = True
        elif len(self._cut) <= CUT_KEPT:
            self._cut.append(change.new)

    @property
    def has_forgotten_cuts(self) -> bool:
        """Whether more rows were cut than are remembered."""
        return len(self._cut) > CUT_KEPT

    def date_by(self, shape: Shape, memory: Memory) -> None:
        """Use these key and date columns from now on, also for the remembered changes.

        Args:
            shape: The columns.
            memory: The latest changes, whose rows are noted again if the columns are not the assumed ones.
        """
        assumed = (UPDATED, CREATED, None)
        if shape.key == self._dates.key and shape.written in assumed and self._dates.written in assumed:
            return
        self._dates = DateReader(shape)
        if self.emitted is not None:
            self.emitted.clear()
            for _, change in memory:
                if self.is_of(change):
                    self.note(change)

    def note(self, change: Change) -> None:
        """Remember the row of a change as emitted, or forget it if the change deleted it."""
        dates, emitted = self._dates, self.emitted
        if emitted is None:
            return
        if change.event_type == "DELETE":
            emitted.drop(dates.old_key(change))
            return
        key, date = dates.new(change)
        if key is None or date is None:
            return
        known = emitted.date_of(key)
        if change.event_type == "INSERT":
            self._look_for_another_insert(change, key, date, known)
        else:
            if known is None and (before := dates.old_key(change)) != key:
                emitted.drop(before)
            if not self.has_untouched and (commit := dates.commit(change)) is not None:
                age = commit - date
                self.has_untouched = age > UNTOUCHED or (known == date and age > SAME_TRANSACTION)
        emitted.note(key, date)

    def _look_for_another_insert(self, change: Change, key: Key, date: int, known: int | None) -> None:
        """Note that an INSERT came for a row that already existed, unless a snapshot has just read it."""
        if known is None and self.merger is None and self.held is not None and key in self.held.keys:
            commit = self._dates.commit(change)
            known = self.held_at if self.held_at is not None and commit and commit > self.held_at else None
            date = commit or date
        if known is not None and known < date:
            self.reinserted_since = min(known, self.reinserted_since or known)

    def streamed_since(self, memory: Memory) -> int | None:
        """Return the date (µs) after which every write of the table has streamed, or None if nothing has.

        This is the first commit that came. If a client whose clock is ahead dates the rows, the difference is
        added.
        """
        first, ahead = None, 0
        for _, change in memory:
            commit = self._dates.commit(change) if self.is_of(change) else None
            if commit is None:
                continue
            first = commit if first is None else min(first, commit)
            date = None if change.event_type == "DELETE" else self._dates.new(change)[1]
            if date is not None and date != commit + UNDATED_SLACK:
                ahead = max(ahead, date - commit)
        return None if first is None else first + ahead

    def learn_key(self, memory: Memory) -> None:
        """Learn the key columns from the changes that streamed.

        The key stays as it is if the user gave it, or if a snapshot already holds keys.
        """
        if self._is_key_given or self.held is not None:
            return
        learned = learned_key(change for _, change in memory if self.is_of(change))
        if learned is not None and set(learned) != set(self.key):
            self.key, self.shape = learned, None
            self._emitted_rows.clear()

    def open(self, shape: Shape, memory: Memory) -> Merger:
        """Start a reading: return the comparison of its rows with everything that is known of the table.

        Args:
            shape: The key and date columns of the table.
            memory: The latest changes of the stream.
        """
        self.merger = None
        memory.collect()
        merger = Merger(shape.key, shape.written)
        for key, (number, stamp) in self._emitted_rows.items():
            merger.note_emitted(key, stamp, number)
        for number, change in memory:
            if self.is_of(change):
                merger.observe(change, number)
        self._cut_before = self._cut.copy()
        for row in self._cut:
            merger.cut(row)
        merger.begin()
        self.merger = merger
        return merger

    def close(self, overlap: int) -> None:
        """End a reading, and forget emitted rows that no later recovery can read again.

        Args:
            overlap: How far (µs) a later recovery reads back before the point that it has reached.
        """
        self.merger = None
        throughs = [reached.through for reached in self.reached.values() if reached.through is not None]
        if throughs and not any(reached.is_read for reached in self.reached.values()):
            floor = min(throughs) - overlap
            self._emitted_rows = {
                key: (number, stamp)
                for key, (number, stamp) in self._emitted_rows.items()
                if (_moment(stamp) or 0) >= floor
            }

    def note_emitted(self, key: Key, stamp: Stamp | None, number: int) -> None:
        """Note that a row was emitted that did not come from the stream.

        Args:
            key: The key of the row.
            stamp: The dates of the row, or None if it was emitted as deleted.
            number: How many changes had streamed before.
        """
        self._emitted_rows[key] = (number, stamp)
        if self.emitted is not None and (moment := _moment(stamp)) is not None:
            self.emitted.note(key, moment)
        self._doubtful.discard(key)
        if self._cut:
            self._cut = [row for row in self._cut if values.key_of(values.row_of(row), self.key) != key]
        if self.merger is not None:
            self.merger.note_emitted(key, stamp, number)

    def read(self, row: Row, number: int, *, is_older: bool) -> None:
        """Note a row that was read but not emitted, so that a recovery does not emit it.

        Args:
            row: The row.
            number: How many changes had streamed before it was read.
            is_older: Whether the row is older than READY. Otherwise its change may still be on its way, or
                lost, and the next gap makes the row doubtful.
        """
        former = self._emitted_rows.get(row.key)
        if former is not None and former[1] == row.stamp:
            return
        self._emitted_rows[row.key] = (number, row.stamp)
        if not is_older:
            self._doubtful.add(row.key)

    def never_emitted(self, keys: Iterable[Key]) -> None:
        """Forget the rows with these keys: they were read at READY, and turned out to be lost."""
        for key in keys:
            self._emitted_rows.pop(key, None)

    def doubt(self, since: int) -> None:
        """Forget doubtful rows that were written since this moment (µs): the stream may have missed them."""
        for key in self._doubtful & self._emitted_rows.keys():
            if (_moment(self._emitted_rows[key][1]) or since) >= since:
                del self._emitted_rows[key]
        self._doubtful.clear()

    def recovered(self) -> None:
        """Note that a gap was recovered, and forget the cut rows that the recovery has read."""
        for reached in self.reached.values():
            reached.is_read = False
        done = set(map(id, self._cut_before))
        self._cut = [row for row in self._cut if id(row) not in done]
        self._cut_before, self.has_cut_delete = [], False

    def reached_by(self, binding: Binding, read_order: ReadOrder) -> Reached:
        """Return how far a binding was read in an order."""
        return self.reached.setdefault((binding, read_order), Reached())

    def note_reached(self, binding: Binding, read_order: ReadOrder, row: Row, date: int | None) -> None:
        """Note that a row was read for a binding, so that a later read in this order can start there.

        Args:
            binding: The binding.
            read_order: The order of reading.
            row: The row; it counts only if it has a date.
            date: The server's time of the read (µs), which limits a row's date that lies in the future; None
                if unknown.
        """
        reached, moment = self.reached_by(binding, read_order), row.moment
        if moment is not None:
            moment = moment if date is None else min(moment, date)
            if reached.through is None or moment >= reached.through:
                reached.through, reached.is_read = moment, False

    def note_snapshot(self, read_orders: Iterable[tuple[Binding, ReadOrder]], date: int | None) -> None:
        """Note that a snapshot emitted all rows, so that reads in these orders start after its last row.

        Args:
            read_orders: The bindings of the snapshot with their orders.
            date: The server's time of the snapshot (µs), or None.
        """
        moments = [
            moment for _, stamp in self._emitted_rows.values() if (moment := _moment(stamp)) is not None
        ]
        through = max(moments, default=None)
        if through is not None and date is not None:
            through = min(through, date)
        for read_order in read_orders:
            self.reached.setdefault(read_order, Reached(through=through, is_read=True))

    def is_of(self, change: Change) -> bool:
        """Return whether a change belongs to this table."""
        return change.table == self.table and change.schema == self.schema


def _moment(stamp: Stamp | None) -> int | None:
    """Return the latest date of a row (µs), or None."""
    return max((moment for moment in stamp or () if moment is not None), default=None)


def learned_key(changes: Iterable[Change]) -> tuple[str, ...] | None:
    """Return the key columns of a table as its UPDATEs and DELETEs show them, or None.

    Unless the table has `replica identity full`, `old` contains only the columns of the key. So the key is
    learned from an `old` that has fewer columns than a whole row.
    """
    width, narrowest = 0, None
    for change in changes:
        if change.errors:
            continue
        new, old = values.row_of(change.new), values.row_of(change.old)
        width = max(width, len(new))
        if change.event_type == "UPDATE" and 0 < len(old) < len(new):
            return tuple(old)
        if change.event_type == "DELETE" and old and (narrowest is None or len(old) < len(narrowest)):
            narrowest = tuple(old)
    return narrowest if narrowest is not None and len(narrowest) < width else None
