"""The canary: a row that is written and removed every minute, to measure how long changes take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from prt.checks.test.outcomes import SkippedError
from prt.checks.test.row_factory import Owner
from prt.checks.test.rows import Row, Rows, Sweeper, Writes, this_run
from prt.checks.test.settings import Settings
from prt.checks.test.trace import Trace
from prt.clock import wall_clock
from prt.errors import PrtError, RefusedError, UsageError
from prt.events import Change, Event, Vitals
from prt.state.metrics import Beat
from prt.stream.rest.answers import RejectedError
from prt.stream.rest.client import Rest

EVERY_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 15.0
"""How long a row is awaited: longer than any server's polling, and shorter than the time to the next row."""
_UP: Final = ("ready", "degraded")


class Canary:
    """A consumer of events that waits for its own rows."""

    def __init__(
        self,
        rest: Rest,
        schema: str,
        table: str,
        note: Callable[[Beat], None],
        *,
        every: float = EVERY_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Prepare the canary.

        Args:
            rest: The client for the writes.
            schema: The schema of the table.
            table: The table in which the row is written.
            note: Gets each result.
            every: Seconds between two rows.
            patience: Seconds to wait for a row.
        """
        self._settings = Settings(schema=schema, table=table, is_table_named=True)
        self._run = this_run()
        self._writes = Writes()
        self._rows = Rows(
            rest, self._settings, self._run, trace=Trace(), writes=self._writes, owner=Owner(rest.user)
        )
        self._sweeper = Sweeper(rest, self._settings, is_gentle=True)
        self._note = note
        self._every = every
        self._patience = patience
        self._column = ""
        self._mark: str | None = None
        self._may_delete = True
        self._is_up = asyncio.Event()
        self._arrived: asyncio.Future[float] | None = None

    def consume(self, event: Event) -> None:
        """Check whether an event is the awaited row, and note whether changes flow."""
        if type(event) is Vitals:
            if event.phase in _UP:
                self._is_up.set()
            else:
                self._is_up.clear()
        elif type(event) is Change and self._is_of_ours(event):
            arrived = self._arrived
            if arrived is not None and not arrived.done():
                arrived.set_result(time.monotonic())

    def flush(self) -> None:
        """Return at once, because `consume` checks each event."""

    async def prepare(self) -> None:
        """Find the column for the mark, and remove the rows of former watches.

        Raises:
            UsageError: The table doesn't accept rows, or they couldn't be removed again.
            PrtError: REST can't be reached.
        """
        try:
            self._column = await self._rows.column()
            await self._sweeper.try_out(self._run)
            await self._sweeper.sweep_dead()
        except SkippedError as exc:
            reason = exc.reason.partition(";")[0]
            raise UsageError(
                f"no canary: {reason}", "name a table whose rows you may make and remove"
            ) from exc

    @asynccontextmanager
    async def running(self, complain: Callable[[PrtError], None]) -> AsyncIterator[None]:
        """Write rows during the block, and remove them at its end. `complain` gets errors."""
        task = asyncio.create_task(self._keep_writing(complain))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._writes.settle()
            try:
                await self._sweeper.sweep_own(self._run)
            except PrtError as exc:
                complain(
                    PrtError(
                        f"a canary row may be left in {self._settings.table_name}: {exc.message}",
                        "the cleaning of `prt test` removes it",
                    )
                )

    async def _keep_writing(self, complain: Callable[[PrtError], None]) -> None:
        was_well = True
        while True:
            await self._is_up.wait()
            began = time.monotonic()
            error = await self._beat()
            if error is not None and was_well:
                complain(error)
            was_well = error is None
            if not self._may_delete:
                return  # one row is left already; each further one would be, too
            await asyncio.sleep(max(began + self._every - time.monotonic(), 0))

    async def _beat(self) -> PrtError | None:
        """Write a row, wait for it, and remove it. Return the error, if any."""
        at, began = wall_clock(), time.monotonic()
        self._mark = self._rows.next_mark("canary")
        self._arrived = asyncio.get_running_loop().create_future()
        row: Row | None = None
        delay: float | None = None
        try:
            if not self._column:
                await self.prepare()
            async with asyncio.timeout(self._patience):
                row = await self._rows.insert("canary", self._mark)
                delay = await self._arrived - began
        except TimeoutError:
            what = "written, but did not come" if row is not None else "could not be written"
            error: PrtError | None = PrtError(
                f"a canary row of {self._settings.table_name} was {what} in {self._patience:g} s",
                "prt status",
            )
        except SkippedError as exc:
            error = PrtError(f"no canary: {exc.reason.partition(';')[0]}")
        except PrtError as exc:
            error = exc
        else:
            error = None
        self._arrived = None
        self._note(Beat(at=at, delay=delay))
        if row is not None:
            try:
                await self._rows.delete(row)
            except (RefusedError, RejectedError, SkippedError) as exc:
                self._may_delete = False
                error = PrtError(
                    f"no further canary: a row of {self._settings.table_name} was not removed: {exc}",
                    f"the row is {row.mark}; name a table whose rows you may remove",
                )
            except PrtError as exc:
                error = error or PrtError(
                    f"a canary row of {self._settings.table_name} was not removed: {exc}"
                )
        return error

    def _is_of_ours(self, change: Change) -> bool:
        if change.event_type != "INSERT" or (change.schema, change.table) != (
            self._settings.schema,
            self._settings.table,
        ):
            return False
        return bool(change.new_row().get(self._column) == self._mark)
