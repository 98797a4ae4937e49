"""A source that is read in the background while somebody else waits for what it brings."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prt.errors import PrtError
from prt.events import Change, Event, Gap, Status
from prt.stream.live.source import Live

KEPT = 1_000

T = TypeVar("T")


class Listener:
    """The reader of one source, and whoever waits for what it reads.

    A bare connection, which is not a source of events, calls `notify` and `end` itself.
    """

    def __init__(
        self,
        apply: Callable[[Event], None] | None = None,
        on_end: Callable[[PrtError | None], None] | None = None,
    ) -> None:
        """`apply` gets every event, `on_end` the error that ended the source, None if it just ended."""
        self.error: PrtError | None = None
        self.is_over = False
        self._apply = apply
        self._on_end = on_end
        self._is_ready = False
        self._news = asyncio.Event()

    async def ready(self) -> None:
        """Wait for the first READY. Raises what ended the source before it."""
        await self.until(lambda: self._is_ready or None)
        if not self._is_ready and self.error is not None:
            raise self.error

    async def until(self, find: Callable[[], T | None], seconds: float | None = None) -> T | None:
        """Return what `find` finds, asked again after every piece of news.

        Return None if the source ended, or `seconds` have passed, and nothing was found.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := find()) is None and not self.is_over:
                    self._news.clear()
                    await self._news.wait()
                return found
        except TimeoutError:
            return None

    async def unless_over(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the result of `work`; raise the source's error as soon as that ends within `seconds`."""
        task = asyncio.create_task(work)
        over = asyncio.create_task(self.until(lambda: None, seconds))
        try:
            await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
            if self.error is not None and not task.done():
                raise self.error
            return await task
        finally:
            task.cancel()
            over.cancel()
            await asyncio.gather(task, over, return_exceptions=True)

    def notify(self) -> None:
        """Let everybody who waits look again."""
        self._news.set()

    def end(self, error: PrtError | None = None) -> None:
        """Note that nothing more will come, and why."""
        self.error, self.is_over = error, True
        if self._on_end is not None:
            self._on_end(error)
        self.notify()

    async def read(self, batches: AsyncIterator[list[Event]]) -> None:
        """Read a source to its end."""
        error: PrtError | None = None
        try:
            async for batch in batches:
                for event in batch:
                    self._is_ready |= isinstance(event, Status) and event.status == "READY"
                    if self._apply is not None:
                        self._apply(event)
                self.notify()
        except PrtError as exc:
            error = exc
        finally:
            self.end(error)


@asynccontextmanager
async def listening(live: Live, listener: Listener) -> AsyncIterator[Listener]:
    """Read a source for the life of the block; the channel is left and the socket closed at its end.

    Raises what the reading raised, unless that is an error of the connection, which the listener keeps.
    """
    async with live as batches:
        task = asyncio.create_task(listener.read(batches))
        try:
            yield listener
        finally:
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(result, Exception):
            raise result


class Echoes:
    """The changes that a source brings, for whoever writes them and waits for their return."""

    def __init__(self) -> None:
        self.listener = Listener(self._apply)
        self.interruption: str | None = None
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._is_ready = False

    async def of(self, wanted: Callable[[Change], bool], seconds: float) -> Change | None:
        """Return the first such change, or None if none comes in time; `interruption` may say why.

        Raises what ended the source meanwhile.
        """
        found = await self.listener.until(lambda: next(filter(wanted, self._changes), None), seconds)
        if found is None and self.listener.error is not None:
            raise self.listener.error
        return found

    def _apply(self, event: Event) -> None:
        if isinstance(event, Change):
            self._changes.append(event)
        elif isinstance(event, Status):
            self._is_ready |= event.status == "READY"
            if self._is_ready and event.connection != "connected":
                self.interruption = event.reason or event.status
        elif isinstance(event, Gap):
            self.interruption = event.cause


@asynccontextmanager
async def echoing(live: Live) -> AsyncIterator[Echoes]:
    """Yield the changes of `live` from its READY on. Raises RefusedError, UnreachableError, ProtocolError."""
    echoes = Echoes()
    async with listening(live, echoes.listener):
        await echoes.listener.ready()
        yield echoes
