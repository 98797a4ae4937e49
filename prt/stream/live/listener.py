"""Waiting for a change of our own making: subscribed first, then written, then heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prt.errors import PrtError
from prt.events import Change, Event, Gap, Status
from prt.stream.live.background import alongside
from prt.stream.live.source import Live

KEPT = 1_000


class Echoes:
    """The changes that came, whether somebody waits for one already or not."""

    def __init__(self) -> None:
        self.interruption: str | None = None
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._is_ready = False
        self._error: PrtError | None = None
        self._came = asyncio.Event()

    async def ready(self) -> None:
        """Waits until changes flow; raises what keeps them from it."""
        await self._until(lambda: self._is_ready)

    async def of(self, wanted: Callable[[Change], bool], seconds: float) -> Change | None:
        """The first such change, None where none comes in that time; `interruption` may say why."""
        found: Change | None = None

        def is_there() -> bool:
            nonlocal found
            found = next((change for change in self._changes if wanted(change)), None)
            return found is not None

        try:
            async with asyncio.timeout(seconds):
                await self._until(is_there)
        except TimeoutError:
            return None
        return found

    async def _until(self, is_there: Callable[[], bool]) -> None:
        while not is_there():
            if self._error is not None:
                raise self._error
            self._came.clear()
            await self._came.wait()

    async def read(self, batches: AsyncIterator[list[Event]]) -> None:
        try:
            async for batch in batches:
                for event in batch:
                    self._note(event)
                self._came.set()
        except PrtError as exc:
            self._error = exc
        self._came.set()

    def _note(self, event: Event) -> None:
        if isinstance(event, Change):
            self._changes.append(event)
        elif isinstance(event, Status):
            self._is_ready |= event.status == "READY"
            if self._is_ready and event.connection != "connected":
                self.interruption = event.reason or event.status
        elif isinstance(event, Gap):
            self.interruption = event.cause


@asynccontextmanager
async def listening(live: Live) -> AsyncIterator[Echoes]:
    """The changes of `live`, from its READY on. Raises RefusedError, UnreachableError, ProtocolError."""
    echoes = Echoes()
    async with live as batches, alongside(echoes.read(batches)):
        await echoes.ready()
        yield echoes
