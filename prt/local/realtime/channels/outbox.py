"""The outbox of a socket: frames that wait to be sent, and what happens if they are not taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

CROWDED = 4 * 1024 * 1024
OVERFLOWING = 64 * 1024 * 1024
PATIENCE_SECONDS = 0.5
PIECE = 256 * 1024

Frame = str | bytes


class Outbox:
    """Bounded twice, in characters.

    Crowded: the change stream waits for this socket to catch up, at most PATIENCE_SECONDS; a client
    that reads at all thereby slows the stream down instead of losing anything. If it does not catch
    up, it is not waited for again until it has. Overflowing: `overflow` is called, and the socket has
    to go, because leaving out frames would be a gap that nobody is told of.
    """

    def __init__(self, overflow: Callable[[], None]) -> None:
        self._overflow = overflow
        self._frames: deque[Frame] = deque()
        self._waiting = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._eased = asyncio.Event()
        self._eased.set()
        self._is_slow = False
        self._is_closed = False

    def put(self, frame: Frame) -> None:
        """Queue a frame, and let the client go if it takes none."""
        if self._is_closed:
            return
        self._frames.append(frame)
        self._waiting += len(frame)
        self._filled.set()
        self._emptied.clear()
        if self._waiting > CROWDED:
            self._eased.clear()
            if self._waiting > OVERFLOWING:
                self.close()
                self._overflow()

    def close(self) -> None:
        """Nothing more is taken or sent."""
        self._is_closed = True
        self._frames.clear()
        self._eased.set()
        self._emptied.set()
        self._filled.set()

    async def drain(self, send: Callable[[Frame], Awaitable[None]]) -> None:
        """Send until closed. Sending doesn't wait for a client that reads: others get their turns between."""
        sent = 0
        while not self._is_closed:
            while self._frames:
                frame = self._frames.popleft()
                await send(frame)
                self._waiting -= len(frame)
                if self._waiting < CROWDED // 2 and not self._eased.is_set():
                    self._is_slow = False
                    self._eased.set()
                sent += len(frame)
                if sent > PIECE:
                    sent = 0
                    await asyncio.sleep(0)
            self._filled.clear()
            self._emptied.set()
            await self._filled.wait()

    async def sent(self) -> None:
        """Return when everything was sent."""
        await self._emptied.wait()

    @property
    def is_worth_waiting_for(self) -> bool:
        """Return whether the socket lags, and is not one that is let go."""
        return not (self._eased.is_set() or self._is_slow)

    async def settle(self) -> None:
        """Waits until it is not crowded, within our patience."""
        if not self.is_worth_waiting_for:
            return
        try:
            await asyncio.wait_for(self._eased.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            self._is_slow = True
