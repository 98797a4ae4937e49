"""How connections are read: how many there are, how much is read at once, and how long a request may take.

uvicorn's protocols, without its log: what a stranger sends is not worth a line on our standard error.
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
"""For PostgreSQL's connections and files, so that clients can't take the last ones."""
FEWEST_CONNECTIONS = 16
MOST_DESCRIPTORS = 65_536
HEAD_SECONDS = 10.0
"""Within which a request's head has to be whole."""
SMALL_READ = 1024
"""Bytes: holds some 15 short frames, which take a quarter of a millisecond to be read."""
LARGE_READ = 64 * 1024
COMPLAINT_SECONDS = 60.0
SILENT = logging.CRITICAL + 1
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Config(uvicorn.Config):
    """The settings of uvicorn, with the connections that have not asked for anything yet."""

    def __init__(self, app: Any, **settings: Any) -> None:
        super().__init__(
            app, http=HttpProtocol, ws=WebSocketProtocol, log_config=None, log_level=SILENT, **settings
        )
        self.most_connections = most_connections()
        self.silent: dict[HttpProtocol, None] = {}


def most_connections() -> int:
    """Return how many connections there may be, and raise the limit of descriptors as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    allowed = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(FEWEST_CONNECTIONS, allowed - RESERVED_DESCRIPTORS)


class HttpProtocol(H11Protocol):
    """A connection whose requests come whole within `HEAD_SECONDS`, or it is closed.

    Beyond the most connections the one goes that has been silent for longest, or the new one.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        super().connection_made(transport)
        config = cast("Config", self.config)
        config.silent[self] = None
        if len(self.connections) > config.most_connections:
            next(iter(config.silent)).transport.abort()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
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
    """A socket of which little is read at once unless a long frame is under way.

    All frames of a read are parsed in one go, in which nobody else has a turn.
    """

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        super().data_received(data)
        self.transport.max_size = SMALL_READ if self.read_paused else LARGE_READ  # type: ignore[attr-defined]

    def handle_ping(self) -> None:
        """Answer, unless the client doesn't read: what waits for it would grow without end."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()


class Exhaustion:
    """Reports in one line a minute that a connection could not be taken: asyncio says so a thousand times."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._former = loop.get_exception_handler()
        self._reported = -COMPLAINT_SECONDS
        loop.set_exception_handler(self._handle)

    def close(self) -> None:
        """Give the loop its former handler back."""
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
