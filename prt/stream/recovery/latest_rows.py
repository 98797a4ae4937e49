"""The newest rows of each table at READY, whose dates are where later reads start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct

from prt.errors import PrtError
from prt.events import Event, Known
from prt.stream.binding import Binding
from prt.stream.recovery.options import Options
from prt.stream.recovery.progress import ProgressOfTables
from prt.stream.recovery.table_progress import Baseline, TableProgress
from prt.stream.recovery.windows import OVERLAP
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.rest.client import Rest, TooLargeError
from prt.stream.rest.pages import Answer, Reader, ReadOrder, Shape, UnknownCursorError, read_orders_of

FUTURE = 5_000_000
"""A date that is this many µs after the time of its read, or more, lies in the future, however the clocks
differ."""
LATEST_READ = 100
"""The number of the latest rows of a table whose dates are read at READY."""


class _Latest(Struct, frozen=True):
    progress: TableProgress
    binding: Binding
    read_order: ReadOrder
    answer: Answer
    is_whole: bool
    number: int


class LatestRows:
    """Notes the newest rows of each table at READY, from which a backfill starts if nothing streams until its
    gap, and which a verification need not have seen emitted.
    """

    def __init__(
        self, tables: ProgressOfTables, options: Options, rest: Rest, cache_reader: Rest | None
    ) -> None:
        """Prepare the reads.

        Args:
            tables: The recovery progress of the tables, in which the rows are noted.
            options: The options of the recovery.
            rest: The REST client.
            cache_reader: A REST client that reads all columns and bounds their size, for outputs that show
                what an UPDATE changed; None if no output does.
        """
        self._tables = tables
        self._options = options
        self._rest = rest
        self._cache_reader = cache_reader
        self._without_cursor: set[str] = set()

    async def note(self, bindings: Sequence[Binding], emit: Callable[[Event], None]) -> None:
        """Read the newest rows and note their dates.

        The dates are noted after `settle_seconds`, when the stream has had time to deliver these rows: until
        then, the change of such a row may still be on its way.

        Args:
            bindings: The bindings that the server has accepted.
            emit: Receives the rows for the outputs that show what an UPDATE changed, and a status for each
                table without a date column.
        """
        self._tables.memory.collect()
        is_start = self._options.is_backfilling or self._options.is_verifying
        if not is_start and self._cache_reader is None:
            return
        each = await asyncio.gather(*(self._latest(binding, emit) for binding in bindings))
        found = [latest for some in each for latest in some]
        for latest in found if self._cache_reader is not None else ():
            rows = [row.raw for row in latest.answer.rows if latest.is_whole]
            table = latest.binding
            emit(Known(at=self._options.now(), schema=table.schema, table=table.table, rows=rows))
        if not is_start:
            return
        await asyncio.sleep(self._options.settle_seconds)
        self._tables.memory.collect()
        for latest in found:
            self._remember(latest)

    async def _latest(self, binding: Binding, emit: Callable[[Event], None]) -> list[_Latest]:
        """Read the latest rows of a binding in each order, or none if its table can't be read.

        The gap of a later recovery reports why the table can't be read; a date column that the table lacks is
        reported at once.
        """
        if binding.table == "*" or binding.event == "DELETE":
            return []
        progress, number = self._tables.of((binding.schema, binding.table)), self._tables.memory.count
        try:
            shape = await self._tables.shape(progress, binding)
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
        except UnknownCursorError as exc:
            if binding.name not in self._without_cursor:
                self._without_cursor.add(binding.name)
                reason = f"{exc.message}: its missed rows can't be found"
                emit(self._options.status(reason, [binding.name]))
            return []
        except PrtError:
            return []

    async def _newest(self, binding: Binding, shape: Shape, read_order: ReadOrder) -> tuple[Answer, bool]:
        """Return the latest rows, and whether they have all columns: if too large, only keys and dates."""
        if self._cache_reader is not None:
            with suppress(TooLargeError):
                whole = Reader(self._cache_reader, binding, shape)
                return await whole.latest(read_order, LATEST_READ, is_whole=True), True
        return await Reader(self._rest, binding, shape).latest(read_order, LATEST_READ), False

    def _remember(self, latest: _Latest) -> None:
        progress, rows = latest.progress, latest.answer.rows
        date = latest.answer.date
        self._remember_baseline(latest)
        for row in rows:
            is_older = date is not None and row.moment is not None and row.moment < date - OVERLAP
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
        first = latest.progress.streamed_since(self._tables.memory)
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
