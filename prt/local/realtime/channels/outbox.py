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
    """The frames that wait for one socket, bounded twice, in characters.

    More than CROWDED of the frames that a stream of the database brought: the stream waits for this socket,
    at most PATIENCE_SECONDS. A client that reads at all thereby slows the stream down instead of losing
    anything. If it does not catch up, the stream does not wait for it again until it has. Other frames do
    not count, because a client that floods a topic would slow down the changes that everybody gets.

    More than OVERFLOWING of all frames: the socket is closed, because frames left out would be a gap that
    the client does not see.

    Args:
        overflow: Called once if the outbox overflows; closes the socket.
    """

    def __init__(self, overflow: Callable[[], None]) -> None:
        self._overflow = overflow
        self._frames: deque[tuple[Frame, bool]] = deque()
        self._waiting = 0
        self._streamed = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._eased = asyncio.Event()
        self._eased.set()
        self._is_slow = False
        self._is_closed = False

    def put(self, frame: Frame, *, is_streamed: bool = False) -> None:
        """Queue a frame, or close the socket if too much waits already."""
        if self._is_closed:
            return
        self._frames.append((frame, is_streamed))
        self._waiting += len(frame)
        self._filled.set()
        self._emptied.clear()
        if is_streamed:
            self._streamed += len(frame)
            if self._streamed > CROWDED:
                self._eased.clear()
        if self._waiting > OVERFLOWING:
            self.close()
            self._overflow()

    def put_streamed(self, frame: Frame) -> None:
        """Queue a frame that a stream of the database brought, and that the stream can wait for."""
        self.put(frame, is_streamed=True)

    def close(self) -> None:
        """Drop the frames that wait, and accept and send no more."""
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
                frame, is_streamed = self._frames.popleft()
                await send(frame)
                self._waiting -= len(frame)
                if is_streamed:
                    self._streamed -= len(frame)
                    if self._streamed < CROWDED // 2 and not self._eased.is_set():
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
        """Wait until every frame was sent."""
        await self._emptied.wait()

    @property
    def is_worth_waiting_for(self) -> bool:
        """Return whether the socket lags, and is not one that is let go."""
        return not (self._eased.is_set() or self._is_slow)

    async def settle(self) -> None:
        """Wait until it is no longer crowded, at most PATIENCE_SECONDS."""
        if not self.is_worth_waiting_for:
            return
        try:
            await asyncio.wait_for(self._eased.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            self._is_slow = True
