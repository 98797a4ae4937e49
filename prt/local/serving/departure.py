"""Ends the work for a request whose client has gone: PostgreSQL would go on with a query for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class ClientGoneError(Exception):
    """The client has closed the connection before it was answered."""


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Return what the work gives. Cancel it and raise ClientGoneError if the client goes before.

    The body has been read, or is not wanted.
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
