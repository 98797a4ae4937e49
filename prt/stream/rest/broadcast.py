"""Broadcasts over HTTP, one request for each message.

This uses the endpoint of a single topic and event, because it reports that a sender is not allowed. The
endpoint for many messages answers 202 even if a private topic is closed to the sender. httpx comes with the
SDK and is imported when something is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.inputs import Input
from prt.stream.limits import checked_json, checked_size
from prt.stream.policies import role_of, sends_sql
from prt.stream.reaching import failure_of
from prt.stream.rest.answers import one_line
from prt.stream.socket import refusals
from prt.stream.socket.binary import Persist

if TYPE_CHECKING:
    import httpx

    from prt.stream.rest.session import Endpoint

_KINDS = {True: "application/octet-stream", False: "application/json"}


class NotAllowedError(RefusedError):
    """The sender may not write to the topic."""


class Poster:
    """The HTTP client that sends broadcasts to one topic. Use it as an async context manager."""

    def __init__(
        self, endpoint: Callable[[], Endpoint], topic: str, *, is_private: bool, answer_seconds: float
    ) -> None:
        """Prepare the client.

        Args:
            endpoint: Returns the address and identity before each request, because its token may be
                refreshed.
            topic: The topic without the prefix `realtime:`.
            is_private: Whether the topic is private.
            answer_seconds: How long a request may take.
        """
        self._endpoint = endpoint
        self._topic = topic
        self._is_private = is_private
        self._answer_seconds = answer_seconds
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        from prt.stream.rest.http import BoundedClient  # noqa: PLC0415

        self._client = BoundedClient(self._endpoint().url, seconds=self._answer_seconds)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def send(
        self, event: str, payload: bytes, *, binary: bool = False, persist: Persist = False
    ) -> float:
        """Send a broadcast, and return the milliseconds until the server has accepted it.

        Args:
            event: The name of the broadcast.
            payload: The payload: JSON text, or any bytes if `binary`.
            binary: Whether the payload is bytes rather than JSON.
            persist: Whether, or for how many seconds, the server is asked to store the message. The answer
                does not show whether it did.

        Raises:
            UsageError: If the payload is too large, or is not valid JSON.
            RefusedError: If the identity may not send.
            UnreachableError: If the server can't be reached or does not answer.
            ProtocolError: If the server has no such endpoint.
            PrtError: If a limit of the project is exceeded.
        """
        import httpx  # noqa: PLC0415

        checked_size(len(payload))
        if not binary:
            checked_json(payload, f"the payload of {event}")
        assert self._client is not None  # noqa: S101 - used inside its block
        endpoint = self._endpoint()
        host = urlsplit(endpoint.url).netloc.rpartition("@")[2]
        names = f"{quote(self._topic, safe='')}/events/{quote(event, safe='')}"
        started = time.perf_counter()
        try:
            response = await self._client.post(
                f"{endpoint.url}/realtime/v1/api/broadcast/{names}",
                params=_query(persist, is_private=self._is_private),
                headers={
                    "apikey": endpoint.key,
                    "Authorization": f"Bearer {endpoint.token or endpoint.key}",
                    "Content-Type": _KINDS[binary],
                },
                content=payload,
            )
        except httpx.TimeoutException as exc:
            raise failure_of(exc, endpoint.url, what="can't reach") or UnreachableError(
                f"no answer from {host} in {self._answer_seconds:g} s",
                "it may have been sent all the same",
            ) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise failure_of(exc, endpoint.url, what="can't reach") or UnreachableError(
                f"can't reach {host}: {one_line(str(exc)) or 'no answer'}",
                "is the server up, and the URL right?",
            ) from exc
        if response.status_code != 202:
            raise self._failure(host, endpoint, response.status_code, response.content)
        return (time.perf_counter() - started) * 1000

    def _failure(self, host: str, endpoint: Endpoint, status: int, body: bytes) -> PrtError:
        words = refusals.words_of(body)
        message = f"{host} refused the broadcast: HTTP {status}" + (f", {words}" if words else "")
        if status == 401:
            return RefusedError(message, "is the key this project's, and the token still valid?")
        if status == 403:
            sql = sends_sql(role_of(endpoint.token or endpoint.key), self._topic)
            is_of_policies = self._is_private and words == "Unauthorized"
            return NotAllowedError(message, sql if is_of_policies else None)
        if status == 404:
            return ProtocolError(message, f"this Realtime has no such endpoint: leave out {Input.HTTP}")
        if status == 422 and '"persist"' in words:
            return PrtError(message, "only a private topic stores messages, for a whole number of seconds")
        if status in (413, 422):
            return PrtError(message, "the free plan takes 256 KB a message, a server 3,000 KB by default")
        if status == 429:
            return PrtError(message, f"send fewer a second: {Input.RATE} N")
        if status >= 500:
            return UnreachableError(message, "is the project paused?")
        return ProtocolError(message, "is this a Supabase project's URL?")


def _query(persist: Persist, *, is_private: bool) -> dict[str, str]:
    query = {"private": "true"} if is_private else {}
    if isinstance(persist, dict):
        return query | {"persist[ttl]": str(persist["ttl"])}
    return query | ({"persist": "true"} if persist else {})
