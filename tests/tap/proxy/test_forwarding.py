"""What goes through the proxy comes out the same, in both directions, however it is cut into pieces."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from prt.tap.proxy.heads import HeadError, for_server, framing_of, read
from prt.tap.proxy.server import Proxy
from tests.running import PATIENCE

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SIZES = (0, 1, 1_000, 65_535, 70_000, 3_000_000)
UPGRADE = (
    b"GET /realtime/v1/websocket?apikey=k&vsn=2.0.0 HTTP/1.1\r\nHost: app\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@asynccontextmanager
async def behind(server: Server) -> AsyncIterator[Proxy]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with asyncio.timeout(PATIENCE), Proxy(f"http://127.0.0.1:{port}").serving() as proxy:
        yield proxy
    listening.close()


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def written_in_pieces(writer: asyncio.StreamWriter, data: bytes, chance: random.Random) -> None:
    start = 0
    while start < len(data):
        size = chance.choice((1, 7, 1_000, 65_536, 300_000))
        writer.write(data[start : start + size])
        await writer.drain()
        start += size


@pytest.mark.parametrize("seed", range(4))
def test_the_bytes_of_a_websocket_are_the_same_on_both_sides(seed: int) -> None:
    """The bytes are random, so that nothing which looks for frames in them may change them."""
    chance = random.Random(seed)
    up, down = chance.randbytes(2_000_000), chance.randbytes(3_000_000)
    received: list[bytes] = []

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHED)
        sending = asyncio.create_task(written_in_pieces(writer, down, random.Random(seed)))
        received.append(await reader.readexactly(len(up)))
        await sending
        writer.close()

    async def main() -> bytes:
        async with behind(server) as proxy, connected(proxy) as (reader, writer):
            writer.write(UPGRADE)
            assert await reader.readuntil(b"\r\n\r\n") == SWITCHED
            sending = asyncio.create_task(written_in_pieces(writer, up, chance))
            came = await reader.readexactly(len(down))
            await sending
            assert await reader.read() == b""
            return came

    came = asyncio.run(main())
    assert hashlib.sha256(came).digest() == hashlib.sha256(down).digest()
    assert hashlib.sha256(received[0]).digest() == hashlib.sha256(up).digest()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_bodies_of_every_size_pass_on_one_connection(is_chunked: bool) -> None:
    chance = random.Random(7)
    bodies = [chance.randbytes(size) for size in SIZES]
    heads: list[bytes] = []

    def framed(body: bytes) -> bytes:
        if not is_chunked:
            return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        half = len(body) // 2
        parts = [part for part in (body[:half], body[half:]) if part]
        chunks = b"".join(b"%X;a=b\r\n%b\r\n" % (len(part), part) for part in parts)
        return b"transfer-ENCODING: chunked\r\n\r\n" + chunks + b"0\r\nX-Trailer: t\r\n\r\n"

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in bodies:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            rest = framed(body).partition(b"\r\n\r\n")[2]
            assert await reader.readexactly(len(rest)) == rest
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-Odd: A\r\n" + framed(body))
            await writer.drain()
        writer.close()

    async def main() -> None:
        async with behind(server) as proxy, connected(proxy) as (reader, writer):
            for body in bodies:
                writer.write(b"POST /rest/v1/t HTTP/1.1\r\nhOST: app\r\nX-Case: KEPT\r\n" + framed(body))
                expected = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-Odd: A\r\n" + framed(body)
                assert await reader.readexactly(len(expected)) == expected
            assert {head.split(b"\r\n")[1].partition(b":")[0] for head in heads} == {b"hOST"}
            assert all(b"X-Case: KEPT" in head and b": app" not in head for head in heads)

    asyncio.run(main())


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)
        writer.close()

    async def main() -> bytes:
        async with behind(server) as proxy, connected(proxy) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            return await reader.read()

    assert asyncio.run(main()) == b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000


def test_a_project_that_is_not_there_is_a_502_that_a_page_may_read() -> None:
    async def main() -> bytes:
        failures: list[OSError] = []
        async with Proxy("http://127.0.0.1:9").serving() as proxy, connected(proxy) as (reader, writer):
            proxy.failure = failures.append
            writer.write(b"GET /rest/v1/t HTTP/1.1\r\nHost: app\r\nOrigin: http://localhost:3000\r\n\r\n")
            answer = await reader.read()
        assert len(failures) == 1
        return answer

    answer = asyncio.run(main())
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"Access-Control-Allow-Origin: *\r\n" in answer


def test_it_listens_on_loopback_alone() -> None:
    async def main() -> None:
        async with Proxy("http://127.0.0.1:9").serving() as proxy:
            for host in ("127.0.0.2", "::1"):
                with pytest.raises(OSError, match=r"refused|assign|Connect call failed"):
                    await asyncio.open_connection(host, proxy.port)

    asyncio.run(main())


def test_only_the_host_the_path_and_the_offer_of_compression_change() -> None:
    sent = for_server(read(UPGRADE), "ref.supabase.co", "/base")
    assert sent == (
        b"GET /base/realtime/v1/websocket?apikey=k&vsn=2.0.0 HTTP/1.1\r\nHost: ref.supabase.co\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )
    other = UPGRADE.replace(b"permessage-deflate; client_max_window_bits", b"x-mine, permessage-deflate")
    assert b"\r\nSec-WebSocket-Extensions: x-mine\r\n" in for_server(read(other), "h", "")


@pytest.mark.parametrize(
    ("head", "method", "framing"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", None, 0),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", None, 5),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", None, "chunked"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "GET", "close"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", 0),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", 0),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", 0),
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", "GET", 5),
    ],
)
def test_where_a_body_ends(head: bytes, method: str | None, framing: object) -> None:
    assert framing_of(read(head), method) == framing


@pytest.mark.parametrize("head", [b"\x16\x03\x01\r\n\r\n", b"GET /\r\n\r\n", b"HTTP/1.1 ok\r\n\r\n"])
def test_what_is_not_http_is_refused(head: bytes) -> None:
    with pytest.raises(HeadError):
        read(head)
