"""The product's proxy with faults (`prt/tap/chaos/faults.py`), with a way to wait for its counters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prt.tap.chaos.faults import FaultProxy
from tests.running import PATIENCE


class Proxy(FaultProxy):
    """A `FaultProxy` that a test can wait for."""

    def __init__(self, project_url: str) -> None:
        super().__init__(project_url)
        self._happened = asyncio.Event()

    def changed(self) -> None:
        self._happened.set()

    async def until(self, wanted: Callable[[Proxy], bool]) -> None:
        """Wait until the counters are as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(self):
                self._happened.clear()
                await self._happened.wait()
