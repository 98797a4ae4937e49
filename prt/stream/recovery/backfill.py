"""The recovery of rows that were missed in a gap, read over REST, and the reasons if it is not complete.

A snapshot of the present rows and the rows written before the start (`since` in the options) are read in the
same way: rows are read, and those that are new are emitted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct, structs

from prt.errors import PrtError, UnreachableError
from prt.events import Change, ChangeSource, Event, Gap, Loaded
from prt.inputs import Input
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery.delay import Budget
from prt.stream.recovery.latest_rows import LatestRows
from prt.stream.recovery.options import Options
from prt.stream.recovery.progress import ProgressOfTables
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.row_reader import LEAST_OVERLAP, Reading, RowReader
from prt.stream.recovery.table_progress import HeldKeys, Table, TableProgress
from prt.stream.recovery.windows import OVERLAP
from prt.stream.rest.answers import UnknownColumnError
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import ReadOrder
from prt.stream.values import Key

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
        has_loaded: Whether the rows that the options ask for at the start were read, as far as possible.
        observe: Takes a streamed change. Every change must be passed to it before it is emitted.
    """

    def __init__(
        self,
        rest: Rest,
        bindings: Sequence[Binding],
        options: Options | None = None,
        *,
        cache_reader: Rest | None = None,
    ) -> None:
        """Prepare the recovery.

        Args:
            rest: The REST client.
            bindings: The bindings of the watch.
            options: The options; None for the defaults.
            cache_reader: A REST client that reads the newest rows with all columns at READY and bounds their
                size, for outputs that show what an UPDATE changed; None if no output does.
        """
        self.rest = rest
        self.options = options = options or Options()
        self.tables = ProgressOfTables(rest, bindings, options.keys, options.cursor)
        if options.is_verifying:
            self.tables.verify()
        self._memory = self.tables.memory
        self.observe: Callable[[Change], None] = self._memory.observe
        self._reading = asyncio.Lock()
        self._has_begun = False
        self.has_loaded = False
        self._latest_rows = LatestRows(self.tables, options, rest, cache_reader)
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
                progress.held = HeldKeys(2 * self.options.limit)
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
            emit(self.options.status(f"what was deleted since {moment} can't be asked for", deaf))
        recovered, self._recovered = self._recovered - before, before
        if not reasons:
            return None
        now, tables = self.options.now(), sorted({binding.name for binding in bindings})
        return Gap(
            at=now,
            start=now if start is None else start,
            end=now,
            tables=tables,
            cause=f"what was written since {moment}: {reasons.text(tables)}",
            recovered=recovered,
        )

    async def _begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        kept = [binding for binding in bindings if self._keeps(binding)]
        if kept:
            missing = await self.snapshot(kept, emit)
            for reason, tables in missing:
                emit(self.options.status(f"the snapshot is not whole: {reason}", tables))
            names = sorted({binding.name for binding in kept})
            emit(Loaded(at=self.options.now(), tables=names, complete=not missing))
        others = [binding for binding in bindings if binding not in kept]
        if self.options.since is not None and others:
            gap = await self.since(self.options.since, others, emit)
            if gap is not None:
                emit(gap)
        self.has_loaded = True
        await self._latest_rows.note(bindings, emit)
        self._has_begun = True

    def _keeps(self, binding: Binding) -> bool:
        return self.options.keeps((binding.schema, binding.table))

    async def _backfill(self, gap: Gap, bindings: Sequence[Binding], reasons: Reasons, emit: Emit) -> None:
        self._memory.collect()
        # A gap begins `overlap` before the last commit that was delivered.
        until = gap.start + OVERLAP
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
        start = known - OVERLAP
        if floor is not None:
            start = max(start, floor + 1)
        covered = self._memory.covers_since
        if covered is not None and covered > start:
            start = covered
            if known - start < min(OVERLAP, LEAST_OVERLAP):
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
            options=self.options,
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


def _asking(bindings: Sequence[Binding]) -> list[Binding]:
    """Return the bindings whose rows have to be read.

    A DELETE binding needs no read of its own if another binding of its table is read: the server does not
    filter DELETEs.
    """
    others = {binding.name for binding in bindings if binding.event != "DELETE"}
    return [binding for binding in bindings if binding.event != "DELETE" or binding.name not in others]
