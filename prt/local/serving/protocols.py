"""The protocols of uvicorn with limits for the number of connections, bytes per read and time per request.

The log of uvicorn is switched off: invalid input of a client is not worth a line on standard error.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import time
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

logger = logging.getLogger(__name__)

RESERVED_DESCRIPTORS = 128
"""File descriptors kept for PostgreSQL's connections and files, so that clients can't use up all of them."""
FEWEST_CONNECTIONS = 16
MOST_DESCRIPTORS = 65_536
HEAD_SECONDS = 10.0
"""The time within which the head of a request has to be complete."""
SMALL_READ = 1024
"""Bytes per read of short frames: about 15 frames, which are parsed in a quarter of a millisecond."""
LARGE_READ = 64 * 1024
COMPLAINT_SECONDS = 60.0
SILENT = logging.CRITICAL + 1
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Config(uvicorn.Config):
    """The settings of uvicorn, the limit of connections, and the connections without a request so far."""

    def __init__(self, app: Any, **settings: Any) -> None:
        super().__init__(
            app, http=HttpProtocol, ws=WebSocketProtocol, log_config=None, log_level=SILENT, **settings
        )
        self.most_connections = most_connections()
        self.silent: dict[HttpProtocol, None] = {}


def most_connections() -> int:
    """Raise the limit of open files as far as allowed; return how many connections clients may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    allowed = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(FEWEST_CONNECTIONS, allowed - RESERVED_DESCRIPTORS)


class HttpProtocol(H11Protocol):
    """An HTTP connection, which is closed if a request's head is not complete within `HEAD_SECONDS`.

    If there are too many connections, the one that has been without a request for longest is closed; if there
    is none, the new one is.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a new connection."""
        super().connection_made(transport)
        config = cast("Config", self.config)
        config.silent[self] = None
        if len(self.connections) > config.most_connections:
            next(iter(config.silent)).transport.abort()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Process bytes from the client."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        cast("Config", self.config).silent.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that reads few bytes at once, unless a long frame is being received.

    All frames of one read are parsed without a pause, during which no other client is served.
    """

    def data_received(self, data: bytes) -> None:
        """Process bytes from the client, and choose the size of the next read."""
        super().data_received(data)
        self.transport.max_size = SMALL_READ if self.read_paused else LARGE_READ  # type: ignore[attr-defined]

    def handle_ping(self) -> None:
        """Answer a ping, unless the client doesn't read: unsent answers would use more and more memory."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()


class Exhaustion:
    """A handler of the event loop that logs at most once a minute that no connection can be accepted.

    asyncio itself would log a thousand of these errors. They occur when descriptors or memory run out.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._former = loop.get_exception_handler()
        self._reported = -COMPLAINT_SECONDS
        loop.set_exception_handler(self._handle)

    def close(self) -> None:
        """Restore the loop's former exception handler."""
        self._loop.set_exception_handler(self._former)

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in EXHAUSTED and "socket" in context:
            if time.monotonic() - self._reported >= COMPLAINT_SECONDS:
                self._reported = time.monotonic()
                logger.warning("no connection can be taken: %s", error.strerror)
        elif self._former is not None:
            self._former(loop, context)
        else:
            loop.default_exception_handler(context)
