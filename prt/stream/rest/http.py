"""The HTTP client of every request to a project: its proxy and certificates, and the limits of an answer.

This module imports httpx, which takes time, so it is imported where a request is made.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx

from prt.config.proxies import proxy_of
from prt.stream.reaching import context_for

MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest answer that is read whole, by default. Except rows, nothing that `prt` asks for comes
near it."""


class OversizedError(httpx.HTTPError):
    """The answer is larger than the limit."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the answer is larger than {max_bytes >> 20} MB")


class BoundedClient(httpx.AsyncClient):
    """An HTTP client whose answers are limited in total time and in size.

    httpx limits only the pause between two bytes, so a server that sends one byte a second is never late for
    it.
    """

    def __init__(self, url: str, *, seconds: float, max_bytes: int = MAX_BYTES) -> None:
        """Prepare the client.

        Args:
            url: The project's URL. Every request goes to this host.
            seconds: How long a request may take, from the connection to the last byte.
            max_bytes: The largest answer. It does not apply to a streamed one, which its reader limits.

        Raises:
            UsageError: If the environment names a proxy or certificates that can't be used.
        """
        proxy = proxy_of(url)
        super().__init__(
            timeout=seconds,
            # Without TLS no certificates are needed, and reading them takes 20 ms.
            verify=context_for(url) or True,
            proxy=None
            if proxy is None
            else httpx.Proxy(proxy.url, auth=proxy.login, ssl_context=context_for(proxy.url)),
            trust_env=False,
        )
        self._seconds = seconds
        self._max_bytes = max_bytes

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send a request, and read its answer within the limits of time and size unless it is streamed."""
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
    """Return the body of an answer that is being streamed.

    Raises:
        OversizedError: If the body has more than `max_bytes`.
        httpx.HTTPError: If the body can't be read.
    """
    pieces, size = [], 0
    async for piece in answer.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise OversizedError(max_bytes)
    return b"".join(pieces)


def _is_of_form(name: bytes) -> bool:
    """Return whether a header describes the encoding of the body, which is decoded by now."""
    return name.lower() in (b"content-encoding", b"content-length", b"transfer-encoding")
