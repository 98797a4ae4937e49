"""Middleware for all HTTP requests: fair scheduling, a limit for bodies, and reports of internal errors."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from prt.local.serving.turns import Turns

logger = logging.getLogger(__name__)

LARGEST_BODY = 32 * 1024 * 1024
"""The limit of a request's body in bytes, enough for half a million rows of an ordinary table.

The limit is our own: PostgREST has none.
"""
LARGEST_BODIES = {"/auth/": 1024 * 1024}
"""The limits in bytes for paths that begin like this. Realtime has its own limit and error message."""
SERVICES = ("/rest/", "/auth/", "/realtime/")
"""The beginnings of the paths of services, each of which is a server of its own in a real project."""
COMPLAINT_SECONDS = 60.0


class Shared:
    """Middleware that handles a request when it is the client's turn; a client is a connection."""

    def __init__(self, app: ASGIApp, turns: Turns) -> None:
        self._app = app
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            account = self._turns.account_of(scope.get("client"), _service(scope["path"]))
            await self._turns.run(account, _coroutine(self._app, scope, receive, send))
        else:
            await self._app(scope, receive, send)


def _service(path: str) -> str:
    """Return the service of a path, one for all paths that do not exist: whoever asks can't add services."""
    return next((service for service in SERVICES if path.startswith(service)), "")


async def _coroutine(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


class _TooLargeError(Exception):
    """A body is larger than the limit of its path."""


class Bounded:
    """Middleware that answers 413 if a body is too large, with the message of a hosted project's gateway."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = next(
            (size for path, size in LARGEST_BODIES.items() if scope["path"].startswith(path)), LARGEST_BODY
        )
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise _TooLargeError
            return message

        try:
            if _declared(scope) > limit:
                raise _TooLargeError
            await self._app(scope, bounded, send)
        except _TooLargeError:
            refusal = JSONResponse({"message": "Request size limit exceeded"}, status_code=413)
            await refusal(scope, receive, send)


def _declared(scope: Scope) -> int:
    """Return the body's length in bytes from the header `Content-Length`, 0 if there is none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


class Reported:
    """Middleware that logs unexpected exceptions of the handlers.

    The same exception from the same line is logged at most once a minute, because a client can repeat the
    request that causes it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._reported: dict[Any, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except (ClientDisconnected, WebSocketDisconnect):
            raise
        except Exception as error:
            self._report(error)
            raise

    def _report(self, error: Exception) -> None:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        location = (type(error), trace and (trace.tb_frame.f_code, trace.tb_lineno))
        now = time.monotonic()
        if now - self._reported.get(location, -COMPLAINT_SECONDS) >= COMPLAINT_SECONDS:
            self._reported[location] = now
            logger.error("a request failed: %r", error, exc_info=error)
