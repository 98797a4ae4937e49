"""The guards of the led client that need the socket itself; the others are tested through the live source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from prt.events import Change
from prt.stream.binding import Binding
from prt.stream.socket.client import Socket, SocketHandlers
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import DEFAULT
from tests.fakes import Peer, scripted_server
from tests.running import PATIENCE

TODOS = [Binding(table="todos")]


def socket_of(url: str, on_change: Callable[[Change], None] = lambda _: None) -> Socket:
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
        timing=DEFAULT,
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
