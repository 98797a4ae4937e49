"""The observer of a proxy: it copies frames at once, and reads the copies later in a separate task.

The number and size of waiting copies are bounded. If reading falls behind, frames are skipped and counted,
and forwarding never waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from prt.clock import wall_clock
from prt.tap.observe.decoding import FrameReader
from prt.tap.observe.identity import asked_of
from prt.tap.observe.messages import Answered, ClosedSocket, Dropped, Fault, Observed, Skipped, Tick
from prt.tap.proxy.heads import Head

WAITING_FRAMES = 20_000
WAITING_BYTES = 32 << 20
SLICE_SECONDS = 0.0005
"""How long reading may occupy the event loop before forwarding continues."""
TICK_SECONDS = 0.5


class CopyObserver:
    """An `Observer` of `prt.tap.proxy.server`. `run` passes on the observed messages in their order."""

    def __init__(self, emit: Callable[[Observed], None], clock: Callable[[], int] = wall_clock) -> None:
        """Pass each message to `emit`; `clock` returns µs since the epoch."""
        self._emit = emit
        self._clock = clock
        self._waiting: deque[Observed | tuple[int, bool, bytes, int]] = deque()
        self._frames = self._bytes = 0
        self._skipped: dict[int, int] = {}
        self._sockets: set[int] = set()
        self._asked: set[int] = set()
        self._readers: dict[tuple[int, bool], FrameReader] = {}
        self._codes: dict[int, tuple[int, bool]] = {}
        self._arrived = asyncio.Event()
        self.skipped = 0

    def asked(self, number: int, head: Head) -> None:
        """Record a request."""
        asked = asked_of(number, head, self._clock())
        if asked.is_socket:
            self._asked.add(number)
        self._put(asked)

    def answered(self, number: int, status: int) -> None:
        """Record the status of an answer."""
        if number in self._asked:
            self._asked.discard(number)
            if status == 101:
                self._sockets.add(number)
        self._put(Answered(self._clock(), number, status))

    def framed(self, number: int, raw: bytes | None, *, is_sent: bool) -> None:
        """Record the bytes of a frame, or skip them if reading has fallen behind."""
        if raw is None or self._frames >= WAITING_FRAMES or self._bytes >= WAITING_BYTES:
            self.skipped += 1
            self._skipped[number] = self._skipped.get(number, 0) + 1
            self._arrived.set()
            return
        self._frames += 1
        self._bytes += len(raw)
        self._put((number, is_sent, raw, self._clock()))

    def ended(self, number: int, *, is_by_client: bool) -> None:
        """Record the end of a connection."""
        if number in self._sockets:
            self._sockets.discard(number)
            self._put(ClosedSocket(self._clock(), number, None, is_by_client))

    def now(self) -> int:
        """Return the time (µs) of the clock that dates messages."""
        return self._clock()

    def dropped(self, number: int, table: str) -> None:
        """Record a change that was kept from a client."""
        self._put(Dropped(self._clock(), number, table))

    def fault(self, kind: str, *, is_over: bool) -> None:
        """Record the beginning or the end of a fault."""
        self._put(Fault(self._clock(), kind, is_over))

    async def run(self) -> None:
        """Read the recorded messages until cancelled, with a `Tick` every `TICK_SECONDS`."""
        ticks = asyncio.create_task(self._tick())
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                # An event isn't needed: the sleep only lets forwarding continue between two slices.
                while self._read(time.monotonic() + SLICE_SECONDS):  # noqa: ASYNC110
                    await asyncio.sleep(0)
        finally:
            ticks.cancel()

    def finish(self) -> None:
        """Read all messages that still wait."""
        while self._read(float("inf")):
            pass

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._put(Tick(self._clock()))

    def _put(self, item: Observed | tuple[int, bool, bytes, int]) -> None:
        self._waiting.append(item)
        self._arrived.set()

    def _read(self, deadline: float) -> bool:
        """Read messages until the deadline; return whether some still wait."""
        waiting = self._waiting
        while waiting:
            item = waiting.popleft()
            if isinstance(item, tuple):
                self._read_frame(*item)
            else:
                if isinstance(item, ClosedSocket):
                    item = self._closed(item)
                self._emit(item)
            if time.monotonic() >= deadline:
                return bool(waiting)
        skipped, self._skipped = self._skipped, {}
        for number, count in skipped.items():
            self._emit(Skipped(self._clock(), number, count))
        return False

    def _read_frame(self, number: int, is_sent: bool, raw: bytes, at: int) -> None:
        self._frames -= 1
        self._bytes -= len(raw)
        reader = self._readers.get((number, is_sent))
        if reader is None:
            reader = self._readers[number, is_sent] = FrameReader(number, is_sent=is_sent)
        message = reader.read(raw, at)
        if isinstance(message, int):
            self._codes.setdefault(number, (message, is_sent))
        elif message is not None:
            self._emit(message)

    def _closed(self, item: ClosedSocket) -> ClosedSocket:
        for is_sent in (True, False):
            self._readers.pop((item.number, is_sent), None)
        code, is_by_client = self._codes.pop(item.number, (None, item.is_by_client))
        return ClosedSocket(item.at, item.number, code, is_by_client)
