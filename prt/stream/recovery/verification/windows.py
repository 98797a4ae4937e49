"""The windows of one binding and the judgement of their rows: pure arithmetic, without clock or I/O.

All moments are in µs. Moments of rows, reads and commits are by the server's clocks; moments of our running
clock are only used for durations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from prt.events import EventType
from prt.stream.binding import BindingEvent
from prt.stream.recovery.verification.emitted import Emitted
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.values import Key

SECOND = 1_000_000
CLOCKS = 10 * SECOND
"""How far (µs) the clocks of REST's gateway and of the database may differ."""
MOST_KEPT = 1_000
"""The most suspects of one binding that wait for proof: that the user could see them, or that their operation
is published."""

Verdict = Literal["emitted", "gone", "hidden", "unproven", "lost"]
"""What a suspect turned out to be.

`emitted`: it has streamed meanwhile. `gone`: the row does not exist any more, or another one has its key.
`hidden`: policies may have hidden it when it was written. `unproven`: nothing shows yet that its operation is
published at all. `lost`: it should have streamed and did not."""


class Rules(Struct, frozen=True, kw_only=True):
    """The lengths of time of a verification, in µs.

    The stream has passed a read as soon as a change arrives that was committed later than the read by more
    than `margin`, or as soon as it has been silent for `silence`.

    Attributes:
        overlap: How far a window reaches back before the last verified time. Rows are dated by `now()`, which
            is the start of their transaction.
        margin: How much later than the read the commit of a change must be.
        silence: How long the stream must have been silent.
    """

    overlap: int = 60 * SECOND
    margin: int = 2 * SECOND
    silence: int = 15 * SECOND


class Dated(Struct, frozen=True, gc=False):
    """The key and the dates of a row that was read.

    Attributes:
        key: The key of the row.
        date: The date (µs) by which the row belongs to a window.
        created: When the row was created (µs), or None if no column shows it.
    """

    key: Key
    date: int
    created: int | None = None


class Suspect(Struct, frozen=True, kw_only=True):
    """A row that was read and had not been emitted with its date.

    Attributes:
        row: The key and the dates of the row.
        start: The start of its window (µs of the server).
        read_at: The end of its window: when the row was read (µs of the server).
        seen_at: When the row was read, in µs of our running clock.
    """

    row: Dated
    start: int
    read_at: int
    seen_at: int


class Passage(Struct, frozen=True, kw_only=True):
    """The point that the stream has reached.

    Attributes:
        last_commit: The latest commit that has arrived (µs of the server), or None.
        quiet_since: Since when no change has arrived (µs of our running clock).
        answered_at: When the server answered a heartbeat after `quiet_since` (µs of our running clock); None
            if it was not asked.
    """

    last_commit: int | None = None
    quiet_since: int = 0
    answered_at: int | None = None


class Operations(Struct):
    """The operations that have streamed, of any table: the publication has one list for all tables."""

    inserts: bool = False
    updates: bool = False
    deletes: bool = False

    @property
    def are_all_observed(self) -> bool:
        """Whether all three operations have streamed."""
        return self.inserts and self.updates and self.deletes

    def see(self, events: Collection[EventType]) -> None:
        """Note the operations of changes that streamed."""
        self.inserts |= "INSERT" in events
        self.updates |= "UPDATE" in events
        self.deletes |= "DELETE" in events

    @property
    def proves_inserts(self) -> bool:
        """Whether an inserted row that did not stream is a loss.

        It is no loss if the publication leaves out inserts. That is assumed if updates or deletes have
        streamed and no insert has. Before the first change of any kind it is not assumed, because a server
        that sends nothing at all is far more likely.
        """
        return self.inserts or not (self.updates or self.deletes)


def has_passed(suspect: Suspect, passage: Passage, rules: Rules) -> bool:
    """Return whether a change that was committed before the suspect's read can no longer be on its way."""
    if passage.last_commit is not None and passage.last_commit > suspect.read_at + rules.margin:
        return True
    if passage.answered_at is None:
        return False
    return passage.answered_at - max(passage.quiet_since, suspect.seen_at) >= rules.silence


def is_asked(row: Dated, event: BindingEvent, start: int, known: int | None) -> bool:
    """Return whether a binding asks for the event that gave the row its date.

    Args:
        row: The row as it was read. For an INSERT binding it is dated by its creation.
        event: The event that the binding asks for.
        start: The start of the window.
        known: The date that the row was emitted with before; None if it was not emitted.
    """
    if event == "UPDATE":
        # A row created within the window may be dated by its INSERT alone.
        return known is not None or (row.created is not None and row.created < min(start, row.date))
    return event != "DELETE"


def is_published(
    row: Dated, event: BindingEvent, inserted_since: int, known: int | None, seen: Operations
) -> bool:
    """Return whether it is proven that the publication contains the operation that gave the row its date.

    Args:
        row: The row as it was read.
        event: The event that the binding asks for.
        inserted_since: Rows created at or after this moment were inserted during the watch.
        known: The date that the row was emitted with before; None if it was not emitted.
        seen: The operations that have streamed.
    """
    if event == "INSERT":
        return seen.proves_inserts
    if event == "UPDATE" or known is not None:
        return seen.updates
    if row.created is None:
        return seen.proves_inserts and seen.updates
    was_updated = row.date > row.created
    was_inserted = not was_updated or row.created >= inserted_since
    return (was_inserted and seen.proves_inserts) or (was_updated and seen.updates)


def bounds_of(lost: Collection[Suspect]) -> tuple[int, int]:
    """Return the start and the end of the gap of lost rows (µs of the server).

    The gap lasts from the last verified time to the time of the read. Both are corrected by the dates of the
    rows, as far as the clocks of REST and of the database may differ.
    """
    start, first = min(one.start for one in lost), min(one.row.date for one in lost)
    end = max(max(one.read_at, one.row.date) for one in lost) + DATE_GRAIN
    return min(start, max(first, start - CLOCKS), end), end


class Windows:
    """The state of the verification of one binding, window of time by window of time.

    Attributes:
        verified_to: The moment up to which everything was verified, and where the next window begins.
        suspects: The rows of the window that may have been lost and are not judged yet.
        unproven: Rows that did not stream, perhaps because the publication leaves out their operation.
    """

    def __init__(
        self,
        event: BindingEvent,
        emitted: Emitted,
        rules: Rules,
        *,
        since: int,
        inserted_since: int,
        verified_to: int,
    ) -> None:
        """Prepare the first window. All moments are µs of the server.

        Args:
            event: The event that the binding asks for.
            emitted: The emitted rows of the table.
            rules: The lengths of time by which suspects are judged.
            since: Rows dated up to this existed before the watch, and are not judged at the first read.
            inserted_since: Rows created at or after this were inserted during the watch.
            verified_to: Where the first window begins.
        """
        self.event = event
        self.emitted = emitted
        self.rules = rules
        self.since = since
        self.inserted_since = inserted_since
        self.verified_to = verified_to
        self.was_read = False
        """Whether at least one whole window was read."""
        self.suspects: dict[Key, Suspect] = {}
        self.unproven: dict[Key, Suspect] = {}
        self.hidden: dict[Key, Suspect] = {}
        """Rows that policies may have hidden when they were written. They count as lost if other rows were
        lost then."""
        self._declared: list[tuple[int, int]] = []
        self._end: int | None = None

    @property
    def start(self) -> int:
        """The date from which on rows of the next window are read."""
        return self.verified_to - self.rules.overlap

    @property
    def gap_start(self) -> int:
        """The start of a gap that this window finds: the last verified read covers everything before."""
        return self.verified_to - (2 * DATE_GRAIN if self.was_read else 0)

    @property
    def is_settled(self) -> bool:
        """Whether the window was read to its end and all of its suspects are judged."""
        return self._end is not None and not self.suspects

    @property
    def is_read(self) -> bool:
        """Whether the window was read to its end."""
        return self._end is not None

    def process(self, rows: Iterable[Dated], *, read_at: int, now: int) -> None:
        """Find the suspects in a page of rows of the window.

        Args:
            rows: The rows of the page.
            read_at: When the page was read (µs of the server).
            now: The present moment, in µs of our running clock.
        """
        for row in rows:
            known = self.emitted.date_of(row.key)
            if self.emitted.has(row.key, row.date) or row.key in self.suspects:
                continue
            waiting = self.unproven.get(row.key) or self.hidden.get(row.key)
            if waiting is not None and waiting.row.date >= row.date:
                continue
            is_of_before = not self.was_read and row.date <= self.since
            if is_of_before or self._is_declared(row) or not is_asked(row, self.event, self.start, known):
                self.emitted.note(row.key, row.date)
                continue
            self.suspects[row.key] = Suspect(
                row=row,
                start=self.gap_start,
                read_at=read_at,
                seen_at=now,
            )

    def read_to_end(self, read_at: int) -> None:
        """Note that all rows of the window were read; it ends at the time of this read (µs of the server)."""
        self._end = read_at

    def due(self, passage: Passage) -> list[Suspect]:
        """Remove the suspects that have streamed meanwhile, and return those that the stream has passed."""
        for key, suspect in list(self.suspects.items()):
            if self.emitted.has(key, suspect.row.date):
                del self.suspects[key]
        return [one for one in self.suspects.values() if has_passed(one, passage, self.rules)]

    def judge(
        self,
        due: Iterable[Suspect],
        present: Mapping[Key, Dated],
        seen: Operations,
        *,
        is_hidden: Mapping[Key, bool],
    ) -> dict[Key, Verdict]:
        """Decide about suspects that were read a second time.

        Args:
            due: Suspects that the stream has passed.
            present: The rows among them that still exist, as they are now.
            seen: The operations that have streamed.
            is_hidden: For each row that had not been emitted before, whether policies may have hidden it when
                it was written.
        """
        verdicts: dict[Key, Verdict] = {}
        for suspect in due:
            key = suspect.row.key
            verdict = verdicts[key] = self._verdict(
                suspect, present.get(key), seen, is_hidden=is_hidden.get(key, False)
            )
            self.suspects.pop(key, None)
            if verdict in ("hidden", "unproven"):
                kept = self.hidden if verdict == "hidden" else self.unproven
                if len(kept) < MOST_KEPT:
                    kept[key] = suspect
                else:
                    self.emitted.note(key, suspect.row.date)
        return verdicts

    def confirmed(self, start: int, end: int) -> list[Suspect]:
        """Remove and return the hidden rows of a time (µs) in which other rows were lost: they count too."""
        found = [one for one in self.hidden.values() if one.start <= end and one.read_at >= start]
        for one in found:
            del self.hidden[one.row.key]
        return found

    def proven(self, seen: Operations) -> list[Suspect]:
        """Remove and return unproven suspects whose operation has streamed since: they are judged again."""
        found = [one for one in self.unproven.values() if self._is_published(one.row, seen)]
        for one in found:
            del self.unproven[one.row.key]
        return found

    def settle(self) -> None:
        """Start the next window where this one ended."""
        if self._end is None:
            raise RuntimeError("the window was not read to its end")
        self.verified_to, self._end, self.was_read = max(self._end, self.verified_to), None, True
        self._declared = [one for one in self._declared if one[1] >= self.start]
        for kept in (self.unproven, self.hidden):
            for key in [key for key, one in kept.items() if self.emitted.has(key, one.row.date)]:
                del kept[key]

    def forget_hidden(self, before: int) -> None:
        """Forget hidden rows that were read before a moment (µs): nothing was lost at the same time."""
        for key, one in list(self.hidden.items()):
            if one.read_at < before:
                self.emitted.note(key, one.row.date)
                del self.hidden[key]

    def abandon(self) -> None:
        """Start the window again, because the connection was lost."""
        self._end = None
        self.suspects.clear()

    def declared(self, start: int, end: int) -> None:
        """Note a gap that was declared for another cause: it accounts for the rows dated in it."""
        self._declared.append((start, end))

    def _is_declared(self, row: Dated) -> bool:
        return any(start <= row.date <= end for start, end in self._declared)

    def _is_published(self, row: Dated, seen: Operations) -> bool:
        known = self.emitted.date_of(row.key)
        return is_published(row, self.event, self.inserted_since, known, seen)

    def _verdict(
        self, suspect: Suspect, present: Dated | None, seen: Operations, *, is_hidden: bool
    ) -> Verdict:
        row, known = suspect.row, self.emitted.date_of(suspect.row.key)
        # A row that was created at another time, or is older, has only the key of the one that was read.
        if present is None or present.created != row.created or present.date < row.date:
            return "gone"
        if known is not None and known >= row.date:
            return "emitted"
        if known is None and is_hidden:
            return "hidden"
        return "lost" if self._is_published(row, seen) else "unproven"
