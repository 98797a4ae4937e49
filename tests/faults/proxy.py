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

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
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
        self.rest_requests = 0
        """Requests that were passed on for anything but a websocket."""
        self.rest_bytes = 0
        """Bytes of the heads of these requests, and of their answers by the length that these give."""

    def changed(self) -> None:
        self._happened.set()

    async def own_answer(self, link: Link, head: Head) -> bytes | None:
        answer = await super().own_answer(link, head)
        if answer is None and not link.is_websocket:
            self.rest_requests += 1
            self.rest_bytes += len(head.raw)
            await asyncio.sleep(self.rest_delay(f"{head.method} {head.target} HTTP/1.1"))
        return answer

    def answer_head(self, raw: bytes) -> bytes:
        length = _LENGTH.search(raw)
        self.rest_bytes += len(raw) + (int(length[1]) if length else 0)
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
