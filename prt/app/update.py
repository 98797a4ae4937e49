"""One optimistic write as a source of events: what came of the row, what was decided, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
from msgspec import Raw

from prt.app.loop import Source
from prt.cli.options.assignments import equals
from prt.errors import PrtError
from prt.events import Change, End, Event, Status
from prt.state.rows.difference import said
from prt.state.update import Update
from prt.stream.rest.client import Rest
from prt.stream.socket.queue import EventQueue

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class Updating:
    """Waits for READY, writes, waits for the echo; its last event is an `End`.

    `failure` is why the row was rolled back. What keeps the subscription from READY is raised, and nothing
    is written then.
    """

    def __init__(
        self, live: Source, rest: Rest, update: Update, *, unless: dict[str, Raw], timeout: float
    ) -> None:
        """`unless` are the values that the row must still have; `timeout` seconds to the echo."""
        self._live = live
        self._rest = rest
        self._update = update
        self._unless = unless
        self._timeout = timeout
        self._queue = EventQueue()
        self._is_ready = asyncio.Event()
        self._is_confirmed = asyncio.Event()
        self._working: asyncio.Task[None] | None = None
        self.failure: PrtError | None = None

    async def __aenter__(self) -> EventQueue:
        self._working = asyncio.create_task(self._work())
        return self._queue

    async def __aexit__(self, *_: object) -> None:
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working
        if self._update.confirmed_at is None and self.failure is None:
            self._update.roll_back("stopped before it was confirmed", _now())
        self._queue.close()

    async def _work(self) -> None:
        try:
            async with self._live as batches:
                reading = asyncio.create_task(self._read(batches))
                writing = asyncio.create_task(self._write())
                try:
                    await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (reading, writing):
                        task.cancel()
                    results = await asyncio.gather(reading, writing, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result
        except Exception as exc:
            self._queue.close(exc)

    async def _read(self, batches: AsyncIterator[list[Event]]) -> None:
        async for batch in batches:
            for event in batch:
                if isinstance(event, Change):
                    self._take(event)
                    continue
                self._queue.put(event)
                if isinstance(event, Status) and event.status == "READY":
                    self._is_ready.set()

    def _take(self, change: Change) -> None:
        if not self._update.concerns(change):
            return
        self._queue.put(change)
        for conflict in self._update.apply(change):
            self._queue.put(conflict)
        self._look()

    def _look(self) -> None:
        if self._update.confirmed_at is not None:
            self._is_confirmed.set()

    async def _write(self) -> None:
        await self._is_ready.wait()
        try:
            await self._do()
        except PrtError as exc:
            # Whatever class of error it is elsewhere, here a write did not succeed, which is exit code 1.
            self._fail(PrtError(exc.message, exc.hint), "error")
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._is_confirmed.wait()
        except TimeoutError:
            error = PrtError(
                f"committed, but its change did not come back over realtime in {self._timeout:g} s",
                "the write stands in the database; may this identity read the row as it is now?",
            )
            self._fail(error, "timeout")
            return
        self._queue.put(End(at=_now(), reason="expect", exit_code=0, events=0))

    async def _do(self) -> None:
        update, rest = self._update, self._rest
        row = await self._present()
        if row is None:
            raise PrtError(
                f"no row {update.key_text} in {update.table} that this identity may read",
                "check the KEY, and as whom you write (--as)",
            )
        update.found(row, _now())
        update.apply_locally(_now())
        parameters = [*equals(update.key), *equals(self._unless)]
        rows = await rest.update(update.schema, update.table, parameters, update.values)
        if not rows:
            raise await self._untouched()
        for conflict in update.commit(rows[0], _now()):
            self._queue.put(conflict)
        self._look()

    async def _present(self) -> Raw | None:
        update = self._update
        page = await self._rest.read(
            update.schema, update.table, [*equals(update.key), ("select", "*"), ("limit", "2")]
        )
        if len(page.rows) > 1:
            raise PrtError(
                f"{update.key_text} names more than one row", "name the whole key: COL=VALUE,COL=VALUE"
            )
        return page.rows[0] if page.rows else None

    async def _untouched(self) -> PrtError:
        """Why the database changed no row."""
        row = await self._present()
        if row is None:
            return PrtError("the row is gone, or no longer visible", "somebody else was faster")
        columns = _columns_of(row)
        others = [
            f"{name} is {said(columns[name]) if name in columns else 'no column'}"
            for name, value in self._unless.items()
            if name not in columns or said(columns[name]) != said(value)
        ]
        if others:
            return PrtError(f"somebody else has changed it: {', '.join(others)}", "nothing was written")
        return PrtError(
            "0 rows were changed: a row level security policy lets this identity read the row, not write it",
            f"look at the UPDATE policies of {self._update.schema}.{self._update.table}",
        )

    def _fail(self, error: PrtError, reason: str) -> None:
        self.failure = error
        self._update.roll_back(error.message, _now())
        self._queue.put(
            End(at=_now(), reason="timeout" if reason == "timeout" else "error", exit_code=1, events=0)
        )


def _now() -> int:
    return time.time_ns() // 1000
