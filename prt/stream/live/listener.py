"""Reading a source in the background while other tasks wait for its events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from prt.errors import PrtError
from prt.events import Change, Event, Gap, Status

KEPT = 1_000
"""The number of the latest changes that `Echoes` keeps."""

T = TypeVar("T")
Batches = AbstractAsyncContextManager[AsyncIterator[list[Event]]]
"""A source of events."""


class Listener:
    """The reader of one source, which wakes the tasks that wait for the source's events.

    A bare connection is not a source of events and calls `notify` and `end` itself.

    Attributes:
        error: The error that ended the source, or None.
        is_over: Whether the source has ended.
    """

    def __init__(
        self,
        apply: Callable[[Event], None] | None = None,
        on_end: Callable[[PrtError | None], None] | None = None,
    ) -> None:
        """Prepare the reader.

        Args:
            apply: Receives every event.
            on_end: Receives the error that ended the source, or None if it ended without one.
        """
        self.error: PrtError | None = None
        self.is_over = False
        self._apply = apply
        self._on_end = on_end
        self._is_ready = False
        self._updated = asyncio.Event()

    async def ready(self) -> None:
        """Wait for the first READY.

        Raises:
            PrtError: The error that ended the source before READY.
        """
        await self.until(lambda: self._is_ready or None)
        if not self._is_ready and self.error is not None:
            raise self.error

    async def until(self, find: Callable[[], T | None], seconds: float | None = None) -> T | None:
        """Call `find` after every batch of events until it returns a value, and return the value.

        Args:
            find: Returns the value, or None if there is none yet.
            seconds: How long to wait; None for no limit.

        Returns:
            None if the source ended, or the time was over, without a value.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := find()) is None and not self.is_over:
                    self._updated.clear()
                    await self._updated.wait()
                return found
        except TimeoutError:
            return None

    async def unless_over(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the result of `work`, unless the source ends with an error before.

        Args:
            work: A coroutine that takes no longer than `seconds`.
            seconds: How long the source is watched.

        Raises:
            PrtError: The error that ended the source.
        """
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
        """Wake every task that waits in `until`."""
        self._updated.set()

    def end(self, error: PrtError | None = None) -> None:
        """Note that the source has ended, with an error or without one."""
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
async def listening(live: Batches, listener: Listener) -> AsyncIterator[Listener]:
    """Read a source in the background during the block. At its end the channel is left and the socket closed.

    Raises:
        Exception: What the reading raised, except errors of the connection, which `listener.error` has.
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
    """The changes of a source, for a caller that writes rows and waits for their changes.

    Attributes:
        listener: The reader of the source.
        interruption: Why changes may be missing since READY, or None.
    """

    def __init__(self) -> None:
        self.listener = Listener(self._apply)
        self.interruption: str | None = None
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._is_ready = False

    async def of(self, wanted: Callable[[Change], bool], seconds: float) -> Change | None:
        """Return the first change that `wanted` accepts.

        Args:
            wanted: Returns whether a change is the expected one.
            seconds: How long to wait.

        Returns:
            None if no such change came in time. `interruption` may then have the reason.

        Raises:
            PrtError: The error that ended the source meanwhile.
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
async def echoing(live: Batches) -> AsyncIterator[Echoes]:
    """Yield the changes of a source, from its READY on.

    Raises:
        PrtError: The error that ended the source before READY.
    """
    echoes = Echoes()
    async with listening(live, echoes.listener):
        await echoes.listener.ready()
        yield echoes
