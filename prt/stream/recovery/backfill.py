"""The recovery of rows that were missed in a gap, read over REST, and the reasons if it is not complete.

A snapshot of the present rows and the rows written before the start (`since` in the options) are read in the
same way: rows are read, and those that are new are emitted.
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
"""A date that is this many µs after the time of its read, or more, lies in the future, however the clocks
differ."""
LATEST_READ = 100
"""The number of the latest rows of a table whose dates are read at READY."""

Emit = Callable[[Event], None]


class Missing(Struct, frozen=True, kw_only=True):
    """The keys of rows that were lost, by binding.

    Attributes:
        rows: Keys of rows that exist and were never emitted.
        gone: Keys of rows that do not exist any more, without a DELETE.
        is_of_keys: Whether they were found by comparing all keys, so that no other key is in doubt.
    """

    rows: Mapping[Binding, Sequence[Key]] = {}
    gone: Mapping[Binding, Sequence[Key]] = {}
    is_of_keys: bool = False

    def __bool__(self) -> bool:
        return any(self.rows.values()) or any(self.gone.values())


class Recovery:
    """The recovery of a watch: reads rows over REST at the start and after gaps, and emits the new ones.

    There is one for the whole life of a watch. Its reads never overlap, except those of different tables.

    Attributes:
        rest: The REST client.
        options: The options of the recovery.
        tables: The recovery progress of each table.
        observe: Takes a streamed change. Every change must be passed to it before it is emitted.
    """

    def __init__(self, rest: Rest, bindings: Sequence[Binding], options: Options | None = None) -> None:
        """Prepare the recovery.

        Args:
            rest: The REST client.
            bindings: The bindings of the watch.
            options: The options; None for the defaults.
        """
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
        """A REST client that reads the newest rows with all columns at READY and bounds their size, for
        outputs that show what an UPDATE changed; None if no output does."""
        self._recovered = 0

    def cut(self, change: Change) -> None:
        """Note a change whose row the server has cut: the next recovery reads the row."""
        self.tables.of((change.schema, change.table)).cut(change)

    async def begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        """Read after the first READY what the options ask for, and note where later recoveries start.

        That is a snapshot, or the rows written since a moment, then the dates of the latest rows.

        Args:
            bindings: The bindings that the server has accepted.
            emit: Receives the rows.
        """
        async with self._reading:
            await self._begin(bindings, emit)

    async def recover(self, gap: Gap, bindings: Sequence[Binding], emit: Emit) -> Gap:
        """Emit the rows that were missed in a gap, as far as they can be read.

        Rows that a cancelled recovery has emitted are not emitted again, and the next recovery counts them.

        Args:
            gap: The gap.
            bindings: The bindings that the server has accepted.
            emit: Receives the rows.

        Returns:
            The gap with the number of recovered rows, and with the reasons if it is not complete. Errors of
            REST become reasons and are not raised.
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
        """Emit rows that a verification found missing, as they are now.

        Args:
            gap: The gap in which the rows were lost.
            missing: Returns the rows that are still missing; called while no other recovery is running.
            emit: Receives the rows.

        Returns:
            The gap with the number of recovered rows and the reasons, or None if nothing is missing any more.
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
        """Emit the present rows of the bindings, each once, merged with the changes that stream meanwhile.

        Returns:
            The reasons why rows may be missing, each with its tables.
        """
        reasons = Reasons()

        async def load(reader: RowReader, progress: TableProgress, own: Sequence[Binding]) -> None:
            if progress.held is None:
                progress.held = HeldKeys(2 * self._settings.limit)
            await reader.snapshot(progress.held, own)

        missing = [one for one in _asking(bindings) if not self.tables.has_snapshot(one)]
        await self._each_table(missing, reasons, emit, "snapshot", load)
        return reasons.by_reason()

    async def since(self, moment: str, bindings: Sequence[Binding], emit: Emit) -> Gap | None:
        """Emit the rows that were written since a moment.

        Deleted rows can't be read. They are mentioned in a status event and do not make a gap.

        Args:
            moment: An RFC 3339 timestamp.
            bindings: The bindings whose rows are read.
            emit: Receives the rows.

        Returns:
            A gap with the reasons if rows may be missing, else None.
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
        """Note the dates of the latest rows, from which a backfill starts if nothing streams until its gap.

        The dates are noted after `settle_seconds`, when the stream has had time to deliver these rows: until
        then, the change of such a row may still be on its way.
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
        """Read the latest rows of a binding in each order, or none if its table can't be read.

        The gap of a later recovery reports why the table can't be read.
        """
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
        """Return the latest rows, and whether they have all columns: if too large, only keys and dates."""
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
        """Note which rows existed at READY: they need not have been emitted.

        Rows that were written after the first streamed change of their table are not part of it.
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
        # The date may be a second old, and rows created in that second existed at READY.
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
        # A gap begins `overlap` before the last commit that was delivered.
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
        """Return the date (µs) from which on rows are read in an order; None for all rows."""
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
    """Return the bindings whose rows have to be read.

    A DELETE binding needs no read of its own if another binding of its table is read: the server does not
    filter DELETEs.
    """
    others = {binding.name for binding in bindings if binding.event != "DELETE"}
    return [binding for binding in bindings if binding.event != "DELETE" or binding.name not in others]
