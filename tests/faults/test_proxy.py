"""The proxy makes the faults that a test asks for; otherwise the matrix proves nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from prt.tap.proxy.frames import Splitter, close, text
from tests.fakes import Peer, scripted_server
from tests.faults.proxy import Proxy
from tests.running import PATIENCE

JOIN = ["1", "1", "realtime:t", "phx_join", {"config": {"postgres_changes": []}}]
BEAT = json.dumps([None, "2", "phoenix", "heartbeat", {}])


async def echo(peer: Peer) -> None:
    """Answers joins and heartbeats, and sends a change for any other word."""
    while True:
        frame = await peer.receive()
        if frame[3] == "phx_join":
            await peer.reply(frame, {})
        else:
            payload = json.dumps({"data": {"id": frame[4]}}, separators=(",", ":"))
            await peer.raw(f'[null,null,"{frame[2]}","postgres_changes",{payload}]')


def word(number: int) -> str:
    return json.dumps(["1", "3", "realtime:t", "tell", number])


def behind(script: Callable[[Proxy, ClientConnection], Awaitable[None]]) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(PATIENCE),
            scripted_server(echo) as url,
            Proxy(url).serving() as proxy,
            connect(address(proxy), compression=None, close_timeout=0.1) as client,
        ):
            await client.send(json.dumps(JOIN))
            await client.recv()
            await script(proxy, client)

    asyncio.run(main())


def address(proxy: Proxy) -> str:
    return f"{proxy.url.replace('http', 'ws')}/realtime/v1/websocket?vsn=2.0.0"


async def reported(client: ClientConnection) -> Any:
    return json.loads(await client.recv())[4]["data"]["id"]


async def silent(client: ClientConnection) -> None:
    """Nothing comes: a delay is what is tested."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.recv(), 0.2)


def test_it_passes_and_counts() -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        for number in range(3):
            await client.send(word(number))
            assert await reported(client) == number
        await client.send(BEAT)
        await client.recv()
        assert (proxy.connections, proxy.joins, proxy.changes, proxy.heartbeats) == (1, 1, 3, 1)

    behind(script)


@pytest.mark.parametrize(("how", "error"), [("rst", ConnectionResetError), ("fin", type(None))])
def test_it_cuts(how: Literal["rst", "fin"], error: type) -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        proxy.cut(how)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is None
        cause: BaseException | None = closed.value
        causes = []
        while cause is not None:
            causes.append(type(cause))
            cause = cause.__cause__
        assert (ConnectionResetError in causes) == (error is ConnectionResetError)

    behind(script)


@pytest.mark.parametrize("code", [1000, 1011, 1012])
def test_it_closes_in_the_servers_name(code: int) -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        proxy.close(code)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code

    behind(script)


@pytest.mark.parametrize(("to_client", "to_server"), [(True, True), (True, False), (False, True)])
def test_it_swallows(to_client: bool, to_server: bool) -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        proxy.swallow(to_client=to_client, to_server=to_server)
        await client.send(word(1))
        await silent(client)
        assert proxy.changes == 0
        proxy.heal()
        async with connect(address(proxy), compression=None) as another:
            await another.send(word(2))
            assert await reported(another) == 2

    behind(script)


def test_it_drops_until_a_join_and_garbles() -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        proxy.drop_changes()
        await client.send(word(1))
        await proxy.until(lambda proxy: proxy.dropped_changes == 1)
        await client.send(json.dumps(JOIN))
        await client.recv()
        await client.send(word(2))
        assert await reported(client) == 2
        proxy.garble(1)
        await client.send(word(3))
        with pytest.raises(UnicodeDecodeError):
            (await client.recv(decode=False)).decode()
        await client.send(word(4))
        assert await reported(client) == 4

    behind(script)


def test_it_speaks_in_the_servers_name() -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        proxy.send("phx_error", {})
        assert json.loads(await client.recv()) == ["1", "1", "realtime:t", "phx_error", {}]
        proxy.system("gone")
        assert json.loads(await client.recv())[4]["message"] == "gone"

    behind(script)


def test_it_refuses_and_shuts() -> None:
    async def script(proxy: Proxy, _: ClientConnection) -> None:
        proxy.refuse(503, "<html>")
        with pytest.raises(InvalidStatus) as refused:
            await connect(address(proxy))
        assert (refused.value.response.status_code, refused.value.response.body) == (503, b"<html>")
        proxy.is_shut = True
        with pytest.raises((OSError, InvalidMessage)):
            await connect(address(proxy))
        assert proxy.connections == 3

    behind(script)


def test_it_slows_down() -> None:
    async def script(proxy: Proxy, client: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        proxy.delay_seconds = 0.1
        before = loop.time()
        await client.send(word(1))
        await reported(client)
        assert loop.time() - before >= 0.2
        proxy.delay_seconds = 0
        proxy.bytes_per_second = 5_000
        before = loop.time()
        await client.send(word("x" * 1_000))  # type: ignore[arg-type]
        await reported(client)
        assert loop.time() - before >= 0.35

    behind(script)


def test_it_answers_for_rest() -> None:
    async def script(proxy: Proxy, _: ClientConnection) -> None:
        proxy.rest_answer = (500, '{"message":"no"}')
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{proxy.url}/rest/v1/orders")
        assert (answer.status_code, answer.json()) == (500, {"message": "no"})
        assert proxy.requests == 1

    behind(script)


def test_frames_are_split_however_they_come() -> None:
    sizes = (0, 1, 125, 126, 65_535, 65_536)
    stream = b"".join(text("x" * size) for size in sizes) + close(1000)
    for step in (1, 1000, len(stream)):
        splitter = Splitter()
        found = [
            frame
            for start in range(0, len(stream), step)
            for frame in splitter.feed(stream[start : start + step])
        ]
        assert [len(frame.payload) for frame in found] == [*sizes, 2]
        assert b"".join(frame.raw for frame in found) == stream
