"""What reads a source while somebody else uses what it read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def alongside(reading: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs for the life of the block; what it raises is its own affair."""
    task = asyncio.create_task(reading)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
