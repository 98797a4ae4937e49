"""What a gap took, brought back over REST as far as that is possible, and said where it isn't.

Beside the gaps: a snapshot, and the time before the start. All three read rows and tell what is news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from msgspec import Struct, structs

from prt.clock import wall_clock
from prt.errors import PrtError, UnreachableError
from prt.events import Change, ChangeSource, Event, Gap, Loaded, Status
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery.delay import Budget
from prt.stream.recovery.progress import Ledgers
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.row_reader import LEAST_OVERLAP, Retelling, Settings
from prt.stream.recovery.table_progress import HeldKeys, Ledger, Table
from prt.stream.recovery.windows import OVERLAP
from prt.stream.rest.answers import UnknownColumnError
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Answer, Reader, Road, roads_of

SETTLE_SECONDS = 1.0
"""A polling server takes half a second from a commit to us."""
ROWS_LIMIT = 10_000
LATEST_READ = 100
"""Rows of a table whose dates are read at READY."""

Emit = Callable[[Event], None]


class Recovery:
    """One for the life of a watch. `observe` takes every change of the stream before it is told."""

    def __init__(
        self,
        rest: Rest,
        bindings: Sequence[Binding],
        *,
        settle_seconds: float = SETTLE_SECONDS,
        is_backfilling: bool = True,
        keeps_snapshot: bool | Collection[Table] = False,
        since: str | None = None,
        cursor: str | None = None,
        keys: Mapping[Table, tuple[str, ...]] | None = None,
        limit: int = ROWS_LIMIT,
        topic: str = "prt-watch",
        now: Callable[[], int] | None = None,
    ) -> None:
        """`since` is an RFC 3339 moment; a snapshot, of all or some tables, shows its rows too.

        `limit` is rows of a table.
        """
        self._rest = rest
        self._settings = Settings(
            overlap=OVERLAP,
            settle_seconds=settle_seconds,
            limit=limit,
            topic=topic,
            now=now or wall_clock,
        )
        self._is_backfilling = is_backfilling
        self._keeps_snapshot = keeps_snapshot
        self._since = since
        self._ledgers = Ledgers(rest, bindings, keys or {}, cursor)
        self._memory = self._ledgers.memory
        self.observe: Callable[[Change], None] = self._memory.observe
        self._reading = asyncio.Lock()
        self._has_begun = False
        self._recovered = 0

    def cut(self, change: Change) -> None:
        """Note a change whose row the server has cut: the next recovery reads it."""
        self._ledgers.of((change.schema, change.table)).cut(change)

    async def begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        """After the first READY: what was asked for of the time before, and a point to recover from."""
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
            if self._is_backfilling:
                await self._backfill(gap, concerned, reasons, emit)
            else:
                for name in gap.tables:
                    reasons.add("not asked for (--no-backfill)", name)
            if not self._has_begun:
                for binding in concerned:
                    if self._keeps(binding) and not self._ledgers.has_snapshot(binding):
                        reasons.add("its snapshot was not there yet", binding.name)
                await self._begin(bindings, emit)
            recovered, self._recovered = self._recovered, 0
            cause = f"{gap.cause}; {reasons.text(gap.tables)}" if reasons else gap.cause
            return structs.replace(gap, recovered=recovered, complete=not reasons, cause=cause)

    async def snapshot(self, bindings: Sequence[Binding], emit: Emit) -> list[tuple[str, list[str]]]:
        """The present rows, each once and merged with what streams; why they may not be all, with tables."""
        reasons = Reasons()

        async def load(retelling: Retelling, ledger: Ledger, own: Sequence[Binding]) -> None:
            if ledger.held is None:
                ledger.held = HeldKeys(2 * self._settings.limit)
            await retelling.snapshot(ledger.held, own)

        missing = [one for one in _asking(bindings) if not self._ledgers.has_snapshot(one)]
        await self._each_table(missing, reasons, emit, "snapshot", load)
        return reasons.by_reason()

    async def since(self, moment: str, bindings: Sequence[Binding], emit: Emit) -> Gap | None:
        """Rows written from a moment (RFC 3339) on; a gap where that isn't all of them.

        A deleted row can't be read: that is said, and makes no gap.
        """
        start = values.moment(moment)
        reasons = Reasons()

        async def load(retelling: Retelling, _: Ledger, own: Sequence[Binding]) -> None:
            for binding in own:
                await retelling.roads(binding, lambda *_: start)
            await retelling.finish()

        before = self._recovered
        await self._each_table(bindings, reasons, self._counting(emit), "backfill", load)
        deaf = sorted({binding.name for binding in bindings if binding.event in ("*", "DELETE")})
        if deaf:
            self._say(emit, f"what was deleted since {moment} can't be asked for", deaf)
        told, self._recovered = self._recovered - before, before
        if not reasons:
            return None
        now, tables = self._settings.now(), sorted({binding.name for binding in bindings})
        return Gap(
            at=now,
            start=now if start is None else start,
            end=now,
            tables=tables,
            cause=f"what was written since {moment}: {reasons.text(tables)}",
            recovered=told,
        )

    async def at_ready(self, bindings: Sequence[Binding]) -> None:
        """Where a backfill starts as long as nothing has streamed: the dates of the rows written last.

        They count once the stream has had its time: until then one of them may still be under way.
        """
        self._memory.collect()
        if not self._is_backfilling or self._memory.count:
            return
        found = [place for places in await asyncio.gather(*map(self._latest, bindings)) for place in places]
        await asyncio.sleep(self._settings.settle_seconds)
        for latest in found:
            self._remember(latest)

    async def _begin(self, bindings: Sequence[Binding], emit: Emit) -> None:
        kept = [binding for binding in bindings if self._keeps(binding)]
        if kept:
            missing = await self.snapshot(kept, emit)
            for reason, tables in missing:
                self._say(emit, f"the snapshot is not whole: {reason}", tables)
            names = sorted({binding.name for binding in kept})
            emit(Loaded(at=self._settings.now(), tables=names, complete=not missing))
        others = [binding for binding in bindings if binding not in kept]
        if self._since is not None and others:
            gap = await self.since(self._since, others, emit)
            if gap is not None:
                emit(gap)
        await self.at_ready(bindings)
        self._has_begun = True

    def _keeps(self, binding: Binding) -> bool:
        kept = self._keeps_snapshot
        return kept if isinstance(kept, bool) else (binding.schema, binding.table) in kept

    async def _latest(self, binding: Binding) -> list[_Latest]:
        """Of each road; nothing where the table can't be read, which a gap will say."""
        if binding.table == "*" or binding.event == "DELETE":
            return []
        ledger, number = self._ledgers.of((binding.schema, binding.table)), self._memory.count
        try:
            shape = await self._ledgers.shape(ledger, binding)
            reader = Reader(self._rest, binding, shape)
            return [
                _Latest(ledger, binding, road, await reader.latest(road, LATEST_READ), number)
                for road in roads_of(shape, binding)
                if road.cursor is not None and (binding, road) not in ledger.places
            ]
        except PrtError:
            return []

    def _remember(self, latest: _Latest) -> None:
        ledger, rows = latest.ledger, latest.answer.rows
        date = latest.answer.date
        for row in rows:
            is_older = (
                date is not None and row.moment is not None and row.moment < date - self._settings.overlap
            )
            ledger.read(row, latest.number, is_older=is_older)
            ledger.came_to(latest.binding, latest.road, row, date)
        place = ledger.place(latest.binding, latest.road)
        place.is_read = True
        if len(rows) == LATEST_READ:
            place.floor = rows[-1].moment

    async def _backfill(self, gap: Gap, bindings: Sequence[Binding], reasons: Reasons, emit: Emit) -> None:
        self._memory.collect()
        # A gap begins an overlap before the last commit that was told.
        until = gap.start + self._settings.overlap
        told = self._memory.last_commit(until)
        self._ledgers.doubt(gap.start)

        async def refill(retelling: Retelling, ledger: Ledger, own: Sequence[Binding]) -> None:
            await retelling.cut(own, gap.start)
            for binding in own:
                await retelling.roads(binding, lambda *road: self._start(ledger, road, told, until, reasons))
            await retelling.deletes(own)
            await retelling.finish()
            ledger.recovered()

        for name in set(gap.tables) - {binding.name for binding in bindings}:
            reasons.add("no longer subscribed", name)
        await self._each_table(bindings, reasons, self._counting(emit), "backfill", refill)

    def _start(
        self, ledger: Ledger, road: tuple[Binding, Road], told: int | None, until: int, reasons: Reasons
    ) -> int | None:
        """Where a road is taken up again, µs; None is its beginning."""
        place = ledger.places.get(road)
        if place is None and told is None:
            raise UnreachableError("nothing had come from it, nor been read at READY, to start from")
        floor, through = (None, None) if place is None else (place.floor, place.through)
        if told is None and through is None:
            return None
        if through is not None and place is not None and place.is_read:
            through = min(through, until)
        known = max(moment for moment in (told, through) if moment is not None)
        start = known - self._settings.overlap
        if floor is not None:
            start = max(start, floor + 1)
        covered = self._memory.covers_since
        if covered is not None and covered > start:
            start = covered
            if known - start < min(self._settings.overlap, LEAST_OVERLAP):
                reasons.add("too much came at once to tell what is news", ledger.name)
        return start

    async def _each_table(
        self,
        bindings: Sequence[Binding],
        reasons: Reasons,
        emit: Emit,
        source: ChangeSource,
        work: Callable[[Retelling, Ledger, Sequence[Binding]], Awaitable[None]],
    ) -> None:
        budget = Budget()

        async def one(table: Table, own: Sequence[Binding]) -> None:
            ledger = self._ledgers.of(table)
            try:
                ledger.learn_key(self._memory)
                retelling = Retelling(
                    self._rest,
                    self._memory,
                    ledger,
                    await self._ledgers.shape(ledger, own[0]),
                    self._settings,
                    source=source,
                    reasons=reasons,
                    budget=budget,
                    emit=emit,
                )
                try:
                    await work(retelling, ledger, own)
                finally:
                    retelling.close()
            except PrtError as exc:
                if isinstance(exc, UnknownColumnError):
                    ledger.shape = None  # the table was altered
                reasons.add(exc.message, ledger.name)

        async with asyncio.TaskGroup() as group:
            for table, own in self._ledgers.by_table(bindings, reasons).items():
                group.create_task(one(table, own))

    def _counting(self, emit: Emit) -> Emit:
        def counted(event: Event) -> None:
            self._recovered += 1
            emit(event)

        return counted

    def _say(self, emit: Emit, reason: str, tables: list[str]) -> None:
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
    ledger: Ledger
    binding: Binding
    road: Road
    answer: Answer
    number: int


def _asking(bindings: Sequence[Binding]) -> list[Binding]:
    """Those whose rows were asked for: DELETEs, which no filter can be for, need none beside others."""
    others = {binding.name for binding in bindings if binding.event != "DELETE"}
    return [binding for binding in bindings if binding.event != "DELETE" or binding.name not in others]
