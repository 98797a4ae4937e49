"""A TCP proxy on loopback between prt and a project, which does on command what networks and servers do.

It passes whole frames of websockets, so that it can drop, garble and add some; everything else, REST
for one, passes as bytes. Faults that concern websockets leave REST alone, but for `cut`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.faults import frames
from tests.faults.frames import Frame, Splitter
from tests.running import PATIENCE

SLICES = 20
"""Writes a second of a throttled connection."""
LARGEST_READ = 1 << 18


class _Link:
    """One connection of a client and, once it is passed on, ours to the project."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.from_client, self.to_client = reader, writer
        self.to_server: asyncio.StreamWriter | None = None
        self.is_websocket = False
        self.swallows_to_client = self.swallows_to_server = False
        self.join: list[Any] | None = None
        """The last join that passed: [join_ref, ref, topic, event, payload]."""

    def close(self, *, is_reset: bool) -> None:
        for writer in (self.to_client, self.to_server):
            if writer is None:
                continue
            if is_reset:
                with suppress(OSError):
                    # Lingering for no time makes the kernel send RST.
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """`url` stands for the project's. Counters grow; what is not commanded passes."""

    def __init__(self, project_url: str) -> None:
        parts = urlsplit(project_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._happened = asyncio.Event()
        self._garbled = 0
        self._refusals: list[tuple[int, str]] = []
        self._swallowed_joins = 0
        self._swallows = (False, False)
        self._is_deaf = False
        self.port = 0
        self.connections = 0
        """Websockets that were asked for, whatever became of them."""
        self.joins = 0
        self.ready = 0
        """Those whose "Subscribed to PostgreSQL" passed on to the client."""
        self.heartbeats = 0
        """Those whose answer passed on to the client."""
        self.changes = 0
        self.dropped_changes = 0
        self.requests = 0
        """Connections for anything but a websocket."""
        self.delay_seconds = 0.0
        self.changes_delay_seconds = 0.0
        """Changes alone come so much later, as from a server that polls."""
        self.bytes_per_second: int | None = None
        self.is_shut = False
        """New connections are reset, as where nobody listens."""
        self.rest_is_held = False
        """New requests get no answer before they are cut off."""
        self.rest_answer: tuple[int, str] | None = None
        """What REST answers in the project's stead; `cut_requests` first where a connection is kept."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._server.close()
            self.cut("rst")
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, wanted: Callable[[Proxy], bool]) -> None:
        """Waits until the counters are as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(self):
                self._happened.clear()
                await self._happened.wait()

    def cut(self, how: Literal["rst", "fin"]) -> None:
        """Every connection, at once."""
        for link in list(self._links):
            link.close(is_reset=how == "rst")

    def cut_requests(self) -> None:
        """The connections that REST keeps open."""
        for link in list(self._links):
            if not link.is_websocket:
                link.close(is_reset=True)

    def close(self, code: int) -> None:
        """The server's close of every websocket. 1006 is a cut without a word."""
        for link in self._websockets():
            if code != 1006:
                link.to_client.write(frames.close(code))
            link.close(is_reset=False)

    def swallow(self, *, to_client: bool = True, to_server: bool = True) -> None:
        """Half open: bytes of these directions vanish on every websocket, new ones too, until `heal`."""
        self._swallows = (to_client, to_server)
        for link in self._websockets():
            link.swallows_to_client, link.swallows_to_server = to_client, to_server

    def heal(self) -> None:
        """New connections pass again; those whose bytes were swallowed are beyond help."""
        self._swallows = (False, False)
        self.is_shut = False

    def garble(self, count: int) -> None:
        """The payloads of the next changes."""
        self._garbled = count

    def refuse(self, status: int, body: str = "", *, times: int = 1) -> None:
        """Answers the next handshakes in the server's stead."""
        self._refusals += [(status, body)] * times

    def swallow_joins(self, count: int) -> None:
        self._swallowed_joins = count

    def deafen(self) -> None:
        """No change passes until the next join has."""
        self._is_deaf = True

    def hear(self) -> None:
        self._is_deaf = False

    def inject(self, data: str | bytes) -> None:
        """A text frame to every websocket."""
        for link in self._websockets():
            link.to_client.write(frames.text(data))

    def say(self, event: str, payload: Any, *, join_ref: str | None = None) -> None:
        """A frame of the server on the joined channel, in the version 2.0.0; `join_ref` of its join."""
        for link in self._websockets():
            assert link.join is not None
            ref = link.join[0] if join_ref is None else join_ref
            message_ref = ref if event in ("phx_close", "phx_error") else None
            words = json.dumps([ref, message_ref, link.join[2], event, payload])
            link.to_client.write(frames.text(words))

    def system(self, message: str, status: str = "error") -> None:
        """A `system` message about the changes of the joined channel."""
        topic = str(self._websockets()[0].join[2]).removeprefix("realtime:")  # type: ignore[index]
        self.say(
            "system",
            {"message": message, "status": status, "extension": "postgres_changes", "channel": topic},
        )

    def _websockets(self) -> list[_Link]:
        return [link for link in self._links if link.is_websocket]

    def _note(self) -> None:
        self._happened.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(_Link(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, link: _Link) -> None:
        self._links.add(link)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_on(link)
        finally:
            self._links.discard(link)
            link.close(is_reset=False)
            self._note()

    async def _pass_on(self, link: _Link) -> None:
        head = b"" if self.is_shut else await link.from_client.readuntil(b"\r\n\r\n")
        link.is_websocket = self.is_shut or b"/realtime/v1/websocket" in head.partition(b"\r\n")[0]
        if link.is_websocket:
            self.connections += 1
        else:
            self.requests += 1
        self._note()
        if self.is_shut:
            link.close(is_reset=True)
            return
        if link.is_websocket and self._refusals:
            await _answer(link, *self._refusals.pop(0))
            return
        if not link.is_websocket and self.rest_answer is not None:
            await _answer(link, *self.rest_answer)
            return
        if not link.is_websocket and self.rest_is_held:
            await link.from_client.read()
            return
        link.swallows_to_client, link.swallows_to_server = (
            self._swallows if link.is_websocket else (False,) * 2
        )
        try:
            from_server, link.to_server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            link.close(is_reset=True)
            return
        if not link.swallows_to_server:
            link.to_server.write(head)
        await _first_of(self._to_server(link, link.to_server), self._to_client(link, from_server))

    async def _to_server(self, link: _Link, writer: asyncio.StreamWriter) -> None:
        splitter = Splitter()
        while data := await link.from_client.read(LARGEST_READ):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if link.swallows_to_server:
                continue
            if link.is_websocket:
                data = b"".join(
                    frame.raw for frame in splitter.feed(data) if self._passes_to_server(link, frame)
                )
            await self._written(writer, data)

    async def _to_client(self, link: _Link, reader: asyncio.StreamReader) -> None:
        if link.is_websocket:
            head = await reader.readuntil(b"\r\n\r\n")
            if not link.swallows_to_client:
                await self._written(link.to_client, head)
        splitter = Splitter()
        while data := await reader.read(LARGEST_READ):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if link.swallows_to_client:
                continue
            if link.is_websocket:
                data = b"".join(self._to_pass(link, frame) for frame in splitter.feed(data))
            await self._written(link.to_client, data)

    def _passes_to_server(self, link: _Link, frame: Frame) -> bool:
        if b'"phx_join"' in frame.payload:
            self.joins += 1
            self._note()
            if self._swallowed_joins:
                self._swallowed_joins -= 1
                return False
            self._is_deaf = False
            link.join = json.loads(frame.payload)
        return True

    def _to_pass(self, link: _Link, frame: Frame) -> bytes:
        if b'"Subscribed to PostgreSQL"' in frame.payload[:400]:
            self.ready += 1
            self._note()
        elif b'"postgres_changes",' in frame.payload[:200]:
            if self._is_deaf:
                self.dropped_changes += 1
                self._note()
                return b""
            if self._garbled:
                self._garbled -= 1
                return frame.garbled()
            self.changes += 1
            self._note()
            if self.changes_delay_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.changes_delay_seconds, link.to_client.write, frame.raw)
                return b""
        elif b'"phoenix"' in frame.payload[:50]:
            self.heartbeats += 1
            self._note()
        return frame.raw

    async def _written(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.bytes_per_second is None:
            writer.write(data)
            await writer.drain()
            return
        size = max(self.bytes_per_second // SLICES, 1)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(1 / SLICES)


async def _answer(link: _Link, status: int, body: str) -> None:
    kind = "application/json" if body.startswith("{") else "text/html"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    link.to_client.write(f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
    await link.to_client.drain()


async def _first_of(*directions: Any) -> None:
    """A connection is over when either side of it is."""
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(
                result, OSError | asyncio.IncompleteReadError
            ):
                raise result
