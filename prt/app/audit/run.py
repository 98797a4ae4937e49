"""A running audit: the reader of the log, the judge, the probe and the live channel feed one account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.errors import PrtError, ReaderGoneError, UnreachableError
from prt.events import Change, Event, Gap, Status
from prt.inputs import Input
from prt.state.audit.accounting import Audit
from prt.stream.binding import Binding
from prt.stream.database.change_log import ChangeLog
from prt.stream.database.judging import Identity, Judge
from prt.stream.database.preflight import WILDCARD, Database, check_filter
from prt.stream.database.probe import Probe
from prt.stream.database.session import DatabaseSession
from prt.stream.database.values import AuditedTable, LoggedChange
from prt.stream.filters import grammar
from prt.stream.live.source import Live
from prt.views.sinks.output import Output

if TYPE_CHECKING:
    from prt.app.audit.request import AuditRequest
    from prt.stream.rest.session import Session
    from prt.views.panels.audit import AuditView

PROBE_SECONDS = 1.0
TICK_SECONDS = 0.1
SILENT_SECONDS = 15.0
"""How long after the end missing changes are awaited if nothing arrives; after that they are lost."""
CAUGHT_UP_SECONDS = 15.0
MICROSECONDS = 1_000_000


class AuditRun:
    """One audit of a project whose database has passed the preflight checks."""

    def __init__(
        self,
        request: AuditRequest,
        session: Session,
        questions: DatabaseSession,
        *,
        database: Database,
        identity: Identity,
    ) -> None:
        url = questions.url
        self.identity = identity
        self._request = request
        self._bindings = explicit(request.bindings, database.tables)
        for table in database.tables:
            for binding in self._bindings:
                if binding.name == table.name:
                    check_filter(table, [one.column for one in grammar.read(binding.filter)])
        self.audit = Audit(database.tables, late_after=round(request.late_after * MICROSECONDS))
        filters = {one.name: grammar.read(one.filter) for one in self._bindings}
        self._judge = Judge(questions, identity, filters)
        self._states = DatabaseSession(url, "prt_audit_probe")
        self._probe = Probe(self._states, database.tables)
        self._log = ChangeLog(
            url,
            database.tables,
            is_asked=self._is_asked,
            deliver=self._apply_logged,
            on_hole=self._note_hole,
        )
        self._live = Live(session, self._bindings)
        self._to_judge: asyncio.Queue[LoggedChange] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._failed: asyncio.Future[PrtError | ReaderGoneError] = asyncio.get_running_loop().create_future()
        self._received_at = 0.0
        self._ready_at = 0
        self._output: Output | None = None

    async def measure(self, output: Output, view: AuditView, caught: list[int]) -> PrtError | None:
        """Count commits and arrivals until the duration is over, something fails or a signal arrives.

        Args:
            output: Gets the events of the audit.
            view: Gets the phases of the audit.
            caught: The signals that arrived, as `prt.signals.stopping` yields them.

        Returns:
            The error that ended the audit after changes were counted; None if there was none.

        Raises:
            PrtError: The audit couldn't start.
            ReaderGoneError: The reader of the output has gone.
        """
        self._output = output
        try:
            async with self._log, self._running():
                view.plugin = self._log.plugin
                return await self._measured(view, caught)
        finally:
            await self._states.close()

    async def _measured(self, view: AuditView, caught: list[int]) -> PrtError | None:
        try:
            await self._until(self._ready.wait())
            await self._probed()
            self.audit.begin(self._ready_at - self.audit.clock_ahead)
            view.began = wall_clock()
            await self._until(asyncio.sleep(self._request.duration))
            self.audit.end(await self._probed())
            view.phase = "waiting for what is on its way"
            await self._until(self._settled())
        except PrtError as exc:
            if not self._ready.is_set():
                raise
            self._stop_now()
            return exc
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not caught or task is None:
                raise
            task.uncancel()
            self._stop_now()
        return None

    def _stop_now(self) -> None:
        self.audit.end(self._now(), interrupted_after=round(self._settle_seconds * MICROSECONDS))

    @property
    def _settle_seconds(self) -> float:
        return max(SILENT_SECONDS, self._request.late_after)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self._probe.slot = self._log.slot
        async with self._live as batches:
            work = (
                self._log.follow(),
                self._judged(),
                self._probing(),
                self._apply_events(batches),
                self._drawn(),
            )
            tasks = [asyncio.create_task(self._guarded(one)) for one in work]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        # A loss that is still open when the channel is closed is a gap as well.
        with suppress(PrtError):
            async for batch in batches:
                for event in batch:
                    if isinstance(event, Gap):
                        self.audit.apply(event)
                        self._write(event)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (PrtError, ReaderGoneError) as exc:
            if not self._failed.done():
                self._failed.set_result(exc)
        except Exception as exc:
            if not self._failed.done():
                self._failed.set_exception(exc)

    async def _until(self, work: Coroutine[Any, Any, Any]) -> None:
        """Wait for `work`, and raise the first error of the audit's other tasks."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task, self._failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if self._failed.done():
            raise self._failed.result()

    async def _apply_events(self, batches: AsyncIterator[list[Event]]) -> None:
        async for batch in batches:
            for event in batch:
                if isinstance(event, Change):
                    self._received_at = time.monotonic()
                    self.audit.apply(event)
                elif isinstance(event, Gap):
                    self.audit.apply(event)
                elif isinstance(event, Status):
                    self._apply_status(event)
                self._write(event)
        raise UnreachableError("the subscription ended")

    def _apply_status(self, status: Status) -> None:
        if status.status == "READY" and not self._ready.is_set():
            self._ready_at = status.at
            self._ready.set()
        elif status.status == "CHANNEL_ERROR" and status.tables and not self._ready.is_set():
            raise UnreachableError(
                f"{', '.join(status.tables)}: {status.reason or 'the subscription was refused'}", status.hint
            )

    async def _judged(self) -> None:
        while True:
            batch = [await self._to_judge.get()]
            while not self._to_judge.empty():
                batch.append(self._to_judge.get_nowait())
            for judgement in await self._judge.judge(batch):
                self.audit.apply(judgement)
            for _ in batch:
                self._to_judge.task_done()

    async def _probing(self) -> None:
        while True:
            await self._probed()
            state = self.audit.state
            if state is not None and (state.retained or 0) > self._request.max_wal:
                raise PrtError(
                    f"the audit's slot held back {state.retained or 0:,} bytes of WAL, and was closed",
                    f"allow more with {Input.MAX_WAL}, or audit at a quieter time",
                )
            await asyncio.sleep(PROBE_SECONDS)

    async def _probed(self) -> int:
        """Read the server's state. Return the time of the state by the server's clock (µs)."""
        self._probe.slot = self._log.slot
        state = await self._probe.state()
        self.audit.apply(state)
        return self._now() if state is None else state.at

    async def _drawn(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._output is not None:
                self._output.drain()

    async def _settled(self) -> None:
        """Wait until the log is read up to now, and nothing is missing or nothing arrives any more."""
        ended = time.monotonic()
        await self._probe.until_read(CAUGHT_UP_SECONDS)
        await self._to_judge.join()
        while not self.audit.is_settled(self._now()):
            if time.monotonic() - max(ended, self._received_at) > self._settle_seconds:
                return
            await asyncio.sleep(TICK_SECONDS)

    def _apply_logged(self, changes: list[LoggedChange]) -> None:
        for change in changes:
            self.audit.apply(change)
            # After the end the queue has to become empty, however busy the database is.
            if change.is_asked and self._judge.needs(change) and self.audit.is_counted(change.committed):
                self._to_judge.put_nowait(change)

    def _note_hole(self, trouble: str) -> None:
        """Report the time in which our own slot was lost as a gap."""
        start, end = self.audit.state.at if self.audit.state else self._now(), self._now()
        self.audit.note_hole(start, end)
        ahead = self.audit.clock_ahead
        self._write(
            Gap(
                at=wall_clock(),
                start=start + ahead,
                end=end + ahead,
                tables=list(self.audit.tables),
                cause=f"the audit's own replication slot was lost ({trouble}): "
                "what was committed then is not counted",
            )
        )

    def _is_asked(self, table: AuditedTable, event: str) -> bool:
        return any(one.name == table.name and one.event in ("*", event) for one in self._bindings)

    def _write(self, event: Event) -> None:
        if self._output is not None:
            self._output.write(event)

    def _now(self) -> int:
        """Return the current time by the database's clock (µs)."""
        return wall_clock() - self.audit.clock_ahead


def explicit(bindings: Sequence[Binding], tables: Sequence[AuditedTable]) -> list[Binding]:
    """Return the bindings, with "*" replaced by the tables that are published now."""
    found: list[Binding] = []
    for binding in bindings:
        if binding.table != WILDCARD:
            found.append(binding)
            continue
        named = [table.table for table in tables if table.schema == binding.schema and table.is_published]
        found += [replace(binding, table=name) for name in named]
    return list(dict.fromkeys(found))
