"""The rows of a test run: marked when they are made, and none left at its end."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from prt.checks.test.outcomes import SkippedError
from prt.checks.test.row_factory import Owner, Template, text_column
from prt.checks.test.settings import MARK, RunId, Settings, new_run, run_of, this_host
from prt.checks.test.trace import Trace
from prt.errors import RefusedError
from prt.events import Change
from prt.inputs import Input
from prt.stream.filters.postgrest import Parameters
from prt.stream.rest.answers import RejectedError
from prt.stream.rest.client import Rest
from prt.stream.values import is_same

Written = TypeVar("Written")

ABANDONED_SECONDS = 6 * 3600
"""A run that began before is over, whoever has its process number now."""
PAGE = 1_000
BATCH = 50
"""Rows that go in one DELETE: a larger one is a burst that makes the server drop changes of others."""
BATCH_PAUSE_SECONDS = 0.5


class Row(Struct, frozen=True):
    """A row as the database last returned it; `mark` is its text, unique to it."""

    mark: str
    values: dict[str, Any]
    column: str

    def is_in(self, change: Change) -> bool:
        """Whether a change is of this row, by its mark; a DELETE by the key that it carries."""
        if change.event_type != "DELETE":
            return bool(change.new_row().get(self.column) == self.mark)
        old = change.old_row()
        if self.column in old:
            return bool(old[self.column] == self.mark)
        return bool(old) and all(
            column in self.values and is_same(value, self.values[column]) for column, value in old.items()
        )


class Writes:
    """Writes that are under way: one that was cancelled may still be done, so they are never cancelled.

    It also numbers the rows, because those of several identities must not have the same mark.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        """Return the number of the next row."""
        return next(self._numbers)

    async def done(self, write: Coroutine[Any, Any, Written]) -> Written:
        """Await a write to its end, even if the check that asked for it is cancelled."""
        task = asyncio.create_task(write)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Waits for them, whatever becomes of them."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Rows:
    """Writes as one identity into one table."""

    def __init__(
        self,
        rest: Rest,
        settings: Settings,
        run: RunId,
        *,
        trace: Trace,
        writes: Writes,
        owner: Owner,
    ) -> None:
        self._rest = rest
        self._schema, self._table = settings.schema, settings.table
        self._name = settings.table_name
        self._wanted = settings.marker
        self._run = run
        self._trace = trace
        self._writes = writes
        self._template = Template(rest, self._schema, self._table, owner)
        self._column: str | None = None

    async def column(self) -> str:
        """The one with the mark. Raises SkippedError."""
        if self._column is None:
            self._column = await text_column(self._rest, self._schema, self._table, self._wanted)
        return self._column

    def next_mark(self, tag: str) -> str:
        """Return the mark of the next row, unique in this run."""
        return f"{self._run.mark} {self._writes.next_number()} {tag}"

    async def insert(self, tag: str, mark: str | None = None, **more: Any) -> Row:
        """Raises SkippedError where the table takes none, and what REST raises."""
        column = await self.column()
        mark = self.next_mark(tag) if mark is None else mark
        written = await self._writes.done(self._template.insert({column: mark, **more}))
        self._trace.note("rest", f"INSERT {self._name} {mark.removeprefix(self._run.mark).strip()}")
        return Row(mark, written, column)

    async def other_value(self, rest: Rest, column: str, value: Any) -> Any:
        """Return what another row has in a column, None if there is none. Raises what REST raises."""
        parameters = [("select", column), (column, f"neq.{value}"), ("limit", "1")]
        page = await rest.read(self._schema, self._table, parameters)
        return msgspec.json.decode(page.rows[0])[column] if page.rows else None

    async def update(self, row: Row, tag: str, **more: Any) -> Row:
        """Another mark: another row for whoever waits. Raises SkippedError where policies forbid it."""
        mark = self.next_mark(tag)
        changed = await self._writes.done(
            self._rest.update(
                self._schema, self._table, _is(row.column, row.mark), {**more, row.column: mark}
            )
        )
        if not changed:
            raise self._nothing_done("UPDATE")
        self._trace.note("rest", f"UPDATE {self._name} {mark.removeprefix(self._run.mark).strip()}")
        return Row(mark, dict(msgspec.json.decode(changed[0])), row.column)

    async def delete(self, row: Row) -> None:
        """Raises SkippedError where policies forbid it."""
        gone = await self._rest.delete(self._schema, self._table, _is(row.column, row.mark))
        if not gone:
            raise self._nothing_done("DELETE")
        self._trace.note("rest", f"DELETE {self._name} {row.mark.removeprefix(self._run.mark).strip()}")

    def _nothing_done(self, doing: str) -> SkippedError:
        """Policies make no error of it: the row is none of those that may be written."""
        return SkippedError(
            f"no policy of {self._name} lets this identity {doing} its row; take another {Input.IDENTITY}"
        )


async def is_readable(rest: Rest, settings: Settings, row: Row, conditions: Parameters | None = None) -> bool:
    """Return whether REST shows an identity the row, and it meets the conditions. Raises what REST raises."""
    parameters = [*_is(row.column, row.mark), *(conditions or ())]
    return bool((await rest.read(settings.schema, settings.table, parameters)).rows)


class Swept(Struct, frozen=True):
    """Rows that are gone, and rows that may be read but not deleted."""

    gone: int
    left: int


class Sweeper:
    """Removes rows that test runs have left in a table, as an identity that may. Raises what REST raises."""

    def __init__(self, rest: Rest, settings: Settings, *, is_gentle: bool) -> None:
        """`is_gentle`: others may be watching the table, which a burst would cost changes."""
        self._rest = rest
        self._settings = settings
        self._is_gentle = is_gentle

    async def try_out(self, run: RunId) -> None:
        """A DELETE of nothing: whoever may not delete, and a table that can't lose rows, is told apart by it.

        Raises SkippedError, before a row is made that would have to stay.
        """
        column = await self._column()
        try:
            await self._rest.delete(self._settings.schema, self._settings.table, _is(column, run.mark))
        except (RefusedError, RejectedError) as exc:
            hint = f" ({exc.hint})" if exc.hint else ""
            name = self._settings.table_name
            raise SkippedError(f"rows of {name} could not be removed again: {exc.message}{hint}") from exc

    async def sweep_all(self) -> Swept:
        """Every marked row, of whatever run."""
        return await self._sweep(lambda _: True)

    async def sweep_dead(self) -> Swept:
        """The rows of runs that can't be under way any more."""
        return await self._sweep(lambda run: run is None or is_over(run, time.time()))

    async def sweep_own(self, run: RunId) -> Swept:
        """Delete the rows of one run."""
        return await self._sweep(lambda other: other == run)

    async def _sweep(self, is_wanted: Callable[[RunId | None], bool]) -> Swept:
        column = await self._column()
        swept = 0
        spared: set[str] = set()
        while True:
            marks = await self._marks(column)
            wanted = [mark for mark in marks if mark not in spared and is_wanted(run_of(mark))]
            if not wanted:
                return Swept(swept, len(spared))
            batch = wanted[:BATCH] if self._is_gentle else wanted
            for start in range(0, len(batch), BATCH):
                gone = await self._delete(column, batch[start : start + BATCH])
                spared.update(set(batch[start : start + BATCH]) - gone)
                swept += len(gone)
            if self._is_gentle and len(wanted) > BATCH:
                await asyncio.sleep(BATCH_PAUSE_SECONDS)

    async def _column(self) -> str:
        settings = self._settings
        return await text_column(self._rest, settings.schema, settings.table, settings.marker)

    async def _marks(self, column: str) -> list[str]:
        parameters = [("select", column), (column, f"like.{MARK}*"), ("limit", str(PAGE))]
        page = await self._rest.read(self._settings.schema, self._settings.table, parameters)
        return [str(next(iter(msgspec.json.decode(row).values()))) for row in page.rows]

    async def _delete(self, column: str, marks: list[str]) -> set[str]:
        quoted = ",".join('"' + mark.replace("\\", "\\\\").replace('"', '\\"') + '"' for mark in marks)
        gone = await self._rest.delete(
            self._settings.schema, self._settings.table, [(column, f"in.({quoted})")]
        )
        return {str(msgspec.json.decode(row)[column]) for row in gone}


def is_over(run: RunId, now: float) -> bool:
    """Whether a run can't be under way: its process is gone, or nobody tests for so long."""
    is_old = now - run.started > ABANDONED_SECONDS
    return is_old or (run.host == this_host() and not _is_alive(run.pid))


def this_run() -> RunId:
    """Return the id of this process's run."""
    return new_run(os.getpid())


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():  # a container gives its first process the same number each time
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is(column: str, mark: str) -> list[tuple[str, str]]:
    return [(column, f"eq.{mark}")]
