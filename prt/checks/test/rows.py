"""The rows of a test run: each is marked when it is made, and all are removed at the end."""

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
"""The age from which a run is over, even if a process with its number exists."""
PAGE = 1_000
_NOT_OF_ITS_TYPE = "22"
"""The class of the database's errors about a value that a column's type does not take."""
BATCH = 50
"""The number of rows in one DELETE. A larger one is a burst for which the server drops other changes."""
BATCH_PAUSE_SECONDS = 0.5


class Row(Struct, frozen=True):
    """A row as the database last returned it. `mark` is the unique text in its column `column`."""

    mark: str
    values: dict[str, Any]
    column: str

    def is_in(self, change: Change) -> bool:
        """Return whether a change is that of this row.

        The mark is compared or, for a DELETE without the mark, the columns of the key.
        """
        if change.event_type != "DELETE":
            return bool(change.new_row().get(self.column) == self.mark)
        old = change.old_row()
        if self.column in old:
            return bool(old[self.column] == self.mark)
        return bool(old) and all(
            column in self.values and is_same(value, self.values[column]) for column, value in old.items()
        )


class Writes:
    """The writes that are under way. They are never cancelled, because a cancelled write may still be done.

    They also count the rows, so that rows of several identities have different marks.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        """Return the number of the next row."""
        return next(self._numbers)

    async def done(self, write: Coroutine[Any, Any, Written]) -> Written:
        """Wait for a write to end, even if the check that requested it is cancelled."""
        task = asyncio.create_task(write)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until all writes have ended, successfully or not."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Rows:
    """A writer of one table's rows as one identity."""

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
        """Return the name of the column that holds the mark.

        Raises:
            SkippedError: The table has no suitable column.
        """
        if self._column is None:
            self._column = await text_column(self._rest, self._schema, self._table, self._wanted)
        return self._column

    def next_mark(self, tag: str) -> str:
        """Return the mark of the next row, unique in this run."""
        return f"{self._run.mark} {self._writes.next_number()} {tag}"

    async def insert(self, tag: str, mark: str | None = None, **more: Any) -> Row:
        """Insert a row and return it. By its mark, a text in one column, a test recognises its own row.

        Args:
            tag: A word that becomes a part of the mark and says what the row is for.
            mark: The mark; None to make the next one, with `tag`.
            more: Values of further columns.

        Raises:
            SkippedError: The table does not accept the row.
            PrtError: REST failed.
        """
        column = await self.column()
        mark = self.next_mark(tag) if mark is None else mark
        written = await self._writes.done(self._template.insert({column: mark, **more}))
        self._trace.note("rest", f"INSERT {self._name} {mark.removeprefix(self._run.mark).strip()}")
        return Row(mark, written, column)

    async def other_value(self, rest: Rest, column: str, value: Any) -> Any:
        """Return another row's value in a column that differs from `value`; None if there is none.

        Raises:
            PrtError: REST failed.
        """
        parameters = [("select", column), (column, f"neq.{value}"), ("limit", "1")]
        page = await rest.read(self._schema, self._table, parameters)
        return msgspec.json.decode(page.rows[0])[column] if page.rows else None

    async def update(self, row: Row, tag: str, **more: Any) -> Row:
        """Update a row and return it. Its mark changes too, so a check can wait for the new version.

        Raises:
            SkippedError: Policies forbid it.
            PrtError: REST failed.
        """
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
        """Delete a row.

        Raises:
            SkippedError: Policies forbid it.
            PrtError: REST failed.
        """
        gone = await self._rest.delete(self._schema, self._table, _is(row.column, row.mark))
        if not gone:
            raise self._nothing_done("DELETE")
        self._trace.note("rest", f"DELETE {self._name} {row.mark.removeprefix(self._run.mark).strip()}")

    def _nothing_done(self, operation: str) -> SkippedError:
        """Return the error that a write changed no row: policies hide the row and do not raise an error."""
        return SkippedError(
            f"no policy of {self._name} lets this identity {operation} its row; take another {Input.IDENTITY}"
        )


async def is_readable(rest: Rest, settings: Settings, row: Row, conditions: Parameters | None = None) -> bool:
    """Return whether an identity can read the row over REST, and the row meets the conditions.

    Args:
        rest: The identity's REST client.
        settings: The settings, which name the table.
        row: The row.
        conditions: Further conditions as query parameters.

    Raises:
        PrtError: REST failed.
    """
    parameters = [*_is(row.column, row.mark), *(conditions or ())]
    return bool((await rest.read(settings.schema, settings.table, parameters)).rows)


class Swept(Struct, frozen=True):
    """The number of rows that were deleted, and of rows that can be read but not deleted."""

    gone: int
    left: int


class Sweeper:
    """A remover of the rows that test runs have left in a table. Its methods raise what REST raises."""

    def __init__(self, rest: Rest, settings: Settings, *, is_gentle: bool) -> None:
        """Prepare to remove rows as the identity of `rest`.

        `is_gentle` deletes in small batches with pauses, because a burst may cost other clients of the table
        changes.
        """
        self._rest = rest
        self._settings = settings
        self._is_gentle = is_gentle

    async def try_out(self, run: RunId) -> None:
        """Send a DELETE that matches no row, to learn whether rows could be removed before one is made.

        Raises:
            SkippedError: This identity may not delete, or rows of the table can't be deleted.
        """
        column = await self._column()
        try:
            await self._rest.delete(self._settings.schema, self._settings.table, _is(column, run.mark))
        except (RefusedError, RejectedError) as exc:
            name = self._settings.table_name
            if isinstance(exc, RejectedError) and (exc.code or "").startswith(_NOT_OF_ITS_TYPE):
                raise SkippedError(
                    f"{column} of {name} takes no text for the mark; name a text column with {Input.MARKER}"
                ) from exc
            hint = f" ({exc.hint})" if exc.hint else ""
            raise SkippedError(f"rows of {name} could not be removed again: {exc.message}{hint}") from exc

    async def sweep_all(self) -> Swept:
        """Delete every marked row of every run."""
        return await self._sweep(lambda _: True)

    async def sweep_dead(self) -> Swept:
        """Delete the rows of runs that can't be under way any more."""
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
    """Return whether a run can't be under way: its process is gone, or it began too long ago.

    `now` is in seconds since the epoch.
    """
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
