"""The bounds of an answer: its size, packed and unpacked, and the time until its last byte."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from prt.checks.status.layers.gateway import Gateway
from prt.errors import UnreachableError
from prt.stream.rest.broadcast import Poster
from prt.stream.rest.http import MAX_BYTES, BoundedClient, OversizedError
from prt.stream.rest.session import Endpoint

HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def server(*pieces: bytes, trickle: bytes = b"") -> AsyncIterator[str]:
    """Answers any request with these pieces, and then repeats `trickle` until the client is gone."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while trickle:
                writer.write(trickle)
                await writer.drain()
                await asyncio.sleep(0 if len(trickle) > 1 else 0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def answer(*pieces: bytes, trickle: bytes = b"", seconds: float = 30.0) -> httpx.Response:
    async def main() -> httpx.Response:
        async with server(*pieces, trickle=trickle) as url, BoundedClient(url, seconds=seconds) as client:
            return await client.get(url)

    return asyncio.run(main())


def test_an_answer_is_read_whole() -> None:
    found = answer(HEAD, b"Content-Length: 2\r\n\r\n{}")
    assert (found.status_code, found.content) == (202, b"{}")


def test_a_packed_answer_is_unpacked_once() -> None:
    packed = gzip.compress(b'{"a":1}')
    found = answer(HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed)
    assert found.json() == {"a": 1}


@pytest.mark.parametrize("trickle", [b" " * 65536, b" "])
def test_an_answer_that_never_ends_is_refused(trickle: bytes) -> None:
    """One is too large before it is late, the other late before it is too large."""
    is_large = len(trickle) > 1
    with pytest.raises(OversizedError if is_large else httpx.ReadTimeout):
        answer(HEAD, b"\r\n", trickle=trickle, seconds=30.0 if is_large else 0.3)


def test_headers_that_never_end_are_refused() -> None:
    with pytest.raises(httpx.ReadTimeout):
        answer(b"HTTP/1.1 200 OK\r\nX: ", trickle=b"a", seconds=0.3)


def test_a_packed_answer_is_bounded_by_its_unpacked_size() -> None:
    packed = gzip.compress(b" " * (MAX_BYTES + 1))
    assert len(packed) < 10_000
    with pytest.raises(OversizedError):
        answer(HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed)


def test_a_broadcast_over_http_ends() -> None:
    async def sent(trickle: bytes, seconds: float) -> None:
        async with server(HEAD, b"\r\n", trickle=trickle) as url:
            endpoint = Endpoint(url=url, key="key")
            async with Poster(lambda: endpoint, "t", is_private=False, answer_seconds=seconds) as poster:
                await poster.send("e", b"{}")

    for trickle, seconds, words in ((b" ", 0.3, "no answer"), (b" " * 65536, 30.0, "larger than 4 MB")):
        with pytest.raises(UnreachableError, match=words):
            asyncio.run(sent(trickle, seconds))


def test_a_diagnosis_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from prt.checks.status.layers import gateway

    monkeypatch.setattr(gateway, "ANSWER_SECONDS", 0.3)

    async def asked() -> str | None:
        async with server(HEAD, b"\r\n", trickle=b" ") as url, Gateway(url, "key") as found:
            return (await found.get("/auth/v1/health")).error

    assert asyncio.run(asked()) == "no answer in 0.3 s"
