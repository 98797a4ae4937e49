"""The guards of the led client that need the socket itself; the others are tested through the live source."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.utils import accept_key

from prt.events import Change
from prt.stream.binding import Binding
from prt.stream.socket.client import Socket, SocketHandlers
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import DEFAULT, Timing
from tests.fakes import Peer, scripted_server
from tests.running import PATIENCE

TODOS = [Binding(table="todos")]


def socket_of(
    url: str, on_change: Callable[[Change], None] = lambda _: None, timing: Timing = DEFAULT
) -> Socket:
    return Socket(
        url,
        "key",
        token="former",
        queue=EventQueue(),
        handlers=SocketHandlers(
            on_frame=lambda _: None,
            on_change=on_change,
            on_broadcast=lambda _: False,
            on_unreadable=lambda: None,
            on_pulse=lambda _: None,
        ),
        timing=timing,
    )


def test_a_token_that_is_renewed_during_a_join_reaches_the_channel() -> None:
    async def main() -> None:
        is_asked, may_answer = asyncio.Event(), asyncio.Event()
        after_join: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        async def script(peer: Peer) -> None:
            join = await peer.receive()
            is_asked.set()
            await may_answer.wait()
            await peer.reply(
                join, {"postgres_changes": [{"id": 1, **join[4]["config"]["postgres_changes"][0]}]}
            )
            after_join.set_result(await peer.receive())
            await peer.until_closed()

        async with asyncio.timeout(PATIENCE), scripted_server(script) as url:
            socket = socket_of(url)
            await socket.open(PATIENCE)
            joining = asyncio.create_task(socket.join("room", TODOS))
            await is_asked.wait()
            renewing = asyncio.create_task(socket.authorise("renewed"))
            # It has begun then; unguarded it has passed the channel by.
            await asyncio.sleep(0)
            may_answer.set()
            await asyncio.gather(joining, renewing)
            _, _, _, event, payload = await after_join
            assert (event, payload) == ("access_token", {"access_token": "renewed"})
            await socket.shut()

    asyncio.run(main())


def test_a_reader_that_fails_ends_the_connection_and_leaves_no_deaf_one() -> None:
    def fails(_: Change) -> None:
        raise LookupError("a bug")

    async def main() -> None:
        async def script(peer: Peer) -> None:
            join = await peer.accept_join()
            await peer.change(join[2])
            await peer.until_closed()

        async with asyncio.timeout(PATIENCE), scripted_server(script) as url:
            socket = socket_of(url, fails)
            await socket.open(PATIENCE)
            await socket.join("room", TODOS)
            assert "reading from" in str(await socket.lost)
            assert "LookupError" in str(socket.lost.result())
            await socket.shut()

    asyncio.run(main())


@pytest.mark.parametrize("task", ["_listen", "_beat"])
def test_a_task_that_fails_ends_the_connection(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """Without it, no event would arrive, or a dead connection would count as alive."""

    async def fail(_: Socket) -> None:
        raise KeyError("id")

    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.until_closed()

        async with asyncio.timeout(PATIENCE), scripted_server(script) as url:
            socket = socket_of(url)
            await socket.open(PATIENCE)
            assert "failed: KeyError" in f"{await socket.lost}"
            await socket.shut()

    monkeypatch.setattr(Socket, task, fail)
    asyncio.run(main())


def test_a_server_that_does_not_answer_the_close_leaves_no_open_connection() -> None:
    has_ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = re.search(r"Sec-WebSocket-Key: (\S+)", head)
        assert found is not None
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept_key(found[1])}\r\n\r\n".encode()
        )
        with suppress(ConnectionError):
            while await reader.read(1024):
                pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        has_ended.set()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(PATIENCE), server:
            socket = socket_of(f"http://127.0.0.1:{port}", timing=Timing(leave=0.01))
            await socket.open(PATIENCE)
            assert socket._ws_connection is not None
            transport = socket._ws_connection.transport
            await socket.shut()
            assert transport.is_closing()
            await has_ended.wait()

    asyncio.run(main())
