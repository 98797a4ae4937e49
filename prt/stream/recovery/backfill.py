"""The recovery of what a gap took, over REST as far as that is possible, and reported if it is not.

Beside the gaps: a snapshot, and the time before the start. All three read rows and tell what is news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, structs

from prt.errors import PrtError, UnreachableError
from prt.events import Change, ChangeSource, Event, Gap, Known, Loaded, Status
from prt.inputs import Input
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery.delay import Budget
from prt.stream.recovery.options import Options
from prt.stream.recovery.progress import ProgressOfTables
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.row_reader import LEAST_OVERLAP, Reading, RowReader, Settings
from prt.stream.recovery.table_progress import Baseline, HeldKeys, Table, TableProgress
from prt.stream.recovery.windows import OVERLAP
from prt.stream.rest.answers import DATE_GRAIN, UnknownColumnError
from prt.stream.rest.client import Rest, TooLargeError
from prt.stream.rest.pages import Answer, Reader, ReadOrder, Shape, read_orders_of
from prt.stream.values import Key

FUTURE = 5_000_000
"""µs after its read from which on a date is one of the future, whatever the clocks are."""
LATEST_READ = 100
"""Rows of a table whose dates are read at READY."""

Emit = Callable[[Event], None]


class Missing(Struct, frozen=True, kw_only=True):
    """Keys of rows that were never emitted, and keys that are gone without a DELETE, by binding.

    `is_of_keys` if they were found by comparing keys, which leaves no other key in doubt.
    """

    rows: Mapping[Binding, Sequence[Key]] = {}
    gone: Mapping[Binding, Sequence[Key]] = {}
    is_of_keys: bool = False

    def __bool__(self) -> bool:
        return any(self.rows.values()) or any(self.gone.values())


class Recovery:
    """One for the life of a watch. `observe` takes every change of the stream before it is told."""

    def __init__(self, rest: Rest, bindings: Sequence[Binding], options: Options | None = None) -> None:
        self.rest = rest
        self.options = options = options or Options()
        self._settings = Settings(
            overlap=OVERLAP,
            settle_seconds=options.settle_seconds,
            limit=options.limit,
            topic=options.topic,
            now=options.now,
        )
        self.tables = ProgressOfTables(rest, bindings, options.keys, options.cursor)
        if options.is_verifying:
            self.tables.verify()
        self._memory = self.tables.memory
        self.observe: Callable[[Change], None] = self._memory.observe
        self._reading = asyncio.Lock()
        self._has_begun = False
        self.cache_reader: Rest | None = None
        """Reads the newest rows whole at READY, and bounds their size; None if nobody shows what changed."""
        self._recovered = 0

    def cut(self, change: Change) -> None:
        """Note a change whose row the server has cut: the next recovery reads it."""
        self.tables.of((change.schema, change.table)).cut(change)

    async def begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        """Read after the first READY what was asked for of the time before, and a point to recover from."""
        async with self._reading:
            await self._begin(bindings, emit)

    async def recover(self, gap: Gap, bindings: Sequence[Binding], emit: Emit) -> Gap:
        """The gap with what was recovered, and why that may not be all. Raises nothing of REST's.

        What a cancelled recovery has told isn't told again, and counts for the next.
        """
        async with self._reading:
            reasons = Reasons()
            concerned = [
                binding for binding in bindings if binding.table == "*" or binding.name in gap.tables
            ]
            if self.options.is_backfilling:
                await self._backfill(gap, concerned, reasons, emit)
            else:
                self._give_up(gap, reasons)
            if not self._has_begun:
                for binding in concerned:
                    if self._keeps(binding) and not self.tables.has_snapshot(binding):
                        reasons.add("its snapshot was not there yet", binding.name)
                await self._begin(bindings, emit)
            return self._closed(gap, reasons)

    async def bring_back(self, gap: Gap, missing: Callable[[], Missing], emit: Emit) -> Gap | None:
        """Emit rows that were found missing, as they are now; return their gap with the result.

        Args:
            gap: Where they were lost.
            missing: Returns what is still missing; called when no other recovery is at work.
            emit: Gets the rows.

        Returns:
            The gap, or None if nothing is missing any more.
        """
        async with self._reading:
            self._memory.collect()
            found = missing()
            if not found:
                return None
            for binding, keys in found.rows.items():
                self.tables.of((binding.schema, binding.table)).never_emitted(keys)
            reasons = Reasons()

            async def refill(reader: RowReader, _: TableProgress, own: Sequence[Binding]) -> None:
                for binding in own:
                    await reader.rows(binding, found.rows.get(binding, ()), gap.start)
                    await reader.gone(binding, found.gone.get(binding, ()))
                if not found.is_of_keys:
                    await reader.deletes(own)
                await reader.finish()

            if self.options.is_backfilling:
                bindings = list(dict.fromkeys([*found.rows, *found.gone]))
                await self._each_table(bindings, reasons, self._counting(emit), "backfill", refill)
            else:
                self._give_up(gap, reasons)
            return self._closed(gap, reasons)

    def _closed(self, gap: Gap, reasons: Reasons) -> Gap:
        recovered, self._recovered = self._recovered, 0
        cause = f"{gap.cause}; {reasons.text(gap.tables)}" if reasons else gap.cause
        return structs.replace(gap, recovered=recovered, complete=not reasons, cause=cause)

    @staticmethod
    def _give_up(gap: Gap, reasons: Reasons) -> None:
        for name in gap.tables:
            reasons.add(f"not asked for ({Input.NO_BACKFILL})", name)

    async def snapshot(self, bindings: Sequence[Binding], emit: Emit) -> list[tuple[str, list[str]]]:
        """The present rows, each once and merged with what streams; why they may not be all, with tables."""
        reasons = Reasons()

        async def load(reader: RowReader, progress: TableProgress, own: Sequence[Binding]) -> None:
            if progress.held is None:
                progress.held = HeldKeys(2 * self._settings.limit)
            await reader.snapshot(progress.held, own)

        missing = [one for one in _asking(bindings) if not self.tables.has_snapshot(one)]
        await self._each_table(missing, reasons, emit, "snapshot", load)
        return reasons.by_reason()

    async def since(self, moment: str, bindings: Sequence[Binding], emit: Emit) -> Gap | None:
        """Rows written from a moment (RFC 3339) on; a gap where that isn't all of them.

        A deleted row can't be read: that is said, and makes no gap.
        """
        start = values.moment(moment)
        reasons = Reasons()

        async def load(reader: RowReader, _: TableProgress, own: Sequence[Binding]) -> None:
            for binding in own:
                await reader.dated_rows(binding, lambda *_: start)
            await reader.finish()

        before = self._recovered
        await self._each_table(bindings, reasons, self._counting(emit), "backfill", load)
        deaf = sorted({binding.name for binding in bindings if binding.event in ("*", "DELETE")})
        if deaf:
            self._report(emit, f"what was deleted since {moment} can't be asked for", deaf)
        recovered, self._recovered = self._recovered - before, before
        if not reasons:
            return None
        now, tables = self._settings.now(), sorted({binding.name for binding in bindings})
        return Gap(
            at=now,
            start=now if start is None else start,
            end=now,
            tables=tables,
            cause=f"what was written since {moment}: {reasons.text(tables)}",
            recovered=recovered,
        )

    async def at_ready(self, bindings: Sequence[Binding], emit: Emit) -> None:
        """Note where a backfill starts as long as nothing has streamed: the dates of the rows written last.

        They count once the stream has had its time: until then one of them may still be under way.
        """
        self._memory.collect()
        is_start = self.options.is_backfilling or self.options.is_verifying
        if not is_start and self.cache_reader is None:
            return
        found = [latest for each in await asyncio.gather(*map(self._latest, bindings)) for latest in each]
        for latest in found if self.cache_reader is not None else ():
            rows = [row.raw for row in latest.answer.rows if latest.is_whole]
            table = latest.binding
            emit(Known(at=self._settings.now(), schema=table.schema, table=table.table, rows=rows))
        if not is_start:
            return
        await asyncio.sleep(self._settings.settle_seconds)
        self._memory.collect()
        for latest in found:
            self._remember(latest)

    async def _begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        kept = [binding for binding in bindings if self._keeps(binding)]
        if kept:
            missing = await self.snapshot(kept, emit)
            for reason, tables in missing:
                self._report(emit, f"the snapshot is not whole: {reason}", tables)
            names = sorted({binding.name for binding in kept})
            emit(Loaded(at=self._settings.now(), tables=names, complete=not missing))
        others = [binding for binding in bindings if binding not in kept]
        if self.options.since is not None and others:
            gap = await self.since(self.options.since, others, emit)
            if gap is not None:
                emit(gap)
        await self.at_ready(bindings, emit)
        self._has_begun = True

    def _keeps(self, binding: Binding) -> bool:
        return self.options.keeps((binding.schema, binding.table))

    async def _latest(self, binding: Binding) -> list[_Latest]:
        """Read the latest rows in each order; nothing if the table can't be read, which a gap will say."""
        if binding.table == "*" or binding.event == "DELETE":
            return []
        progress, number = self.tables.of((binding.schema, binding.table)), self._memory.count
        try:
            shape = await self.tables.shape(progress, binding)
            read_orders = [
                read_order
                for read_order in read_orders_of(shape, binding)
                if read_order.cursor is not None and (binding, read_order) not in progress.reached
            ]
            return [
                _Latest(
                    progress, binding, read_order, *await self._newest(binding, shape, read_order), number
                )
                for read_order in read_orders
            ]
        except PrtError:
            return []

    async def _newest(self, binding: Binding, shape: Shape, read_order: ReadOrder) -> tuple[Answer, bool]:
        """The rows written last, and whether they are whole: without contents if they are too large."""
        if self.cache_reader is not None:
            with suppress(TooLargeError):
                whole = Reader(self.cache_reader, binding, shape)
                return await whole.latest(read_order, LATEST_READ, is_whole=True), True
        return await Reader(self.rest, binding, shape).latest(read_order, LATEST_READ), False

    def _remember(self, latest: _Latest) -> None:
        progress, rows = latest.progress, latest.answer.rows
        date = latest.answer.date
        self._remember_baseline(latest)
        for row in rows:
            is_older = (
                date is not None and row.moment is not None and row.moment < date - self._settings.overlap
            )
            progress.read(row, latest.number, is_older=is_older)
            progress.note_reached(latest.binding, latest.read_order, row, date)
        reached = progress.reached_by(latest.binding, latest.read_order)
        reached.is_read = True
        if len(rows) == LATEST_READ:
            reached.floor = rows[-1].moment

    def _remember_baseline(self, latest: _Latest) -> None:
        """Note which rows were there at READY: nobody has to emit them.

        A row that was written after the first change of its table that streamed is none of them.
        """
        emitted, date = latest.progress.emitted, latest.answer.date
        if emitted is None or date is None:
            return
        rows = [(row.key, row.moment) for row in latest.answer.rows if row.moment is not None]
        is_cut = len(latest.answer.rows) == LATEST_READ
        floor = rows[-1][1] if is_cut and rows else 0
        first = latest.progress.streamed_since(self._memory)
        for key, moment in rows:
            if first is None or moment <= first or moment > date + FUTURE:
                emitted.note(key, moment)
        # The date may be a second old, and what was created in that second was there at READY.
        inserted_since = date + DATE_GRAIN if first is None else min(date + DATE_GRAIN, first)
        floor = floor if first is None else min(floor, first)
        former = latest.progress.baselines.get(latest.binding)
        if former is not None:
            date, floor = min(date, former.date), max(floor, former.floor)
            inserted_since = min(inserted_since, former.inserted_since)
        latest.progress.baselines[latest.binding] = Baseline(
            date=date, floor=floor, inserted_since=inserted_since
        )

    async def _backfill(self, gap: Gap, bindings: Sequence[Binding], reasons: Reasons, emit: Emit) -> None:
        self._memory.collect()
        # A gap begins an overlap before the last commit that was told.
        until = gap.start + self._settings.overlap
        last_commit = self._memory.last_commit(until)
        self.tables.doubt(gap.start)

        async def refill(reader: RowReader, progress: TableProgress, own: Sequence[Binding]) -> None:
            await reader.cut(own, gap.start)
            for binding in own:
                await reader.dated_rows(
                    binding,
                    lambda *read_order: self._start(progress, read_order, last_commit, until, reasons),
                )
            await reader.deletes(own)
            await reader.finish()
            progress.recovered()

        for name in set(gap.tables) - {binding.name for binding in bindings}:
            reasons.add("no longer subscribed", name)
        await self._each_table(bindings, reasons, self._counting(emit), "backfill", refill)

    def _start(
        self,
        progress: TableProgress,
        read_order: tuple[Binding, ReadOrder],
        last_commit: int | None,
        until: int,
        reasons: Reasons,
    ) -> int | None:
        """Return the moment (µs) from which an order of reading goes on; None is its beginning."""
        reached = progress.reached.get(read_order)
        if reached is None and last_commit is None:
            raise UnreachableError("nothing had come from it, nor been read at READY, to start from")
        floor, through = (None, None) if reached is None else (reached.floor, reached.through)
        if last_commit is None and through is None:
            return None
        if through is not None and reached is not None and reached.is_read:
            through = min(through, until)
        known = max(moment for moment in (last_commit, through) if moment is not None)
        start = known - self._settings.overlap
        if floor is not None:
            start = max(start, floor + 1)
        covered = self._memory.covers_since
        if covered is not None and covered > start:
            start = covered
            if known - start < min(self._settings.overlap, LEAST_OVERLAP):
                reasons.add("too much came at once to tell what is news", progress.name)
        return start

    async def _each_table(
        self,
        bindings: Sequence[Binding],
        reasons: Reasons,
        emit: Emit,
        source: ChangeSource,
        work: Callable[[RowReader, TableProgress, Sequence[Binding]], Awaitable[None]],
    ) -> None:
        reading = Reading(
            rest=self.rest,
            memory=self._memory,
            settings=self._settings,
            source=source,
            reasons=reasons,
            budget=Budget(),
            emit=emit,
        )

        async def one(table: Table, own: Sequence[Binding]) -> None:
            progress = self.tables.of(table)
            try:
                progress.learn_key(self._memory)
                reader = RowReader(reading, progress, await self.tables.shape(progress, own[0]))
                try:
                    await work(reader, progress, own)
                finally:
                    reader.close()
            except PrtError as exc:
                if isinstance(exc, UnknownColumnError):
                    progress.shape = None  # the table was altered
                reasons.add(exc.message, progress.name)

        async with asyncio.TaskGroup() as group:
            for table, own in self.tables.by_table(bindings, reasons).items():
                group.create_task(one(table, own))

    def _counting(self, emit: Emit) -> Emit:
        def counted(event: Event) -> None:
            self._recovered += 1
            emit(event)

        return counted

    def _report(self, emit: Emit, reason: str, tables: list[str]) -> None:
        emit(
            Status(
                at=self._settings.now(),
                status="READY",
                topic=self._settings.topic,
                tables=tables,
                reason=reason,
            )
        )


class _Latest(Struct, frozen=True):
    progress: TableProgress
    binding: Binding
    read_order: ReadOrder
    answer: Answer
    is_whole: bool
    number: int


def _asking(bindings: Sequence[Binding]) -> list[Binding]:
    """Those whose rows were asked for: DELETEs, which no filter can be for, need none beside others."""
    others = {binding.name for binding in bindings if binding.event != "DELETE"}
    return [binding for binding in bindings if binding.event != "DELETE" or binding.name not in others]
