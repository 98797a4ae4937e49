"""A delay for rows that were read, so that the stream has the time to deliver the same rows first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

MAX_BYTES = 16 * 1024 * 1024
"""The most bytes that all tables of one recovery hold back together."""

T = TypeVar("T")


class Budget(Struct):
    """The bytes that all tables of one recovery may still hold back together; negative if exceeded."""

    left: int = MAX_BYTES


class Delay(Generic[T]):
    """A queue that holds rows back for a fixed time and then emits them in the order of their addition."""

    def __init__(self, seconds: float, budget: Budget, emit: Callable[[Sequence[T]], None]) -> None:
        """Create an empty queue.

        Args:
            seconds: How long rows are held back.
            budget: The bytes that may be held back, shared with other tables.
            emit: Receives the rows when their time is over.
        """
        self._seconds = seconds
        self._budget = budget
        self._emit = emit
        self._held: deque[tuple[float, int, Sequence[T]]] = deque()

    async def add(self, rows: Sequence[T], weight: int) -> None:
        """Hold rows back, and emit the oldest ones whose time is over.

        If the budget is exceeded, wait until enough of the oldest rows have been emitted.

        Args:
            rows: The rows, which are emitted together.
            weight: Their size in bytes.
        """
        self._held.append((asyncio.get_running_loop().time() + self._seconds, weight, rows))
        self._budget.left -= weight
        while self._held and (self._budget.left < 0 or self._is_due()):
            await self._emit_oldest()

    async def finish(self) -> None:
        """Wait until all rows that are held back have been emitted."""
        while self._held:
            await self._emit_oldest()

    def drop(self) -> None:
        """Discard the rows that are held back."""
        while self._held:
            self._budget.left += self._held.popleft()[1]

    def _is_due(self) -> bool:
        return self._held[0][0] <= asyncio.get_running_loop().time()

    async def _emit_oldest(self) -> None:
        wait = self._held[0][0] - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)
        _, weight, rows = self._held.popleft()
        self._budget.left += weight
        self._emit(rows)
