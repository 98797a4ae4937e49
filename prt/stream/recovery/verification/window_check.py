"""The check of one binding by the dates of its rows, window by window."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Gap
from prt.stream.binding import Binding
from prt.stream.recovery.backfill import Missing
from prt.stream.recovery.table_progress import Baseline, TableProgress
from prt.stream.recovery.verification.check import Check, CheckContext
from prt.stream.recovery.verification.position import running
from prt.stream.recovery.verification.reads import DateReads, PageEnd, date_columns
from prt.stream.recovery.verification.rules import Suspect, bounds_of
from prt.stream.recovery.verification.visibility import was_visible
from prt.stream.recovery.verification.windows import Windows
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.rest.pages import CREATED, KEYS_ASKED, Shape
from prt.stream.values import Key

UNDATED = "no column dates its rows"
DATED_BY_CREATION = f"no column but `{CREATED}` dates its rows"
UNTOUCHED = "an UPDATE left `{}` as it was"
TIMELESS = "REST does not say what time it is"
TOO_FAST = "changes came faster than they can be compared"


class Recheck(Struct, kw_only=True):
    """The second read of suspects: by their keys if they are few, else page by page from their first date on.

    Attributes:
        suspects: The suspects that are not judged yet, by key.
        start: The first date of a suspect (µs).
        page_end: The row after which the next page begins; None before the second page.
    """

    suspects: dict[Key, Suspect]
    start: int
    page_end: PageEnd | None = None


class WindowCheck(Check):
    """The search for rows of a binding that were not emitted, which reads only keys and dates."""

    def __init__(self, context: CheckContext, progress: TableProgress, binding: Binding) -> None:
        """Start the check of a binding.

        Args:
            context: The values that all checks share.
            progress: The recovery progress of the table.
            binding: The binding.
        """
        super().__init__(context, progress, binding)
        self.binding = binding
        self.windows: Windows | None = None
        self._reads: DateReads | None = None
        self._shape: Shape | None = None
        self._page_end: PageEnd | None = None
        self._recheck: Recheck | None = None
        self._lost: list[Suspect] = []

    @property
    def is_busy(self) -> bool:
        """Whether the window was read to its end, while some suspects are not judged yet."""
        return self.windows is not None and self.windows.is_read

    @property
    def limits(self) -> str | None:
        """The reason why only inserts are verified; None if updates are verified too."""
        shape = self._shape
        if shape is None or self.binding.event == "INSERT":
            return None
        if shape.written == shape.created:
            return DATED_BY_CREATION
        return UNTOUCHED.format(shape.written) if self.progress.has_untouched else None

    async def control(self) -> str | None:
        """Read one key, and return the column whose index the check needs."""
        if self._reads is None:
            return None
        await self._reads.one_key()
        return self._reads.columns.written

    async def read(self) -> None:
        """Read a page of the window."""
        reads = await self._ready_reads()
        if reads is None:
            return
        asked_at = self.context.recovery.rest.answered_at or 0
        windows = self._begun(asked_at)
        found = await self.requested(reads.window(windows.start, self._page_end))
        if found is None:
            return
        self.context.position.update()
        read_at = found.date or asked_at
        windows.process(found.rows, read_at=read_at, now=running())
        self._page_end = found.next
        if found.next is None:
            windows.read_to_end(read_at)
            await self.advance()

    async def advance(self) -> None:
        """Judge the suspects that the stream has passed, declare losses, and start the next window.

        The next window starts only if no suspect is left.
        """
        windows = self.windows
        if windows is None:
            return
        for suspect in windows.proven(self.context.recovery.tables.operations):
            windows.suspects[suspect.row.key] = suspect
        due = await self._due(windows)
        if due and self.context.schedule.may_request(self.name, time.monotonic()):
            await self._judge(windows, due)
        if self._lost and (not windows.suspects or self.has_waited(self._lost)):
            await self._declare(windows)
        if windows.is_settled and not self._lost:
            windows.settle()
            windows.forget_hidden(windows.verified_to - 2 * self.context.rules.overlap)
            self.verified()

    def abandon(self) -> None:
        """Start the window again."""
        self._page_end = self._recheck = None
        self._lost.clear()
        if self.windows is not None:
            self.windows.abandon()
        if self.is_given_up:
            self.windows = None

    def confirm_hidden(self, start: int, end: int) -> None:
        """Count hidden rows of a time (µs of the server) as lost, because other rows were lost then."""
        if self.windows is not None:
            self._lost += self.windows.confirmed(start, end)

    async def _ready_reads(self) -> DateReads | None:
        """Return the requests, or None if this turn was needed to learn the table's columns."""
        start, recovery = time.monotonic(), self.context.recovery
        self.progress.learn_key(recovery.tables.memory)
        is_known = self.progress.shape is not None
        try:
            shape = await recovery.tables.shape(self.progress, self.binding)
        except PrtError as exc:
            self.context.schedule.requested(self.name, start, time.monotonic())
            self.failed(exc)
            return None
        if recovery.rest.answered_at is None:
            self.give_up(TIMELESS)
            return None
        if self._reads is None or self._shape != shape:
            columns = date_columns(shape, self.binding)
            if columns is None:
                self.give_up(UNDATED)
                return None
            self._shape, self._page_end = shape, None
            self._reads = DateReads(recovery.rest, self.binding, shape, columns)
        if not is_known:
            self.context.schedule.requested(self.name, start, time.monotonic())
            return None
        return self._reads

    def _begun(self, now: int) -> Windows:
        """Return the windows, which begin with the rows that were read at READY.

        Args:
            now: Where the windows begin if no rows were read at READY (µs of the server).
        """
        if self.windows is None:
            if self.progress.emitted is None:
                raise RuntimeError("nothing is remembered of what the table emitted")
            default = Baseline(date=now, floor=now, inserted_since=now)
            baseline = self.progress.baselines.get(self.binding, default)
            self.windows = Windows(
                self.binding.event,
                self.progress.emitted,
                self.context.rules,
                since=baseline.floor,
                inserted_since=baseline.inserted_since,
                verified_to=baseline.date - 2 * DATE_GRAIN,
            )
        return self.windows

    async def _due(self, windows: Windows) -> list[Suspect]:
        suspects = windows.suspects.values()
        if not suspects or not (windows.is_read or self.has_waited(suspects)):
            return []
        await self.context.position.prove_silence(suspects)
        return windows.due(self.context.position.passage)

    async def _judge(self, windows: Windows, due: Sequence[Suspect]) -> None:
        """Read suspects a second time, in one request, and decide about those that the answer covers."""
        if self._reads is None:
            return
        recheck = self._recheck
        if recheck is None:
            first = min(suspect.row.date for suspect in due)
            recheck = self._recheck = Recheck(suspects={one.row.key: one for one in due}, start=first)
        by_key = len(recheck.suspects) <= KEYS_ASKED and recheck.page_end is None
        request = (
            self._reads.rows(list(recheck.suspects))
            if by_key
            else self._reads.window(recheck.start, recheck.page_end)
        )
        found = await self.requested(request)
        if found is None:
            return
        self.context.position.update()
        present = {row.key: row for row in found.rows if row.key in recheck.suspects}
        is_over = by_key or found.next is None
        judged = [one for key, one in recheck.suspects.items() if is_over or key in present]
        hidden = await self._hidden(windows, [key for key in present if not windows.emitted.contains(key)])
        verdicts = windows.judge(judged, present, self.context.recovery.tables.operations, is_hidden=hidden)
        self._lost += [one for one in judged if verdicts[one.row.key] == "lost"]
        for one in judged:
            del recheck.suspects[one.row.key]
        recheck.page_end = found.next
        if is_over:
            self._recheck = None

    async def _hidden(self, windows: Windows, unknown: Sequence[Key]) -> dict[Key, bool]:
        """Return which rows policies may have hidden from this user when they were written."""
        reads, rest = self._reads, self.context.recovery.rest
        if reads is None or rest.user is None or rest.passes_row_security:
            return {}
        hidden = dict.fromkeys(unknown, True)
        seen = [*windows.hidden, *windows.emitted.recent(KEYS_ASKED)][-KEYS_ASKED:]
        try:
            for start in range(0, len(unknown), KEYS_ASKED):
                some = unknown[start : start + KEYS_ASKED]
                public = await self.paced(reads.public_keys(some))
                private = [key for key in some if key not in public]
                rows = await self.paced(reads.whole_rows(private)) if private else {}
                known = await self.paced(reads.whole_rows(seen)) if seen and rows else {}
                for key in some:
                    row = rows.get(key)
                    is_shown = row is not None and was_visible(
                        row, list(known.values()), user=rest.user, key=reads.key
                    )
                    hidden[key] = not (key in public or is_shown)
        except (TimeoutError, PrtError):
            pass  # rows that may have been hidden don't count as lost
        return hidden

    async def _declare(self, windows: Windows) -> None:
        """Emit the rows that were lost, and their gap."""
        lost, self._lost = self._lost, []
        start, end = bounds_of(lost)
        gap = Gap(
            at=wall_clock(),
            start=start,
            end=end,
            tables=[self.progress.name],
            cause=cause_of(len(lost)),
            losses=len(lost),
        )

        def still_lost() -> Missing:
            keys = [one.row.key for one in lost if not windows.emitted.has(one.row.key, one.row.date)]
            return Missing(rows={self.binding: keys})

        try:
            closed = await self.context.recovery.bring_back(gap, still_lost, self.context.put)
        except asyncio.CancelledError:
            # Without this, rows that were emitted already would have no gap.
            if still_lost():
                cause = f"{gap.cause}; the connection was lost before they were all recovered"
                self.context.put(replace(gap, at=wall_clock(), cause=cause))
            raise
        finally:
            for one in lost:
                windows.emitted.note(one.row.key, one.row.date)
        if closed is not None:
            self.context.put(replace(closed, at=wall_clock()))
            self.context.on_loss(closed.start, closed.end)


def cause_of(count: int) -> str:
    """Return the cause of a gap in words, with the number of lost rows."""
    rows = "1 row" if count == 1 else f"{count:,} rows"
    return f"{rows} never came over the stream, as a comparison with the table shows"
