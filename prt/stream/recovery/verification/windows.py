"""The windows of one binding and the judgement of their rows: pure arithmetic, without clock or I/O.

All moments are in µs. Moments of rows, reads and commits are the server's; only durations are ours.
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
"""How far the clocks of REST's gateway and of the database may differ."""
MOST_KEPT = 1_000
"""Suspects of one binding that wait for proof: that they were visible, or their operation is published."""

Verdict = Literal["emitted", "gone", "hidden", "unproven", "lost"]
"""What a suspect turned out to be. *Unproven*: nothing shows yet that its operation is published at all."""


class Rules(Struct, frozen=True, kw_only=True):
    """The lengths of time of a verification, in µs.

    `overlap` is how far a window reaches back before the last verified time, because `now()` is the start
    of a transaction. The stream has passed a read when a change has arrived that was committed later than
    the read by more than `margin`, or when it has been silent for `silence`.
    """

    overlap: int = 60 * SECOND
    margin: int = 2 * SECOND
    silence: int = 15 * SECOND


class Dated(Struct, frozen=True, gc=False):
    """Key and dates of a row that was read; `date` is that of the column which the window goes by."""

    key: Key
    date: int
    created: int | None = None


class Suspect(Struct, frozen=True, kw_only=True):
    """A row that was read and not emitted.

    `start` and `read_at` are the bounds of its window, `seen_at` is when it was read by our running clock.
    """

    row: Dated
    start: int
    read_at: int
    seen_at: int


class Passage(Struct, frozen=True, kw_only=True):
    """How far the stream has come.

    `last_commit` is the latest commit that has arrived. No change has arrived since `quiet_since`, and the
    server answered a heartbeat at `answered_at`, if it was asked since (both by our running clock).
    """

    last_commit: int | None = None
    quiet_since: int = 0
    answered_at: int | None = None


class Operations(Struct):
    """Which operations have streamed, of any table: all tables share the publication's list of them."""

    inserts: bool = False
    updates: bool = False
    deletes: bool = False

    @property
    def are_all_seen(self) -> bool:
        """Whether there is nothing left to be learned."""
        return self.inserts and self.updates and self.deletes

    def see(self, events: Collection[EventType]) -> None:
        """Note which kinds of changes have streamed."""
        self.inserts |= "INSERT" in events
        self.updates |= "UPDATE" in events
        self.deletes |= "DELETE" in events

    @property
    def proves_inserts(self) -> bool:
        """Whether a row that was inserted would have streamed.

        A publication without inserts shows by its other operations; before the first change of any kind
        it is far less likely than a server that sends nothing.
        """
        return self.inserts or not (self.updates or self.deletes)


def has_passed(suspect: Suspect, passage: Passage, rules: Rules) -> bool:
    """Return whether a change that was committed before the read can't be still on its way."""
    if passage.last_commit is not None and passage.last_commit > suspect.read_at + rules.margin:
        return True
    if passage.answered_at is None:
        return False
    return passage.answered_at - max(passage.quiet_since, suspect.seen_at) >= rules.silence


def is_asked(row: Dated, event: BindingEvent, start: int, known: int | None) -> bool:
    """Return whether a binding asks for the event that dated the row.

    Args:
        row: The row as it was read; for an INSERT binding it is dated by its creation.
        event: What the binding asks for.
        start: Where the window starts.
        known: The date that the row was emitted with before, None if it was not.
    """
    if event == "UPDATE":
        # A row created within the window may be dated by its INSERT alone.
        return known is not None or (row.created is not None and row.created < min(start, row.date))
    return event != "DELETE"


def is_published(
    row: Dated, event: BindingEvent, inserted_since: int, known: int | None, seen: Operations
) -> bool:
    """Return whether the publication is proven to publish the kind of write that dated the row.

    What was created from `inserted_since` on was inserted during the watch.
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
    """Return where the gap of lost rows begins and ends (µs of the server).

    It runs from the last verified time to the time of the read. The dates of its rows correct both, as far
    as the clocks of REST and of the database may differ.
    """
    start, first = min(one.start for one in lost), min(one.row.date for one in lost)
    end = max(max(one.read_at, one.row.date) for one in lost) + DATE_GRAIN
    return min(start, max(first, start - CLOCKS), end), end


class Windows:
    """The verification of one binding: which window is next, and which of its rows are suspects.

    Rows dated up to `since` were there before the watch and are not judged at the first read; those created
    from `inserted_since` on were not. The first window begins at `verified_to`. All are the server's time.
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
        self.event = event
        self.emitted = emitted
        self.rules = rules
        self.since = since
        self.inserted_since = inserted_since
        self.verified_to = verified_to
        self.was_read = False
        """Whether a whole window was read before."""
        self.suspects: dict[Key, Suspect] = {}
        self.unproven: dict[Key, Suspect] = {}
        self.hidden: dict[Key, Suspect] = {}
        """Rows that policies may have hidden when they were written, unless other rows were lost then."""
        self._declared: list[tuple[int, int]] = []
        self._end: int | None = None

    @property
    def start(self) -> int:
        """The date from which on the next window reads rows."""
        return self.verified_to - self.rules.overlap

    @property
    def gap_start(self) -> int:
        """Return where a gap of this window begins: the last verified read had what was committed before."""
        return self.verified_to - (2 * DATE_GRAIN if self.was_read else 0)

    @property
    def is_settled(self) -> bool:
        """Whether the window was read to its end and no suspect of it is left."""
        return self._end is not None and not self.suspects

    @property
    def is_read(self) -> bool:
        """Whether the window was read to its end."""
        return self._end is not None

    def take(self, rows: Iterable[Dated], *, read_at: int, now: int) -> None:
        """Judge a page of rows of the window that was read at `read_at`; `now` is our running clock."""
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
        """Note that no row of the window is left to be read."""
        self._end = read_at

    def due(self, passage: Passage) -> list[Suspect]:
        """Return the suspects that the stream has passed, and let those go that it has brought."""
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
            present: The rows among them that are still there.
            seen: The operations that have streamed.
            is_hidden: Whether policies may have hidden the row when it was written, for the rows that are
                not known to have been visible before.
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
        """Take out rows that may have been hidden, because others were lost between two moments (µs)."""
        found = [one for one in self.hidden.values() if one.start <= end and one.read_at >= start]
        for one in found:
            del self.hidden[one.row.key]
        return found

    def proven(self, seen: Operations) -> list[Suspect]:
        """Take out the suspects whose operation is now known to be published, to be judged again."""
        found = [one for one in self.unproven.values() if self._is_published(one.row, seen)]
        for one in found:
            del self.unproven[one.row.key]
        return found

    def settle(self) -> None:
        """Begin the next window where this one ended."""
        if self._end is None:
            raise RuntimeError("the window was not read to its end")
        self.verified_to, self._end, self.was_read = max(self._end, self.verified_to), None, True
        self._declared = [one for one in self._declared if one[1] >= self.start]
        for kept in (self.unproven, self.hidden):
            for key in [key for key, one in kept.items() if self.emitted.has(key, one.row.date)]:
                del kept[key]

    def forget_hidden(self, before: int) -> None:
        """Let hidden rows be that were read before a moment (µs): nothing was lost with them."""
        for key, one in list(self.hidden.items()):
            if one.read_at < before:
                self.emitted.note(key, one.row.date)
                del self.hidden[key]

    def abandon(self) -> None:
        """Read the window anew: the connection was lost meanwhile."""
        self._end = None
        self.suspects.clear()

    def declared(self, start: int, end: int) -> None:
        """Note a gap that was declared for another cause: what is missing in it is accounted for."""
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
        if present is None:
            return "gone"
        if known is not None and known >= row.date:
            return "emitted"
        if known is None and is_hidden:
            return "hidden"
        return "lost" if self._is_published(row, seen) else "unproven"
