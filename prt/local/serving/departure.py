"""Cancellation of the work for a request whose client has disconnected.

Without it, PostgreSQL would continue a query whose result nobody waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class ClientGoneError(Exception):
    """The client has disconnected before its request was answered."""


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Await the work for a request, and return its result.

    Call this function only when the request's body has been read or isn't needed: it receives and drops
    further messages of the client.

    Raises:
        ClientGoneError: The client has disconnected; the work was cancelled.
    """
    here = asyncio.current_task()
    assert here is not None  # noqa: S101 - a coroutine runs in a task
    watch = asyncio.create_task(_cancel_when_gone(request, here))
    try:
        return await work
    except asyncio.CancelledError:
        if watch.done() and not watch.cancelled() and here.uncancel() == 0:
            raise ClientGoneError from None
        raise
    finally:
        watch.cancel()


async def _cancel_when_gone(request: Request, task: asyncio.Task[Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    task.cancel()
