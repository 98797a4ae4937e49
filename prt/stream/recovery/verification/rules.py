"""The rules by which a row that did not stream is a loss, and the values that they need. Pure.

All moments are in µs. Moments of rows, reads and commits are by the server's clocks; moments of our running
clock are only used for durations.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from prt.events import EventType
from prt.stream.binding import BindingEvent
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.values import Key

SECOND = 1_000_000
CLOCKS = 10 * SECOND
"""How far (µs) the clocks of REST's gateway and of the database may differ."""


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
