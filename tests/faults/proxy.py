"""The product's proxy with faults (`prt/tap/chaos/faults.py`), with a way to wait for its counters."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from prt.tap.chaos.faults import FaultProxy
from prt.tap.proxy.heads import Head
from prt.tap.proxy.server import Link
from tests.running import PATIENCE

_DATE = re.compile(rb"(?i)(\r\ndate: )([^\r]+)")


class Proxy(FaultProxy):
    """A `FaultProxy` that a test can wait for, and whose REST can be slow or wrong about the time."""

    def __init__(self, project_url: str) -> None:
        super().__init__(project_url)
        self._happened = asyncio.Event()
        self.rest_delay: Callable[[str], float] = lambda _: 0.0
        """How many seconds the request with this first line waits before it is passed on."""
        self.rest_clock_seconds = 0
        """How far the clock by which REST dates its answers is ahead."""

    def changed(self) -> None:
        self._happened.set()

    async def own_answer(self, link: Link, head: Head) -> bytes | None:
        answer = await super().own_answer(link, head)
        if answer is None and not link.is_websocket:
            await asyncio.sleep(self.rest_delay(f"{head.method} {head.target} HTTP/1.1"))
        return answer

    def answer_head(self, raw: bytes) -> bytes:
        if not self.rest_clock_seconds:
            return raw
        return _DATE.sub(lambda found: _redated(found, self.rest_clock_seconds), raw)

    async def until(self, wanted: Callable[[Proxy], bool]) -> None:
        """Wait until the counters are as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(self):
                self._happened.clear()
                await self._happened.wait()


def _redated(found: re.Match[bytes], seconds: int) -> bytes:
    moment = parsedate_to_datetime(found[2].decode()) + timedelta(seconds=seconds)
    return found[1] + format_datetime(moment, usegmt=True).encode()
