"""The outbox of a socket: a queue of frames, with limits for clients that read too slowly."""

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
    """A queue of frames to send to one socket, with two limits in characters.

    Above `CROWDED`, of the frames that a stream of the database brought, the stream waits for this socket,
    for at most `PATIENCE_SECONDS`. So a client that reads slows the stream down instead of losing frames. If
    the socket does not catch up in this time, the stream waits for it again only after it has caught up.
    Other frames do not count, because a client that floods a topic would slow down everybody's changes.

    Above `OVERFLOWING`, of all frames, `overflow` is called, and the socket must be closed, because the
    client could not notice that frames were left out.

    Args:
        overflow: Closes the socket. It is called at most once.
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
        """Add a frame. Close the outbox and call `overflow` if too much is waiting.

        Args:
            frame: The frame.
            is_streamed: Whether a stream of the database brought the frame, and can wait for the socket.
        """
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
        """Add a frame that a stream of the database brought."""
        self.put(frame, is_streamed=True)

    def close(self) -> None:
        """Drop all frames, and accept and send no more."""
        self._is_closed = True
        self._frames.clear()
        self._eased.set()
        self._emptied.set()
        self._filled.set()

    async def drain(self, send: Callable[[Frame], Awaitable[None]]) -> None:
        """Send frames until the outbox is closed.

        If a client reads fast, sending never waits, so this pauses now and then to let other tasks run.
        """
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
        """Wait until all frames were sent."""
        await self._emptied.wait()

    @property
    def is_worth_waiting_for(self) -> bool:
        """Whether the socket is behind, and has not yet been given up as too slow."""
        return not (self._eased.is_set() or self._is_slow)

    async def settle(self) -> None:
        """Wait until the socket has caught up, for at most `PATIENCE_SECONDS`."""
        if not self.is_worth_waiting_for:
            return
        try:
            await asyncio.wait_for(self._eased.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            self._is_slow = True
