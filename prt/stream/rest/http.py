"""The HTTP client of every request to a project: its way there, and the bounds of an answer.

This module imports httpx, which takes time, so it is imported where a request is made.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx

from prt.config.proxies import proxy_of
from prt.stream.reaching import context_for

MAX_BYTES: Final = 4 * 1024 * 1024
"""Of an answer that is read whole. Nothing that `prt` asks for, but rows, comes near it."""


class OversizedError(httpx.HTTPError):
    """The answer is larger than anything that was asked for."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the answer is larger than {max_bytes >> 20} MB")


class BoundedClient(httpx.AsyncClient):
    """A client whose answers end: after `seconds` in all, and after `max_bytes`.

    httpx bounds only the pause between two bytes, so a server that sends one a second is never late.
    """

    def __init__(self, url: str, *, seconds: float, max_bytes: int = MAX_BYTES) -> None:
        """Raises UsageError if the environment names a proxy or certificates that can't be used.

        Args:
            url: The project's URL; every request goes to it.
            seconds: How long a request may take, from the connection to the last byte.
            max_bytes: How large an answer may be. Whoever streams one has a bound of its own.
        """
        proxy = proxy_of(url)
        super().__init__(
            timeout=seconds,
            # An unencrypted project needs no certificates, and to read them takes 20 ms.
            verify=context_for(url) or True,
            proxy=None
            if proxy is None
            else httpx.Proxy(proxy.url, auth=proxy.login, ssl_context=context_for(proxy.url)),
            trust_env=False,
        )
        self._seconds = seconds
        self._max_bytes = max_bytes

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send a request and read its answer within the bounds of time and size, unless it is streamed."""
        if stream:
            return await super().send(request, stream=True, **options)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await super().send(request, stream=True, **options)
                try:
                    body = await bounded_body(answer, self._max_bytes)
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout("the answer takes too long", request=request) from error
        headers = [(name, value) for name, value in answer.headers.raw if not _is_of_form(name)]
        return httpx.Response(answer.status_code, headers=headers, content=body, request=request)


async def bounded_body(answer: httpx.Response, max_bytes: int) -> bytes:
    """Return the body of an answer that is being streamed. Raises OversizedError, httpx.HTTPError."""
    pieces, size = [], 0
    async for piece in answer.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise OversizedError(max_bytes)
    return b"".join(pieces)


def _is_of_form(name: bytes) -> bool:
    """Whether a header describes the form in which the body came, which is unpacked by now."""
    return name.lower() in (b"content-encoding", b"content-length", b"transfer-encoding")
