"""What reads a source while somebody else uses what it read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from prt.errors import PrtError


@asynccontextmanager
async def alongside(reading: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run for the life of the block; the errors of a connection are told elsewhere, a bug is raised."""
    task = asyncio.create_task(reading)
    try:
        yield
    finally:
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, Exception) and not isinstance(result, PrtError):
        raise result
