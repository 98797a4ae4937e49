"""A delayed stream: each piece of data waits before it is forwarded, in order and with full throughput."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

WAITING = 10_000
"""The number of pieces that may wait; beyond it, reading from the stream pauses."""


class Delayed:
    """A writer that passes each piece of data to `write` after that piece's own delay, in order."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)
        self._task: asyncio.Task[None] | None = None
        self._is_busy = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def write(self, data: bytes, seconds: float) -> None:
        """Write a piece of data after `seconds`, or at once if there is no delay and no earlier piece waits.

        Raises:
            Exception: Whatever writing an earlier piece raised.
        """
        if self._task is not None and self._task.done():
            await self._task
        if seconds <= 0 and self._waiting.empty() and not self._is_busy:
            await self._write(data)
            return
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await self._waiting.put((asyncio.get_running_loop().time() + seconds, data))

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, data = await self._waiting.get()
            self._is_busy = True
            await asyncio.sleep(max(due - now(), 0))
            await self._write(data)
            self._is_busy = False
