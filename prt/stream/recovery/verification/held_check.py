"""The check that compares the keys of a snapshot with the rows of its table, page by page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Gap
from prt.stream.binding import Binding
from prt.stream.recovery.backfill import Missing
from prt.stream.recovery.table_progress import HeldKeys, TableProgress
from prt.stream.recovery.verification.check import Check, CheckContext
from prt.stream.recovery.verification.held_keys import Differences, HeldComparison
from prt.stream.recovery.verification.position import running
from prt.stream.recovery.verification.reads import KeyReads
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.rest.pages import KEYS_ASKED
from prt.stream.values import Key

NOT_WHOLE = "its snapshot is not whole"


class HeldCheck(Check):
    """The search for held keys without a row, and for new rows of a table whose rows no column dates."""

    def __init__(self, context: CheckContext, progress: TableProgress, bindings: Sequence[Binding]) -> None:
        """Start the check of a table.

        Args:
            context: The values that all checks share.
            progress: The recovery progress of the table, which has the held keys.
            bindings: The bindings of the table whose rows the snapshot has read.
        """
        super().__init__(context, progress, ("held", progress.schema, progress.table))
        self.bindings = list(bindings)
        self._comparison: HeldComparison | None = None
        self._reads: list[KeyReads] = []
        self._turn = 0
        """The index of the binding that is being read."""
        self._behind: Key | None = None
        self._lost = Differences([], [])

    def add(self, binding: Binding) -> None:
        """Add another binding of the table, whose rows are read and compared with the rows held as well."""
        self.bindings.append(binding)
        self._comparison = None
        self.abandon()

    @property
    def is_busy(self) -> bool:
        """Whether all keys were read, while some differences are not judged yet."""
        return self._comparison is not None and self._comparison.is_read

    async def read(self) -> None:
        """Read a page of keys."""
        held = self.progress.held
        if held is None or self.progress.held_at is None or not held.is_whole:
            self.give_up(NOT_WHOLE)
            return
        comparison = await self._begun(self.progress.held_at)
        if comparison is None:
            return
        page = await self.requested(self._reads[self._turn].page(self._behind))
        if page is None:
            return
        self.context.position.update()
        read_at = page.date or self.context.recovery.rest.answered_at or self.progress.held_at
        comparison.compare(page.keys, held.keys, read_at=read_at)
        self._behind = page.next
        if page.next is not None:
            return
        self._turn = (self._turn + 1) % len(self._reads)
        if self._turn == 0:
            comparison.read_to_end(held.keys, read_at=read_at, now=running())
            await self.advance()

    async def advance(self) -> None:
        """Judge the differences that the stream has passed, declare losses, and start the next comparison."""
        comparison, held = self._comparison, self.progress.held
        if comparison is None or held is None or not comparison.is_read:
            return
        await self.context.position.prove_silence(comparison.suspects)
        due = comparison.due(held.keys, self.context.position.passage)
        if due and self.context.schedule.may_request(self.name, time.monotonic()):
            await self._judge(comparison, due)
        if self._lost and not comparison.suspects:
            await self._declare(comparison, held)
        if comparison.is_settled and not self._lost:
            comparison.settle()
            self.verified()

    async def control(self) -> str | None:
        """Read one key. This needs no index but the key's own, so None is returned."""
        await self._reads[0].present(list(self.progress.held.keys)[:1] if self.progress.held else [])
        return None

    def abandon(self) -> None:
        """Start the present comparison again."""
        self._turn, self._behind, self._lost = 0, None, Differences([], [])
        if self._comparison is not None:
            self._comparison.abandon()

    async def _begun(self, held_at: int) -> HeldComparison | None:
        """Return the comparison, or None if the table's columns can't be learned now."""
        if self._comparison is None or self.progress.shape is None:
            recovery = self.context.recovery
            try:
                shape = await recovery.tables.shape(self.progress, self.bindings[0])
            except PrtError as exc:
                self.failed(exc)
                return None
            self._reads = [KeyReads(recovery.rest, binding, shape) for binding in self.bindings]
            finds_inserts = shape.written is None and shape.created is None
            self._comparison = self._comparison or HeldComparison(
                self.context.rules, held_at, finds_inserts=finds_inserts
            )
        return self._comparison

    async def _judge(self, comparison: HeldComparison, due: Differences) -> None:
        """Look at up to `KEYS_ASKED` differences a second time, in one request."""
        keys = [*due.gone, *due.new][:KEYS_ASKED]
        present = await self.requested(self._reads[0].present(keys))
        if present is None:
            return
        asked, gone, new = set(keys), set(due.gone), set(due.new)
        lost_inserts = present & new
        if lost_inserts and not self._sees_everything:
            lost_inserts = set()  # an undated row may have become visible by a change elsewhere
        self._lost = Differences(
            [*self._lost.gone, *((asked & gone) - present)], [*self._lost.new, *lost_inserts]
        )
        comparison.judged(keys)

    @property
    def _sees_everything(self) -> bool:
        rest = self.context.recovery.rest
        return rest.user is None or rest.passes_row_security

    async def _declare(self, comparison: HeldComparison, held: HeldKeys) -> None:
        """Emit the rows that were lost, and their gap."""
        lost, self._lost = self._lost, Differences([], [])
        end = comparison.read_at + DATE_GRAIN
        gap = Gap(
            at=wall_clock(),
            start=min(comparison.start, end),
            end=end,
            tables=[self.progress.name],
            cause=cause_of(lost),
            losses=len(lost.gone) + len(lost.new),
        )

        def still_lost() -> Missing:
            binding = self.bindings[0]
            return Missing(
                gone={binding: [key for key in lost.gone if key in held.keys]},
                rows={binding: [key for key in lost.new if key not in held.keys]},
                is_of_keys=True,
            )

        try:
            closed = await self.context.recovery.bring_back(gap, still_lost, self.context.put)
        except asyncio.CancelledError:
            if still_lost():
                self.context.put(replace(gap, at=wall_clock()))
            raise
        if closed is not None:
            self.context.put(replace(closed, at=wall_clock()))
            self.context.on_loss(closed.start, closed.end)


def cause_of(lost: Differences) -> str:
    """Return the cause of a gap in words: how many rows are gone or new."""
    parts = []
    if lost.gone:
        rows = "1 row is" if len(lost.gone) == 1 else f"{len(lost.gone):,} rows are"
        parts.append(f"{rows} gone without a DELETE")
    if lost.new:
        rows = "1 row is" if len(lost.new) == 1 else f"{len(lost.new):,} rows are"
        parts.append(f"{rows} there without an INSERT")
    return f"{' and '.join(parts)}, as a comparison of the keys shows"
