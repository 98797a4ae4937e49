"""Recovery state of one table: its key, the rows emitted recently, and how far each read has come."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw, Struct

from prt.events import Change
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery.merging import UNTOUCHED, Merger
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.verification.emitted import UNDATED_SLACK, DateReader, Emitted
from prt.stream.rest.pages import CREATED, UPDATED, Road, Row, Shape, Stamp
from prt.stream.values import Key

Table = tuple[str, str]
"""(schema, table)"""

CUT_KEPT = 10_000
"""Rows of one table that the server cut, until they are read."""
SAME_TRANSACTION = 5_000_000
"""µs within which an INSERT and an UPDATE of a row with the same date may belong to one transaction."""


class Place(Struct):
    """How far a road has been told: rows dated up to `through` (µs, None where there was none).

    Rows that were there before, and are remembered, are dated after `floor`. Until a recovery has come
    this way, `is_read` says that this is but the latest date of rows that were read, in another order
    or not to be told: what a gap took since may be dated before.
    """

    through: int | None = None
    floor: int | None = None
    is_read: bool = False


class Baseline(Struct, frozen=True, kw_only=True):
    """The rows that were there at READY, as far as they are remembered. All in µs of the server.

    They were read at `date`; those dated up to `floor` are not remembered. What was created after
    `inserted_since` was certainly inserted during the watch.
    """

    date: int
    floor: int
    inserted_since: int


class HeldKeys:
    """The keys that a snapshot showed, kept up to date by the stream. `is_whole` where no row is missing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.keys: set[Key] = set()
        self.is_whole = False

    def add(self, key: Key) -> None:
        """Hold a key, or note that there is no room for all of them."""
        if len(self.keys) >= self._limit:
            self.is_whole = False
        else:
            self.keys.add(key)


class Ledger:
    """Told rows are kept as far back as they can be read again."""

    def __init__(self, table: Table, *, given_key: tuple[str, ...] | None = None) -> None:
        self.schema, self.table = table
        self.name = f"{self.schema}.{self.table}"
        self.key = given_key or ("id",)
        self.shape: Shape | None = None
        self.places: dict[tuple[Binding, Road], Place] = {}
        self.held: HeldKeys | None = None
        self.snapshots: set[Binding] = set()
        """Whose rows were all read for a snapshot."""
        self.held_at: int | None = None
        """When the held keys were read (µs of the server): an INSERT of one of them that was committed later
        shows that a DELETE is missing."""
        self.emitted: Emitted | None = None
        """Set if the rows of the table are verified."""
        self.baselines: dict[Binding, Baseline] = {}
        """What of the table's present rows was read at READY, if they are verified."""
        self.has_untouched = False
        """Whether an UPDATE came that did not touch the column that should date it."""
        self.reinserted_since: int | None = None
        """Since when (µs of the server) the DELETE of a row may be missing that was inserted another time."""
        self.merger: Merger | None = None
        self._is_key_given = given_key is not None
        self._told: dict[Key, tuple[int, Stamp | None]] = {}
        self._doubtful: set[Key] = set()
        self._cut: list[Raw] = []
        self._cut_before: list[Raw] = []
        """Those of them that had come when the reading began."""
        self.has_cut_delete = False
        """Whether the server has left out a part of a row that was deleted, which nobody can read."""
        self._dates = DateReader(Shape(key=self.key, written=UPDATED, created=CREATED))

    @property
    def is_attentive(self) -> bool:
        """Whether changes have to be looked at as they come."""
        return self.merger is not None or self.held is not None

    def observe(self, change: Change, number: int) -> None:
        """A change of this table."""
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
        """Note a change without what was too large: its row has to be read."""
        if change.event_type == "DELETE":
            self.has_cut_delete = True
        elif len(self._cut) <= CUT_KEPT:
            self._cut.append(change.new)

    @property
    def has_forgotten_cuts(self) -> bool:
        """Whether more rows were cut than are kept."""
        return len(self._cut) > CUT_KEPT

    def date_by(self, shape: Shape, memory: Memory) -> None:
        """Read keys and dates by these columns from now on, and those of the changes that are remembered."""
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
        """Note that a row is inserted that was there already, if a snapshot has not just shown it."""
        if known is None and self.merger is None and self.held is not None and key in self.held.keys:
            commit = self._dates.commit(change)
            known = self.held_at if self.held_at is not None and commit and commit > self.held_at else None
            date = commit or date
        if known is not None and known < date:
            self.reinserted_since = min(known, self.reinserted_since or known)

    def streamed_since(self, memory: Memory) -> int | None:
        """Return the date (µs) after which every write of the table has streamed, or None if nothing has.

        That is the first commit that came, later by as much as a client's clock is ahead which dates rows.
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
        """Learn the key from what has streamed, unless it was given, or rows are held by the assumed one."""
        if self._is_key_given or self.held is not None:
            return
        learned = learned_key(change for _, change in memory if self.is_of(change))
        if learned is not None and set(learned) != set(self.key):
            self.key, self.shape = learned, None
            self._told.clear()

    def open(self, shape: Shape, memory: Memory) -> Merger:
        """Rows will be read now."""
        self.merger = None
        memory.collect()
        merger = Merger(shape.key, shape.written)
        for key, (number, stamp) in self._told.items():
            merger.told(key, stamp, number)
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
        """The reading is over: forgets what can't be read again."""
        self.merger = None
        throughs = [place.through for place in self.places.values() if place.through is not None]
        if throughs and not any(place.is_read for place in self.places.values()):
            floor = min(throughs) - overlap
            self._told = {
                key: (number, stamp)
                for key, (number, stamp) in self._told.items()
                if (_moment(stamp) or 0) >= floor
            }

    def told(self, key: Key, stamp: Stamp | None, number: int) -> None:
        """A row that did not stream; without a stamp it is deleted."""
        self._told[key] = (number, stamp)
        if self.emitted is not None and (moment := _moment(stamp)) is not None:
            self.emitted.note(key, moment)
        self._doubtful.discard(key)
        if self._cut:
            self._cut = [row for row in self._cut if values.key_of(values.row_of(row), self.key) != key]
        if self.merger is not None:
            self.merger.told(key, stamp, number)

    def read(self, row: Row, number: int, *, is_older: bool) -> None:
        """A row that isn't told: unless it is older than READY, its change may be under way, or lost."""
        told = self._told.get(row.key)
        if told is not None and told[1] == row.stamp:
            return
        self._told[row.key] = (number, row.stamp)
        if not is_older:
            self._doubtful.add(row.key)

    def never_emitted(self, keys: Iterable[Key]) -> None:
        """Forget rows that were read at READY and turned out to be lost."""
        for key in keys:
            self._told.pop(key, None)

    def doubt(self, since: int) -> None:
        """The stream may have missed what was written since then, whoever has read it."""
        for key in self._doubtful & self._told.keys():
            if (_moment(self._told[key][1]) or since) >= since:
                del self._told[key]
        self._doubtful.clear()

    def recovered(self) -> None:
        """Note that the gap is closed, and forget the cut rows that it has accounted for."""
        for place in self.places.values():
            place.is_read = False
        done = set(map(id, self._cut_before))
        self._cut = [row for row in self._cut if id(row) not in done]
        self._cut_before, self.has_cut_delete = [], False

    def place(self, binding: Binding, road: Road) -> Place:
        """Return how far a read of a binding in one order has come."""
        return self.places.setdefault((binding, road), Place())

    def came_to(self, binding: Binding, road: Road, row: Row, date: int | None) -> None:
        """A row of the road was told; a date in the server's future is no place."""
        place, moment = self.place(binding, road), row.moment
        if moment is not None:
            moment = moment if date is None else min(moment, date)
            if place.through is None or moment >= place.through:
                place.through, place.is_read = moment, False

    def told_all(self, roads: Iterable[tuple[Binding, Road]], date: int | None) -> None:
        """A whole snapshot was told, and with it all that these roads lead to."""
        moments = [moment for _, stamp in self._told.values() if (moment := _moment(stamp)) is not None]
        through = max(moments, default=None)
        if through is not None and date is not None:
            through = min(through, date)
        for road in roads:
            self.places.setdefault(road, Place(through=through, is_read=True))

    def is_of(self, change: Change) -> bool:
        """Return whether a change is of this table."""
        return change.table == self.table and change.schema == self.schema


def _moment(stamp: Stamp | None) -> int | None:
    """The latest date of a row."""
    return max((moment for moment in stamp or () if moment is not None), default=None)


def learned_key(changes: Iterable[Change]) -> tuple[str, ...] | None:
    """The columns of `old` where an UPDATE or DELETE carries fewer than a row has."""
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
