"""An optimistic update from a request to an exit code, and the update as a source of events."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from prt.app.loop import Ending, Source, follow
from prt.clock import wall_clock
from prt.decoding import decoded
from prt.errors import PrtError
from prt.events import Change, End, Event, Status
from prt.inputs import Input
from prt.state.conditions.bounds import Bounds, Progress
from prt.state.conditions.expectations import Expectations
from prt.state.conditions.matching import Matching
from prt.state.rows.difference import value_text
from prt.state.update import Update
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.filters import postgrest
from prt.stream.rest.answers import UnknownColumnError
from prt.stream.rest.client import Rest
from prt.stream.socket.queue import EventQueue
from prt.views.sinks.stderr import complain, notice

if TYPE_CHECKING:
    from prt.config.project import Project
    from prt.state.screen import Screen
    from prt.views.panels.view import View
    from prt.views.sinks.form import Form

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode
_NAME_KEY: Final = "name the columns of the key: COL=VALUE,COL=VALUE"
_PLAIN: Final = re.compile(r"[\w.:@+-]+")
_NUMBER: Final = re.compile(rb"-?\d.*", re.DOTALL)


class UpdateRequest(Struct, frozen=True, kw_only=True):
    """The request to update a row. Columns and values are raw JSON, as they were typed."""

    project: Project
    form: Form
    schema: str
    table: str
    key: dict[str, Raw]
    values: dict[str, Raw]
    unless: dict[str, Raw]
    """The values that the row must still have."""
    seconds: float
    """How long to wait for the echo."""
    is_quiet: bool = False


def update(request: UpdateRequest) -> int:
    """Write the row, show its progress, and return the exit code.

    Raises:
        PrtError: Something other than the write failed.
    """
    planned = Update(request.schema, request.table, request.key, request.values)
    ending, source = asyncio.run(_followed(request, planned))
    if not (request.form.is_table or request.is_quiet):
        from prt.views.drawing.outcome import outcome

        for line in outcome(planned):
            notice(line)
    if source.failure is not None:
        how = "" if planned.applied_at is None else "rolled back: "
        complain(how + source.failure.message, source.failure.hint)
    if ending.error is not None:
        raise ending.error
    return ending.end.exit_code


async def _followed(request: UpdateRequest, planned: Update) -> tuple[Ending, UpdateSource]:
    from prt.app.sources.refusals import ExplainingSource, Remedies
    from prt.stream.live.source import Live
    from prt.stream.recovery.backfill import Recovery
    from prt.stream.recovery.options import Options
    from prt.stream.rest.session import session_of
    from prt.views.sinks.form import opened

    def views_of(_: Screen) -> list[View]:
        from prt.views.panels.update import UpdateView

        return [UpdateView(planned)]

    binding = Binding(table=request.table, schema=request.schema, filter=filter_of(request.key))
    remedies = Remedies(command="prt update", column=_NAME_KEY)
    keys = {(request.schema, request.table): tuple(request.key)}
    async with session_of(request.project) as session, Rest(lambda: session.endpoint) as rest:
        live = Live(session, [binding], recovery=Recovery(rest, [binding], Options(keys=keys)))
        explained = ExplainingSource(live, rest, remedies=remedies)
        source = UpdateSource(explained, rest, planned, unless=request.unless, timeout=request.seconds)
        with opened(request.form, request.project.host, keys, views_of) as shown:
            progress = Progress(Bounds(), Expectations(), started=asyncio.get_running_loop().time())
            return await follow(source, shown, progress, Matching()), source


def equals(given: dict[str, Raw]) -> postgrest.Parameters:
    """Return PostgREST conditions that select rows with these values."""
    return [
        postgrest.condition(name, "is.null" if bytes(value) == b"null" else f"eq.{_text(value)}")
        for name, value in given.items()
    ]


def filter_of(key: dict[str, Raw]) -> str | None:
    """Return Realtime's filter for the row; None if a value would have to be quoted.

    Without a filter the changes of the row are selected on our side.
    """
    texts = {name: _text(value) for name, value in key.items()}
    if all(not set(name) & set('",=:') and _PLAIN.fullmatch(text) for name, text in texts.items()):
        return ",".join(f"{name}=eq.{text}" for name, text in texts.items())
    return None


def _text(value: Raw) -> str:
    if _NUMBER.fullmatch(bytes(value)):
        return bytes(value).decode()
    return values.text(decoded(value))


class UpdateSource:
    """The events of one update; the last is an `End`.

    The source waits for READY, writes the row, and waits for the echo. `failure` is why the row was rolled
    back. If the subscription doesn't become READY, its error is raised and nothing is written.
    """

    def __init__(
        self, live: Source, rest: Rest, update: Update, *, unless: dict[str, Raw], timeout: float
    ) -> None:
        """Prepare the update.

        Args:
            live: The subscription to the row's changes.
            rest: The client for the write.
            update: The state of the update.
            unless: The values that the row must still have.
            timeout: How many seconds to wait for the echo.
        """
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
            self._update.roll_back("stopped before it was confirmed", wall_clock())
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
                    self._process(event)
                    continue
                self._queue.put(event)
                if isinstance(event, Status) and event.status == "READY":
                    self._is_ready.set()

    def _process(self, change: Change) -> None:
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
            # Whatever the class of the error, the write failed, which is exit code 1.
            self._fail(PrtError(exc.message, exc.hint), "error")
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._is_confirmed.wait()
        except TimeoutError:
            what = f"committed, but its change did not come back over realtime in {self._timeout:g} s"
            self._fail(PrtError(what, await self._why_unconfirmed()), "timeout")
            return
        self._queue.put(End(at=wall_clock(), reason="expect", exit_code=0, events=0))

    async def _why_unconfirmed(self) -> str:
        """Return why a committed write had no echo: row level security, if the row can't be read."""
        try:
            is_readable = await self._present() is not None
        except PrtError:
            is_readable = False
        if not is_readable:
            return "the write stands in the database; this identity may not read the row as it is now"
        return (
            "the write stands in the database, and this identity may read it: the server dropped the change "
            "above its rate of messages a second, or `prt status` finds what keeps changes away"
        )

    async def _do(self) -> None:
        update, rest = self._update, self._rest
        row = await self._present()
        if row is None:
            raise PrtError(
                f"no row {update.key_text} in {update.table} that this identity may read",
                f"check the KEY, and as whom you write ({Input.IDENTITY})",
            )
        update.found(row, wall_clock())
        update.apply_locally(wall_clock())
        parameters = [*equals(update.key), *equals(self._unless)]
        rows = await rest.update(update.schema, update.table, parameters, update.values)
        if not rows:
            raise await self._untouched()
        for conflict in update.commit(rows[0], wall_clock()):
            self._queue.put(conflict)
        self._look()

    async def _present(self) -> Raw | None:
        update = self._update
        try:
            page = await self._rest.read(
                update.schema, update.table, [*equals(update.key), ("select", "*"), ("limit", "2")]
            )
        except UnknownColumnError as exc:
            raise PrtError(exc.message, _NAME_KEY) from exc
        if len(page.rows) > 1:
            raise PrtError(
                f"{update.key_text} names more than one row", "name the whole key: COL=VALUE,COL=VALUE"
            )
        return page.rows[0] if page.rows else None

    async def _untouched(self) -> PrtError:
        """Return why the database changed no row."""
        row = await self._present()
        if row is None:
            return PrtError("the row is gone, or no longer visible", "somebody else was faster")
        columns = _columns_of(row)
        others = [
            f"{name} is {value_text(columns[name]) if name in columns else 'no column'}"
            for name, value in self._unless.items()
            if name not in columns or value_text(columns[name]) != value_text(value)
        ]
        if others:
            return PrtError(f"somebody else has changed it: {', '.join(others)}", "nothing was written")
        return PrtError(
            "0 rows were changed: a row level security policy lets this identity read the row, not write it",
            f"look at the UPDATE policies of {self._update.schema}.{self._update.table}",
        )

    def _fail(self, error: PrtError, reason: str) -> None:
        self.failure = error
        self._update.roll_back(error.message, wall_clock())
        self._queue.put(
            End(at=wall_clock(), reason="timeout" if reason == "timeout" else "error", exit_code=1, events=0)
        )
