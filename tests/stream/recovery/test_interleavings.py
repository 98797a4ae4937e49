"""Any interleaving of writes, stream, losses, backfill and snapshot ends in the rows of the database.

A model stands for the server: its rows, and its log of changes, of which the stream delivers one after
the other while it is up. Whoever reads gets the rows of that moment. What is held back waits until the
stream has delivered what was committed when it was read: the one thing that time guarantees outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from prt.events import EMPTY, Change, Event, EventType, Gap, Loaded
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.recovery import latest_rows as latest_rows_module
from prt.stream.recovery import progress as progress_module
from prt.stream.recovery import row_reader as row_reader_module
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.delay import Budget
from prt.stream.recovery.options import Options
from prt.stream.recovery.row_reader import DELETES_UNASKED, Found
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Answer, ReadOrder, Row, Shape

TABLE = "public.notes"
BINDINGS = [Binding(table="notes")]
SHAPE = Shape(key=("id",), written="updated_at", created="created_at")
START = 1_700_000_000_000_000
SECOND = 1_000_000
OVERLAP = 5 * SECOND
PAGE = 2


class Model:
    """`emitted` are (row, version, source) in the order of the output: each change of a row is a version."""

    passes_row_security = True
    answered_at = None

    def __init__(self) -> None:
        self.now = START
        self.rows: dict[int, dict[str, Any]] = {}
        self.log: list[Change] = []
        self.deleted: dict[int, int] = {}
        self.delivered = 0
        self.is_up = False
        self.emitted: list[tuple[int, int, str]] = []
        self.shown: set[int] = set()
        self.gaps: list[Gap] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.due: list[tuple[int, asyncio.Future[None]]] = []

    def write(self, key: int, *, is_delete: bool, age: int) -> None:
        """A transaction that began `age` µs ago commits."""
        self.now += 1000
        version, commit, began = len(self.log) + 1, values.timestamp(self.now), self.now - age
        former = self.rows.get(key)
        if is_delete:
            if former is None:
                return
            del self.rows[key]
            self.deleted[key] = version
            self._commit("DELETE", commit, {}, {"id": key})
            return
        dated = values.timestamp(began)
        created = dated if former is None else former["created_at"]
        self.rows[key] = {"id": key, "version": version, "created_at": created, "updated_at": dated}
        kind: EventType = "INSERT" if former is None else "UPDATE"
        self._commit(kind, commit, self.rows[key], {} if former is None else {"id": key})

    def _commit(self, kind: EventType, commit: str, new: dict[str, Any], old: dict[str, Any]) -> None:
        self.log.append(
            Change(
                at=self.now,
                topic="t",
                event_type=kind,
                schema="public",
                table="notes",
                commit_timestamp=commit,
                new=Raw(msgspec.json.encode(new)) if new else EMPTY,
                old=Raw(msgspec.json.encode(old)) if old else EMPTY,
            )
        )

    def tell(self, event: Event, version: int | None = None) -> None:
        """A change with its version, which of one that was read is the row's own, or that of its delete."""
        if isinstance(event, Loaded):
            return
        assert isinstance(event, Change)
        row = event.old_row() if event.event_type == "DELETE" else event.new_row()
        version = version or row.get("version", self.deleted.get(row["id"]))
        assert version is not None, f"deleted, it says: {row}"
        self.emitted.append((row["id"], version, event.source))
        (self.shown.discard if event.event_type == "DELETE" else self.shown.add)(row["id"])

    async def turn(self) -> list[dict[str, Any]]:
        """The rows at the moment when the script lets somebody read."""
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future
        return [dict(row) for row in self.rows.values()]

    async def until_delivered(self, count: int) -> None:
        if self.delivered < count:
            future = asyncio.get_running_loop().create_future()
            self.due.append((count, future))
            await future


class ModelReader:
    """What `Reader` does, against the model; two rows a page."""

    def __init__(self, rest: Rest, binding: Binding, shape: Shape) -> None:
        self._model = cast(Model, rest)

    async def pages(self, read_order: ReadOrder, *, since: int | None) -> AsyncIterator[Answer]:
        if read_order.where:
            return
        behind: tuple[Any, ...] = ()
        while True:
            rows = [_row(row) for row in await self._model.turn()]
            place = _dated if read_order.cursor else _named
            rows = sorted((row for row in rows if place(row) > behind), key=place)
            rows = [row for row in rows if read_order.cursor is None or since is None or _date(row) >= since][
                :PAGE
            ]
            if not rows:
                return
            yield Answer(rows, None)
            behind = place(rows[-1])

    async def latest(self, read_order: ReadOrder, limit: int) -> Answer:
        if read_order.where:
            return Answer([], None)
        rows, count = await self._model.turn(), len(self._model.log)
        await self._model.until_delivered(count)
        return Answer(sorted(map(_row, rows), key=_dated, reverse=True)[:limit], None)

    async def has_undated(self, column: str) -> bool:
        return False

    async def keys(self) -> AsyncIterator[list[values.Key]]:
        yield [(row["id"],) for row in await self._model.turn()]

    async def present(
        self, keys: Sequence[values.Key]
    ) -> AsyncIterator[tuple[Sequence[values.Key], set[values.Key]]]:
        yield keys, {(row["id"],) for row in await self._model.turn()} & set(keys)


class ModelDelay:
    """What `Delay` does, its time being the stream's."""

    model: Model

    def __init__(self, seconds: float, budget: Budget, tell: Callable[[Sequence[Found]], None]) -> None:
        self._tell = tell
        self._held: list[tuple[int, Sequence[Found]]] = []

    async def add(self, rows: Sequence[Found], weight: int) -> None:
        self._held.append((len(self.model.log), rows))
        while self._held and self._held[0][0] <= self.model.delivered:
            self._tell(self._held.pop(0)[1])

    async def finish(self) -> None:
        while self._held:
            await self.model.until_delivered(self._held[0][0])
            self._tell(self._held.pop(0)[1])

    def drop(self) -> None:
        self._held.clear()


def _row(row: dict[str, Any]) -> Row:
    stamp = (values.moment(row["updated_at"]), values.moment(row["created_at"]))
    return Row((row["id"],), Raw(msgspec.json.encode(row)), stamp, ())


def _date(row: Row) -> int:
    return row.stamp[0] or 0


def _dated(row: Row) -> tuple[Any, ...]:
    return (_date(row), row.key)


def _named(row: Row) -> tuple[Any, ...]:
    return row.key


class Watch:
    """The model's stream and a recovery, driven step by step."""

    def __init__(self, model: Model, *, keeps_snapshot: bool) -> None:
        self.model = model
        self.recovery = Recovery(
            cast(Rest, model),
            BINDINGS,
            Options(settle_seconds=0, keeps_snapshot=keeps_snapshot, now=lambda: model.now),
        )
        self.task: asyncio.Task[None] | None = None
        self.open: Gap | None = None
        self.was_ready = False

    async def step(self, step: tuple[Any, ...]) -> None:
        model = self.model
        match step:
            case ("write", key, is_delete, age):
                model.write(key, is_delete=is_delete, age=age)
            case ("pass", microseconds):
                while model.is_up and model.delivered < len(model.log):
                    self._deliver()  # no change takes that long
                model.now += microseconds
            case ("deliver",) if model.is_up and model.delivered < len(model.log):
                self._deliver()
            case ("garble",) if model.is_up and model.delivered < len(model.log):
                await self._interrupt()
                model.delivered += 1
                self._recover()
            case ("lose",) if model.is_up:
                model.is_up = False
                await self._interrupt()
            case ("ready", early) if not model.is_up:
                self._ready(early)
            case ("read",):
                while model.waiting:
                    future = model.waiting.pop(0)
                    if not future.done():
                        future.set_result(None)
                        break
        await self._settled()

    async def finish(self) -> None:
        """The connection holds, everything arrives."""
        await self.step(("ready", 0))
        for _ in range(1000):
            if (self.task is None or self.task.done()) and self.model.delivered == len(self.model.log):
                break
            await self.step(("deliver",))
            await self.step(("read",))
        assert self.task is not None
        await self.task

    def _deliver(self) -> None:
        model = self.model
        change = msgspec.structs.replace(model.log[model.delivered], at=model.now)
        self.recovery.observe(change)
        model.delivered += 1
        model.tell(change, version=model.delivered)
        for count, future in model.due:
            if count <= model.delivered and not future.done():
                future.set_result(None)

    async def _interrupt(self) -> None:
        """Something was lost: the gap is open, and whoever reads is stopped."""
        model = self.model
        start = model.now - OVERLAP
        if self.open is not None:
            start = min(start, self.open.start)
        self.open = Gap(at=model.now, start=start, end=model.now, tables=[TABLE], cause="lost")
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        model.waiting.clear()
        model.due.clear()

    def _ready(self, early: int) -> None:
        """`early` changes that committed before READY still come."""
        model = self.model
        model.is_up = True
        model.now += 1000
        model.delivered = max(model.delivered, len(model.log) - early)
        while self.was_ready and model.delivered < len(model.log):
            self._deliver()
        self.was_ready = True
        if self.open is None:
            self.task = asyncio.create_task(self.recovery.begin(BINDINGS, model.tell))
        else:
            self._recover()

    def _recover(self) -> None:
        assert self.open is not None
        self.open = msgspec.structs.replace(self.open, end=self.model.now)
        self.task = asyncio.create_task(self._recovered(self.open))

    async def _recovered(self, gap: Gap) -> None:
        self.model.gaps.append(await self.recovery.recover(gap, BINDINGS, self.model.tell))
        self.open = None

    @staticmethod
    async def _settled() -> None:
        for _ in range(12):
            await asyncio.sleep(0)


async def played(steps: Sequence[tuple[Any, ...]], *, keeps_snapshot: bool) -> tuple[Model, int]:
    """The model at the end, and how much of its log stood at the first READY."""
    model = Model()
    ModelDelay.model = model
    for key in (1, 2, 3):
        model.write(key, is_delete=False, age=0)
    model.now += 20 * SECOND
    before, model.delivered = len(model.log), len(model.log)
    watch = Watch(model, keeps_snapshot=keeps_snapshot)
    await watch.step(("ready", 0))
    for step in steps:
        await watch.step(step)
    await watch.finish()
    return model, before


async def shape_of(*_: object) -> Shape:
    return SHAPE


def play(steps: Sequence[tuple[Any, ...]], *, keeps_snapshot: bool) -> tuple[Model, int]:
    with (
        patch.object(latest_rows_module, "Reader", ModelReader),
        patch.object(row_reader_module, "Reader", ModelReader),
        patch.object(progress_module, "shape_of", shape_of),
        patch.object(row_reader_module, "Delay", ModelDelay),
    ):
        return asyncio.run(played(steps, keeps_snapshot=keeps_snapshot))


WRITE = st.tuples(
    st.just("write"),
    st.integers(1, 5),
    st.sampled_from([False, False, True]),
    st.integers(0, OVERLAP // 2 - 1),
)
STEPS = st.lists(
    st.one_of(
        WRITE,
        WRITE,
        st.just(("deliver",)),
        st.just(("deliver",)),
        st.just(("read",)),
        st.just(("read",)),
        st.tuples(st.just("pass"), st.integers(0, 8 * SECOND)),
        st.just(("lose",)),
        st.just(("garble",)),
        st.tuples(st.just("ready"), st.integers(0, 2)),
    ),
    max_size=60,
)


LOADED = [("read",)] * 4
DELETED_WHILE_KEYS_ARE_COMPARED = [
    *LOADED,
    ("lose",),
    ("ready", 0),
    *[("read",)] * 3,
    ("write", 1, True, 0),
    ("read",),
    ("read",),
    ("deliver",),
]

LATE_AND_EARLY = [
    *LOADED,
    ("write", 4, False, 0),
    ("deliver",),
    ("lose",),
    ("write", 1, False, 0),
    ("pass", 8 * SECOND),
    ("write", 2, False, 0),
    ("ready", 1),
]


@pytest.mark.parametrize("keeps_snapshot", [False, True])
@example(steps=LATE_AND_EARLY)
@example(steps=DELETED_WHILE_KEYS_ARE_COMPARED)
@settings(max_examples=400, deadline=None)
@given(steps=STEPS)
def test_every_interleaving_ends_in_the_rows_of_the_database(
    keeps_snapshot: bool, steps: list[tuple[Any, ...]]
) -> None:
    model, before = play(steps, keeps_snapshot=keeps_snapshot)
    last: dict[int, int] = {}
    for key, version, source in model.emitted:
        assert version > last.get(key, 0), f"row {key} is told again by {source}: {model.emitted}"
        last[key] = version
    excused = any(gap.cause not in ("lost", f"lost; {DELETES_UNASKED}") for gap in model.gaps)
    for key, row in model.rows.items():
        if (row["version"] > before and not excused) or keeps_snapshot:
            assert last.get(key) == row["version"], f"row {key} was lost: {model.emitted}"
    if keeps_snapshot and not excused:
        assert model.shown == set(model.rows)
    assert all(not gap.complete or keeps_snapshot for gap in model.gaps)
