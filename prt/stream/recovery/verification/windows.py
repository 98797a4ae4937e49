"""The windows of one binding, and the judgement of their rows: pure arithmetic, without clock or I/O.

All moments are in µs. Moments of rows, reads and commits are by the server's clocks; moments of our running
clock are only used for durations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from prt.stream.binding import BindingEvent
from prt.stream.recovery.verification.emitted import Emitted
from prt.stream.recovery.verification.rules import (
    Dated,
    Operations,
    Passage,
    Rules,
    Suspect,
    has_passed,
    is_asked,
    is_published,
)
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.values import Key

MOST_KEPT = 1_000
"""The most suspects of one binding that wait for proof: that the user could see them, or that their operation
is published."""

Verdict = Literal["emitted", "gone", "hidden", "unproven", "lost"]
"""What a suspect turned out to be.

`emitted`: it has streamed meanwhile. `gone`: the row does not exist any more, or another one has its key.
`hidden`: policies may have hidden it when it was written. `unproven`: nothing shows yet that its operation is
published at all. `lost`: it should have streamed and did not."""


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
