"""The reader of one table's rows over REST, which emits those that are new, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

import msgspec
from msgspec import Raw, Struct

from prt.events import EMPTY, Change, ChangeSource, Event, EventType
from prt.inputs import filled
from prt.stream.binding import Binding
from prt.stream.recovery.delay import Budget, Holding
from prt.stream.recovery.merging import Verdict
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import HeldKeys, Ledger
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Reader, Road, Row, Shape, roads_of
from prt.stream.values import Key

HIDDEN = "deleted or no longer visible"
DELETES_UNASKED = "deletes can't be asked for without {SNAPSHOT}"
UNDATED = "no column dates its rows: name one with {CURSOR}"
LEAST_OVERLAP = 1_000_000
"""µs of the overlap that a burst must have left for `complete` to hold."""


class Settings(Struct, frozen=True, kw_only=True):
    """`overlap` in µs, `settle_seconds` what the stream may need from a commit to us."""

    overlap: int
    settle_seconds: float
    limit: int
    topic: str
    now: Callable[[], int]


class Found(Struct, frozen=True, gc=False):
    """A row that was read on a road, from a start in µs; without a road, a key that has no row."""

    binding: Binding
    key: Key
    row: Row | None = None
    road: Road | None = None
    start: int | None = None
    date: int | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """The values that all tables of one recovery, or of one snapshot, share.

    `emit` gets the rows that are news, marked with their `source`; `reasons` collects why that may not be
    all.
    """

    rest: Rest
    memory: Memory
    settings: Settings
    source: ChangeSource
    reasons: Reasons
    budget: Budget
    emit: Callable[[Event], None]


class RowReader:
    """Reads the rows of one table and emits those that are news.

    Every method may raise PrtError; `close` has to be called in any case.
    """

    def __init__(self, reading: Reading, ledger: Ledger, shape: Shape) -> None:
        self._reading = reading
        self._rest = reading.rest
        self._memory = reading.memory
        self._settings = reading.settings
        self._source = reading.source
        self._ledger = ledger
        self._shape = shape
        self._date: int | None = None
        self._merger = ledger.open(shape, reading.memory)
        self._holding: Holding[Found] = Holding(reading.settings.settle_seconds, reading.budget, self._tell)

    async def roads(self, binding: Binding, start_of: Callable[[Binding, Road], int | None]) -> None:
        """Every dated row from the start of its road on."""
        if binding.event == "DELETE":
            return
        reader = Reader(self._rest, binding, self._shape)
        roads = roads_of(self._shape, binding)
        if roads[0].cursor is None:
            self._say(filled(UNDATED))
            return
        self._say_which_updates_are_not_dated(binding, roads[0].cursor)
        for road in roads:
            start = start_of(binding, road)
            await self._read(reader, binding, road, start)
        last = roads[-1].cursor
        if last is not None and last == roads[0].cursor and await reader.has_undated(last):
            self._say(f"rows without {last} can't be asked for")

    async def cut(self, bindings: Sequence[Binding], start: int) -> None:
        """Read the rows that the server has cut, by their keys; `start` (µs) is where their gap begins."""
        if self._ledger.has_cut_delete:
            self._say("the server cut a row that was deleted")
        if self._ledger.has_forgotten_cuts:
            self._say("more rows were cut than are kept")
        missing = dict.fromkeys(self._merger.still_cut())
        for binding in bindings:
            if not missing or binding.event == "DELETE":
                continue
            async for answer in Reader(self._rest, binding, self._shape).rows(list(missing)):
                found = [Found(binding, row.key, row, start=start, date=answer.date) for row in answer.rows]
                await self._holding.add(found, sum(len(row.raw) for row in answer.rows))
                for row in answer.rows:
                    missing.pop(row.key, None)
        if missing:
            self._say("rows that the server cut could not be read")

    async def rows(self, binding: Binding, keys: Sequence[Key], start: int) -> None:
        """Read the rows of these keys as they are now; `start` (µs) is where their gap begins."""
        if not keys:
            return
        road = roads_of(self._shape, binding)[0]
        if road.cursor is None:
            self._say(filled(UNDATED))
        else:
            self._say_which_updates_are_not_dated(binding, road.cursor)
        limit = self._settings.limit
        if len(keys) > limit:
            self._say(f"stopped at {limit:,} rows")
        async for answer in Reader(self._rest, binding, self._shape).rows(keys[:limit]):
            found = [Found(binding, row.key, row, start=start, date=answer.date) for row in answer.rows]
            await self._holding.add(found, sum(len(row.raw) for row in answer.rows))

    async def gone(self, binding: Binding, keys: Sequence[Key]) -> None:
        """Take keys that the snapshot showed and that have no row any more."""
        if keys:
            await self._holding.add([Found(binding, key) for key in keys], 0)

    async def snapshot(self, held: HeldKeys, bindings: Sequence[Binding]) -> None:
        """Every row of the bindings, whose keys are held from now on."""
        held.is_whole = True
        for binding in bindings:
            reader = Reader(self._rest, binding, self._shape)
            held.is_whole &= await self._read(reader, binding, Road(cursor=None), None)
        await self.finish()
        self._ledger.held_at = self._date
        self._ledger.snapshots.update(bindings)
        if held.is_whole:
            roads = [(one, road) for one in bindings for road in roads_of(self._shape, one)]
            self._ledger.told_all(roads, self._date)

    async def deletes(self, bindings: Sequence[Binding]) -> None:
        """Emit a DELETE for each row that the snapshot showed and that is gone."""
        held, limit = self._ledger.held, self._settings.limit
        if all(binding.event not in ("*", "DELETE") for binding in bindings):
            return
        if held is None:
            self._say(filled(DELETES_UNASKED))
            return
        if not held.is_whole:
            self._say("deletes can't be told of rows that the snapshot left out")
        before = set(held.keys)
        present: set[Key] = set()
        for binding in bindings:
            async with aclosing(Reader(self._rest, binding, self._shape).keys()) as pages:
                async for keys in pages:
                    present.update(keys)
                    if len(present) > 4 * limit:  # the rest is looked for by key
                        break
        missing = sorted(before - present, key=repr)
        if len(missing) > limit:
            self._say(f"more than {limit:,} rows are gone: not all of them were looked for")
            missing = missing[:limit]
        if not missing:
            return
        reader = Reader(self._rest, bindings[0], self._shape)
        async for asked, there in reader.present(missing):
            gone = [Found(bindings[0], key) for key in asked if key not in there]
            await self._holding.add(gone, 0)

    async def finish(self) -> None:
        """Tells what is still held back."""
        await self._holding.finish()

    def close(self) -> None:
        """Emit what is still held back."""
        self._holding.drop()
        self._ledger.close(self._settings.overlap)

    async def _read(self, reader: Reader, binding: Binding, road: Road, start: int | None) -> bool:
        """Whether that was all."""
        left = self._settings.limit
        async with aclosing(reader.pages(road, since=start)) as answers:
            async for answer in answers:
                found: list[Found] = []
                for row in answer.rows:
                    # What is known costs no place in the limit: an overlap may be full of it.
                    left -= self._merger.judge(row) != "known"
                    if left < 0:
                        break
                    found.append(Found(binding, row.key, row, road, start, answer.date))
                await self._holding.add(found, sum(len(row.raw) for row in answer.rows))
                if left < 0:
                    self._say(f"stopped at {self._settings.limit:,} rows")
                    return False
                self._date = answer.date
        return True

    def _tell(self, found: Sequence[Found]) -> None:
        self._memory.collect()
        for one in found:
            if one.row is None:
                self._tell_delete(one.key)
            elif self._source == "snapshot":
                self._tell_present(one.row)
            else:
                self._tell_written(one, one.row)
            # A later recovery goes on from here, unless the road is in another order.
            if one.row and one.road and one.road.order(self._shape)[0] == one.road.cursor:
                self._ledger.came_to(one.binding, one.road, one.row, one.date)

    def _tell_delete(self, key: Key) -> None:
        held = self._ledger.held
        if held is None or key not in held.keys or self._merger.has_streamed(key):
            return
        errors = None if self._rest.passes_row_security else [HIDDEN]
        self._put("DELETE", key=key, errors=errors)
        held.keys.discard(key)
        self._ledger.told(key, None, self._memory.count)

    def _tell_present(self, row: Row) -> None:
        held, verdict = self._ledger.held, self._merger.judge(row)
        if verdict == "known":
            if held is not None and not self._merger.has_streamed(row.key):
                held.add(row.key)
        elif verdict != "unknown" or held is None or row.key not in held.keys:
            self._put("INSERT", new=row.raw)
            self._told(row)

    def _tell_written(self, found: Found, row: Row) -> None:
        verdict = self._merger.judge(row)
        if verdict == "known":
            return
        event = self._event(found, row, verdict)
        if event is None:
            return
        self._put(event, new=row.raw, key=row.key if event == "UPDATE" else None)
        self._told(row)

    def _told(self, row: Row) -> None:
        self._ledger.told(row.key, row.stamp, self._memory.count)
        if self._ledger.held is not None:
            self._ledger.held.add(row.key)

    def _event(self, found: Found, row: Row, verdict: Verdict) -> EventType | None:
        """Return the change that the stream would have brought; None if the binding does not ask for it."""
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
        held = self._ledger.held
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
                at=self._settings.now(),
                topic=self._settings.topic,
                event_type=event,
                schema=self._ledger.schema,
                table=self._ledger.table,
                commit_timestamp=None,
                new=new,
                old=old,
                errors=errors,
                lag_ms=None,
                source=self._source,
            )
        )

    def _say_which_updates_are_not_dated(self, binding: Binding, cursor: str) -> None:
        if binding.event == "INSERT":
            return
        if cursor == self._shape.created:
            self._say("no column dates its updates: only new rows can be asked for")
        if self._merger.has_untouched:
            self._say(f"an UPDATE left {cursor} as it was: updates can't be asked for")

    def _say(self, reason: str) -> None:
        self._reading.reasons.add(reason, self._ledger.name)
