"""Rows held back until the stream has had its time, in the order in which they were read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

MAX_BYTES = 16 * 1024 * 1024

T = TypeVar("T")


class Budget(Struct):
    """The bytes that all tables of a recovery may hold back together."""

    left: int = MAX_BYTES


class Delay(Generic[T]):
    """`tell` gets each row once it is `seconds` old; a spent budget makes `add` wait for that."""

    def __init__(self, seconds: float, budget: Budget, emit: Callable[[Sequence[T]], None]) -> None:
        self._seconds = seconds
        self._budget = budget
        self._emit = emit
        self._held: deque[tuple[float, int, Sequence[T]]] = deque()

    async def add(self, rows: Sequence[T], weight: int) -> None:
        """Hold rows back, and emit the oldest ones whose time has come or for which there is no room."""
        self._held.append((asyncio.get_running_loop().time() + self._seconds, weight, rows))
        self._budget.left -= weight
        while self._held and (self._budget.left < 0 or self._is_due()):
            await self._emit_oldest()

    async def finish(self) -> None:
        """Tells all that is left."""
        while self._held:
            await self._emit_oldest()

    def drop(self) -> None:
        """Forget the rows that are held back."""
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
