"""The reader of one table's rows over REST, which emits each new row once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

import msgspec
from msgspec import Raw, Struct

from prt.events import EMPTY, Change, ChangeSource, Event, EventType
from prt.inputs import filled
from prt.stream.binding import Binding
from prt.stream.recovery.delay import Budget, Delay
from prt.stream.recovery.merging import Verdict
from prt.stream.recovery.options import Options
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import HeldKeys, TableProgress
from prt.stream.recovery.windows import OVERLAP
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Reader, ReadOrder, Row, Shape, read_orders_of
from prt.stream.values import Key

HIDDEN = "deleted or no longer visible"
DELETES_UNASKED = "deletes can't be asked for without {SNAPSHOT}"
UNDATED = "no column dates its rows: name one with {CURSOR}"
LEAST_OVERLAP = 1_000_000
"""The least overlap (µs) that a burst of changes must leave for a recovery to count as complete."""


class Found(Struct, frozen=True, gc=False):
    """A row that was read, or a key that has no row any more.

    Attributes:
        binding: The binding that the row was read for.
        key: The key of the row.
        row: The row; None if there is no row with this key.
        read_order: The order in which the row was read; None if it was read by its key.
        start: The date (µs) from which on rows were read, or the start of the gap; None without a bound.
        date: The server's time of the answer (µs), or None.
    """

    binding: Binding
    key: Key
    row: Row | None = None
    read_order: ReadOrder | None = None
    start: int | None = None
    date: int | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """The values that all tables of one recovery, or of one snapshot, share.

    Attributes:
        rest: The REST client.
        memory: The latest changes of the stream.
        options: The options of the recovery.
        source: The source that emitted rows are marked with.
        reasons: Collects the reasons why the emitted rows may not be complete.
        budget: The bytes that may be held back.
        emit: Receives the rows that are new.
    """

    rest: Rest
    memory: Memory
    options: Options
    source: ChangeSource
    reasons: Reasons
    budget: Budget
    emit: Callable[[Event], None]


class RowReader:
    """The reader of one table's rows over REST, which emits rows that were not emitted before.

    `close` has to be called in any case.

    Raises:
        PrtError: Every method may raise it, for the reasons that `Rest.read` has.
    """

    def __init__(self, reading: Reading, progress: TableProgress, shape: Shape) -> None:
        """Start a reading of the table.

        Args:
            reading: The values that all tables of the recovery share.
            progress: The recovery progress of the table.
            shape: The key and date columns of the table.
        """
        self._reading = reading
        self._rest = reading.rest
        self._memory = reading.memory
        self._options = reading.options
        self._source = reading.source
        self._progress = progress
        self._shape = shape
        self._date: int | None = None
        self._merger = progress.open(shape, reading.memory)
        self._delay: Delay[Found] = Delay(reading.options.settle_seconds, reading.budget, self._emit)

    async def dated_rows(
        self, binding: Binding, start_of: Callable[[Binding, ReadOrder], int | None]
    ) -> None:
        """Read all rows of a binding that have a date, in each order from its start on.

        Args:
            binding: The binding.
            start_of: Returns the date (µs) from which on rows are read in an order; None for all rows.
        """
        if binding.event == "DELETE":
            return
        reader = Reader(self._rest, binding, self._shape)
        read_orders = read_orders_of(self._shape, binding)
        if read_orders[0].cursor is None:
            self._add_reason(filled(UNDATED))
            return
        self._add_reasons_for_undated_updates(binding, read_orders[0].cursor)
        for read_order in read_orders:
            start = start_of(binding, read_order)
            await self._read(reader, binding, read_order, start)
        last = read_orders[-1].cursor
        if last is not None and last == read_orders[0].cursor and await reader.has_undated(last):
            self._add_reason(f"rows without {last} can't be asked for")

    async def cut(self, bindings: Sequence[Binding], start: int) -> None:
        """Read the rows that the server has cut in the stream, by their keys.

        Args:
            bindings: The bindings of the table.
            start: The start of the gap (µs).
        """
        if self._progress.has_cut_delete:
            self._add_reason("the server cut a row that was deleted")
        if self._progress.has_forgotten_cuts:
            self._add_reason("more rows were cut than are kept")
        missing = dict.fromkeys(self._merger.still_cut())
        for binding in bindings:
            if not missing or binding.event == "DELETE":
                continue
            async for answer in Reader(self._rest, binding, self._shape).rows(list(missing)):
                found = [Found(binding, row.key, row, start=start, date=answer.date) for row in answer.rows]
                await self._delay.add(found, sum(len(row.raw) for row in answer.rows))
                for row in answer.rows:
                    missing.pop(row.key, None)
        if missing:
            self._add_reason("rows that the server cut could not be read")

    async def rows(self, binding: Binding, keys: Sequence[Key], start: int) -> None:
        """Read the rows with these keys as they are now.

        Args:
            binding: The binding whose rows are read.
            keys: The keys. No more than the limit of the options are read.
            start: The start of the gap (µs).
        """
        if not keys:
            return
        read_order = read_orders_of(self._shape, binding)[0]
        if read_order.cursor is None:
            self._add_reason(filled(UNDATED))
        else:
            self._add_reasons_for_undated_updates(binding, read_order.cursor)
        limit = self._options.limit
        if len(keys) > limit:
            self._add_reason(f"stopped at {limit:,} rows")
        async for answer in Reader(self._rest, binding, self._shape).rows(keys[:limit]):
            found = [Found(binding, row.key, row, start=start, date=answer.date) for row in answer.rows]
            await self._delay.add(found, sum(len(row.raw) for row in answer.rows))

    async def gone(self, binding: Binding, keys: Sequence[Key]) -> None:
        """Emit a DELETE for each of these keys, which the snapshot had and which have no row any more."""
        if keys:
            await self._delay.add([Found(binding, key) for key in keys], 0)

    async def snapshot(self, held: HeldKeys, bindings: Sequence[Binding]) -> None:
        """Read every row of the bindings, and hold the keys of the rows from now on.

        Args:
            held: Receives the keys.
            bindings: The bindings of the table.
        """
        held.is_whole = True
        for binding in bindings:
            reader = Reader(self._rest, binding, self._shape)
            held.is_whole &= await self._read(reader, binding, ReadOrder(cursor=None), None)
        await self.finish()
        self._progress.held_at = self._date
        self._progress.snapshots.update(bindings)
        if held.is_whole:
            read_orders = [
                (one, read_order) for one in bindings for read_order in read_orders_of(self._shape, one)
            ]
            self._progress.note_snapshot(read_orders, self._date)

    async def deletes(self, bindings: Sequence[Binding]) -> None:
        """Emit a DELETE for each row of the snapshot that does not exist any more."""
        held, limit = self._progress.held, self._options.limit
        if all(binding.event not in ("*", "DELETE") for binding in bindings):
            return
        if held is None:
            self._add_reason(filled(DELETES_UNASKED))
            return
        if not held.is_whole:
            self._add_reason("deletes can't be told of rows that the snapshot left out")
        before = set(held.keys)
        present: set[Key] = set()
        for binding in bindings:
            async with aclosing(Reader(self._rest, binding, self._shape).keys()) as pages:
                async for keys in pages:
                    present.update(keys)
                    if len(present) > 4 * limit:  # the others are looked up by their keys
                        break
        missing = sorted(before - present, key=repr)
        if len(missing) > limit:
            self._add_reason(f"more than {limit:,} rows are gone: not all of them were looked for")
            missing = missing[:limit]
        if not missing:
            return
        reader = Reader(self._rest, bindings[0], self._shape)
        async for asked, there in reader.present(missing):
            gone = [Found(bindings[0], key) for key in asked if key not in there]
            await self._delay.add(gone, 0)

    async def finish(self) -> None:
        """Wait until all rows that are held back have been emitted."""
        await self._delay.finish()

    def close(self) -> None:
        """Discard the rows that are still held back, and end the reading."""
        self._delay.drop()
        self._progress.close(OVERLAP)

    async def _read(self, reader: Reader, binding: Binding, read_order: ReadOrder, start: int | None) -> bool:
        """Read rows in one order, and return whether the limit left none out."""
        left = self._options.limit
        async with aclosing(reader.pages(read_order, since=start)) as answers:
            async for answer in answers:
                found: list[Found] = []
                for row in answer.rows:
                    # Known rows don't count against the limit: an overlap may consist of them.
                    left -= self._merger.judge(row) != "known"
                    if left < 0:
                        break
                    found.append(Found(binding, row.key, row, read_order, start, answer.date))
                await self._delay.add(found, sum(len(row.raw) for row in answer.rows))
                if left < 0:
                    self._add_reason(f"stopped at {self._options.limit:,} rows")
                    return False
                self._date = answer.date
        return True

    def _emit(self, found: Sequence[Found]) -> None:
        self._memory.collect()
        for one in found:
            if one.row is None:
                self._emit_delete(one.key)
            elif self._source == "snapshot":
                self._emit_present(one.row)
            else:
                self._emit_written(one, one.row)
            # A later recovery continues here if the rows were read in the order of their dates.
            if one.row and one.read_order and one.read_order.columns(self._shape)[0] == one.read_order.cursor:
                self._progress.note_reached(one.binding, one.read_order, one.row, one.date)

    def _emit_delete(self, key: Key) -> None:
        held = self._progress.held
        if held is None or key not in held.keys or self._merger.has_streamed(key):
            return
        errors = None if self._rest.passes_row_security else [HIDDEN]
        self._put("DELETE", key=key, errors=errors)
        held.keys.discard(key)
        self._progress.note_emitted(key, None, self._memory.count)

    def _emit_present(self, row: Row) -> None:
        held, verdict = self._progress.held, self._merger.judge(row)
        if verdict == "known":
            if held is not None and not self._merger.has_streamed(row.key):
                held.add(row.key)
        elif verdict != "unknown" or held is None or row.key not in held.keys:
            self._put("INSERT", new=row.raw)
            self._note_emitted(row)

    def _emit_written(self, found: Found, row: Row) -> None:
        verdict = self._merger.judge(row)
        if verdict == "known":
            return
        event = self._event(found, row, verdict)
        if event is None:
            return
        self._put(event, new=row.raw, key=row.key if event == "UPDATE" else None)
        self._note_emitted(row)

    def _note_emitted(self, row: Row) -> None:
        self._progress.note_emitted(row.key, row.stamp, self._memory.count)
        if self._progress.held is not None:
            self._progress.held.add(row.key)

    def _event(self, found: Found, row: Row, verdict: Verdict) -> EventType | None:
        """Return the event that the stream would have delivered, or None if the binding excludes it."""
        wanted = found.binding.event
        if verdict == "cut":
            return "INSERT" if wanted == "INSERT" else "UPDATE"
        is_new = self._is_new(found, row, verdict)
        if wanted == "UPDATE":
            written, created = row.stamp
            was_updated = written is not None and created is not None and written > created
            return "UPDATE" if was_updated or not is_new else None
        if wanted == "INSERT":
            return "INSERT" if is_new else None
        return "INSERT" if is_new else "UPDATE"

    def _is_new(self, found: Found, row: Row, verdict: Verdict) -> bool:
        if verdict != "unknown":
            return verdict == "gone before"
        held = self._progress.held
        if held is not None and (held.is_whole or row.key in held.keys):
            return row.key not in held.keys
        if found.start is None:
            return True
        created = row.stamp[1]
        return created is not None and created >= found.start

    def _put(
        self,
        event: EventType,
        *,
        new: Raw = EMPTY,
        key: Key | None = None,
        errors: list[str] | None = None,
    ) -> None:
        names = self._shape.key
        old = EMPTY if key is None else Raw(msgspec.json.encode(dict(zip(names, key, strict=True))))
        self._reading.emit(
            Change(
                at=self._options.now(),
                topic=self._options.topic,
                event_type=event,
                schema=self._progress.schema,
                table=self._progress.table,
                commit_timestamp=None,
                new=new,
                old=old,
                errors=errors,
                lag_ms=None,
                source=self._source,
            )
        )

    def _add_reasons_for_undated_updates(self, binding: Binding, cursor: str) -> None:
        if binding.event == "INSERT":
            return
        if cursor == self._shape.created:
            self._add_reason("no column dates its updates: only new rows can be asked for")
        if self._merger.has_untouched:
            self._add_reason(f"an UPDATE left {cursor} as it was: updates can't be asked for")

    def _add_reason(self, reason: str) -> None:
        self._reading.reasons.add(reason, self._progress.name)
