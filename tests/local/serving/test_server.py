"""What strangers can do to the one port: connections, heads and bodies without end, and lines on stderr."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from prt.local.project import port
from prt.local.serving import middleware, protocols
from prt.local.serving.protocols import Exhaustion
from prt.local.serving.server import application, serving
from tests.running import PATIENCE

CLOSE = b"\x88"
"""The first byte of a websocket's last frame, which no head of an answer holds."""
HELLO = b"GET /rest/v1/hello HTTP/1.1\r\nhost: x\r\n\r\n"


async def _length(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


async def _fail(request: Request) -> Response:
    raise ZeroDivisionError(request.url.path)


async def _listen(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    routes = [
        Route("/rest/v1/hello", _length, methods=["GET", "POST"]),
        Route("/auth/v1/hello", _length, methods=["POST"]),
        Route("/fail/{place}", _fail),
        WebSocketRoute("/socket", _listen),
    ]
    with port.bound(0) as listener:
        async with serving(application(routes), listener):
            yield listener.getsockname()[1]


def run(scenario: Callable[[int], Awaitable[None]]) -> None:
    async def main() -> None:
        async with served() as number:
            await asyncio.wait_for(scenario(number), PATIENCE)

    asyncio.run(main())


async def ended(number: int, sent: bytes, frames: bytes = b"") -> bytes:
    """Return all that comes back until the server closes, or announces that it closes a websocket."""
    reader, writer = await asyncio.open_connection(port.HOST, number)
    writer.write(sent)
    found = b""
    try:
        if frames:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(frames)
        while CLOSE not in found and (piece := await reader.read(64 * 1024)):
            found += piece
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return found


def test_beyond_the_most_connections_the_one_goes_that_was_silent_for_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocols, "most_connections", lambda: 3)

    async def scenario(number: int) -> None:
        asking, answered = await asyncio.open_connection(port.HOST, number)
        answered.write(HELLO)
        await asking.readuntil(b"\r\n\r\n0")
        silent = [await asyncio.open_connection(port.HOST, number) for _ in range(4)]
        for reader, _ in silent[:2]:
            assert await reader.read() == b""
        answered.write(HELLO)
        assert (await asking.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
        silent[-1][1].write(HELLO)
        assert (await silent[-1][0].readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
        for writer in (answered, *(writer for _, writer in silent)):
            writer.close()

    run(scenario)


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", HELLO + b"GET /rest"], ids=["none", "half", "a second"])
def test_a_head_has_to_come_whole_in_time(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocols, "HEAD_SECONDS", 0.05)

    async def scenario(number: int) -> None:
        answer = await ended(number, sent)
        assert answer.startswith(b"HTTP/1.1 200") == (sent.startswith(HELLO)) or not answer

    run(scenario)


@pytest.mark.parametrize(
    ("path", "limit"), [("/rest/v1/hello", middleware.LARGEST_BODY), ("/auth/v1/hello", 1024 * 1024)]
)
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_has_a_bound_whether_or_not_its_length_is_given(
    path: str, limit: int, is_declared: bool
) -> None:
    async def pieces(size: int) -> AsyncIterator[bytes]:
        while size > 0:
            yield b" " * min(size, 64 * 1024)
            size -= 64 * 1024

    async def scenario(number: int) -> None:
        async with httpx.AsyncClient(base_url=f"http://{port.HOST}:{number}", trust_env=False) as client:
            for size in (limit, limit + 1):
                body: Any = b" " * size if is_declared else pieces(size)
                answer = await client.post(path, content=body, timeout=PATIENCE)
                if size == limit:
                    assert answer.json() == limit
                else:
                    assert answer.status_code == 413
                    assert answer.json() == {"message": "Request size limit exceeded"}

    run(scenario)


UPGRADE = b"GET /socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
KEY = b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "frames"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b""),
        (
            b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\nconnection: close\r\n\r\n",
            b"",
        ),
        (UPGRADE + b"\r\n", b""),
        (UPGRADE + b"sec-websocket-version: 7\r\n" + KEY.partition(b"\r\n")[2], b""),
        (UPGRADE + KEY, b"\x81\x82\0\0\0\0\xff\xfe"),
        (UPGRADE + KEY, b"\xff\xff\xff\xff"),
        (b"GET / HTTP/1.1\r\n" + b"x: " + b"a" * 200_000, b""),
    ],
    ids=["TLS", "h2c", "no key", "old version", "no UTF-8", "no frame", "a long head"],
)
def test_a_stranger_writes_no_line(
    sent: bytes, frames: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(number: int) -> None:
        await ended(number, sent, frames)
        async with httpx.AsyncClient(trust_env=False) as client:  # and others are served
            assert (await client.get(f"http://{port.HOST}:{number}/rest/v1/hello")).json() == 0

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert capfd.readouterr().err == ""
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_failure_of_ours_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(number: int) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            for place in range(5):
                answer = await client.get(f"http://{port.HOST}:{number}/fail/{place}")
                assert answer.status_code == 500

    run(scenario)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "a request failed: ZeroDivisionError('/fail/0')"
    ]


def test_without_a_descriptor_left_one_line_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio reports each of a thousand attempts a second, with a traceback. Others are reported as ever."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        exhaustion = Exhaustion(loop)
        with socket.socket() as listener:
            for number in (errno.EMFILE, errno.ENFILE, errno.EMFILE):
                error = OSError(number, os.strerror(number))
                loop.call_exception_handler({"message": "accept", "exception": error, "socket": listener})
        loop.call_exception_handler({"message": "something else", "exception": ValueError("x")})
        exhaustion.close()
        assert loop.get_exception_handler() is None

    asyncio.run(scenario())
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["no connection can be taken: Too many open files", "something else"]
