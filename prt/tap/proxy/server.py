"""The proxy: it listens on 127.0.0.1, and forwards what each connection sends.

Bytes are forwarded first and observed afterwards. An `Observer` receives copies and must return at once.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from prt.tap.proxy import heads
from prt.tap.proxy.frames import Scanner
from prt.tap.proxy.heads import LARGEST_HEAD, LARGEST_READ, Head, HeadError
from prt.tap.proxy.upstream import Upstream

BACKLOG = 1024


class Observer(Protocol):
    """The receiver of copies of the traffic. Its methods must not wait, raise or take long."""

    def asked(self, number: int, head: Head) -> None:
        """Record a request with its number. It may be the handshake of a websocket."""
        ...

    def answered(self, number: int, status: int) -> None:
        """Record the status of a request's answer. 101 opens a websocket."""
        ...

    def framed(self, number: int, raw: bytes | None, *, is_sent: bool) -> None:
        """Record a whole frame.

        `raw` is None if the frame is too large to be copied; `is_sent` says whether the client sent it.
        """
        ...

    def ended(self, number: int, *, is_by_client: bool) -> None:
        """Record the end of a websocket, and whether the client ended it."""
        ...

    def dropped(self, number: int, table: str) -> None:
        """Record a change of `table` (`schema.table`) that was kept from the client on purpose."""
        ...


class Link:
    """A connection of a client, and our connection to the project after a request was forwarded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.from_client, self.to_client = reader, writer
        self.from_server: asyncio.StreamReader | None = None
        self.to_server: asyncio.StreamWriter | None = None
        self.number = 0
        """The number of the connection's last request."""
        self.is_websocket = False
        self.is_left: bool | None = None
        """Whether the client ended it, rather than the project or a fault; None while the link is open."""

    def note_end(self, *, is_by_client: bool) -> None:
        """Note who ended the connection; only the first call counts."""
        if self.is_left is None:
            self.is_left = is_by_client

    def close(self, *, is_reset: bool) -> None:
        """Close both sides, with a TCP reset if `is_reset`."""
        self.note_end(is_by_client=False)
        for writer in (self.to_client, self.to_server):
            if writer is None:
                continue
            if is_reset:
                with suppress(OSError):
                    # With a linger time of zero the kernel sends RST.
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """A proxy in front of a project.

    Clients use its `url` instead of the project's. A subclass may interfere.
    """

    def __init__(self, project_url: str, observer: Observer | None = None, *, port: int = 0) -> None:
        """Prepare to listen on `port`, or on a free port for 0."""
        self._upstream = Upstream(project_url)
        self.observer = observer
        self.links: set[Link] = set()
        self.port = port
        self.failure: Callable[[OSError], None] | None = None
        """A callback for when the project can't be reached."""
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return the URL at which the proxy listens."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Any]:
        """Listen while the block runs.

        Raises:
            OSError: The port is in use.
        """
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, limit=LARGEST_HEAD, backlog=BACKLOG
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for link in list(self.links):
                link.close(is_reset=True)
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # Methods that a subclass may override.

    def admits(self) -> bool:
        """Return whether a new connection is accepted."""
        return True

    async def own_answer(self, link: Link, head: Head) -> bytes | None:
        """Return an answer to give instead of the project's, or None to forward the request.

        The connection ends after such an answer.
        """
        return None

    def answer_head(self, raw: bytes) -> bytes:
        """Return the head of an answer as the client receives it."""
        return raw

    async def pass_frames(self, link: Link) -> None:
        """Forward both directions of a websocket until one of them ends."""
        assert link.from_server is not None  # noqa: S101 - the handshake was answered
        assert link.to_server is not None  # noqa: S101
        await first_of(
            self._copy(link, link.from_client, link.to_server, is_sent=True),
            self._copy(link, link.from_server, link.to_client, is_sent=False),
        )

    # Forwarding.

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Link(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, link: Link) -> None:
        if not self.admits():
            link.close(is_reset=True)
            return
        self.links.add(link)
        try:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError, HeadError):
                while await self._exchange(link):
                    pass
        finally:
            self.links.discard(link)
            if link.is_websocket and self.observer is not None:
                self.observer.ended(link.number, is_by_client=bool(link.is_left))
            link.close(is_reset=False)

    async def _exchange(self, link: Link) -> bool:
        """Forward one request and its answer; return whether another request may follow."""
        head = heads.read(await link.from_client.readuntil(b"\r\n\r\n"))
        self._asked += 1
        link.number = self._asked
        if self.observer is not None:
            self.observer.asked(link.number, head)
        answer = await self.own_answer(link, head)
        if answer is None:
            answer = await self._connected(link)
        if answer is not None:
            return await self._answer(link, answer)
        assert link.to_server is not None  # noqa: S101 - connected
        link.to_server.write(heads.for_server(head, self._upstream.host, self._upstream.prefix))
        body = asyncio.create_task(self._request_body(link, link.to_server, head))
        body.add_done_callback(lambda body: _close_if_broken(link, body))
        try:
            is_more = await self._response(link, head)
        finally:
            # A server may answer before it has read the whole body, and would then never read the rest.
            is_whole = body.done() and not body.cancelled() and body.exception() is None
            body.cancel()
            await asyncio.gather(body, return_exceptions=True)
        return is_more and is_whole and not head.is_last

    async def _connected(self, link: Link) -> bytes | None:
        """Connect to the project unless a connection is still open; return an error answer if that fails."""
        if link.to_server is not None and link.from_server is not None:
            if not link.from_server.at_eof() and not link.to_server.is_closing():
                return None
            link.to_server.close()
        try:
            link.from_server, link.to_server = await self._upstream.connect()
        except OSError as exc:
            if self.failure is not None:
                self.failure(exc)
            return heads.error(502, "prt tap can't reach the project")
        return None

    async def _answer(self, link: Link, answer: bytes) -> bool:
        if self.observer is not None:
            self.observer.answered(link.number, int(answer[9:12]))
        link.to_client.write(answer)
        await link.to_client.drain()
        return False

    async def _request_body(self, link: Link, to_server: asyncio.StreamWriter, head: Head) -> None:
        async def write(data: bytes) -> None:
            to_server.write(data)
            await to_server.drain()

        await heads.pass_body(link.from_client, heads.framing_of(head), write)

    async def _response(self, link: Link, request: Head) -> bool:
        """Forward the answer, or all of a websocket; return whether the connection may be used again."""
        assert link.from_server is not None  # noqa: S101 - connected
        while True:
            raw = await link.from_server.readuntil(b"\r\n\r\n")
            answer = heads.read(raw)
            link.to_client.write(self.answer_head(raw))
            if answer.status == 101 or answer.status >= 200:
                break
        if self.observer is not None:
            self.observer.answered(link.number, answer.status)
        if answer.status == 101:
            link.is_websocket = request.is_upgrade
            await self.pass_frames(link)
            return False

        async def write(data: bytes) -> None:
            link.to_client.write(data)
            await link.to_client.drain()

        framing = heads.framing_of(answer, request.method)
        await heads.pass_body(link.from_server, framing, write)
        await link.to_client.drain()
        return framing != "close" and not answer.is_last

    async def _copy(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_sent: bool
    ) -> None:
        scanner, observer = Scanner(), self.observer
        while data := await read_some(link, reader, is_sent=is_sent):
            writer.write(data)
            if observer is not None:
                for raw in scanner.feed(data):
                    observer.framed(link.number, raw, is_sent=is_sent)
            await writer.drain()


async def read_some(link: Link, reader: asyncio.StreamReader, *, is_sent: bool) -> bytes:
    """Return the next bytes of one direction of a websocket, or none at its end, whose side is noted."""
    try:
        data = await reader.read(LARGEST_READ)
    except OSError:
        data = b""
    if not data:
        link.note_end(is_by_client=is_sent)
    return data


def _close_if_broken(link: Link, body: asyncio.Task[None]) -> None:
    """Close a connection whose request can't be forwarded whole, because no answer to it would come."""
    if not body.cancelled() and body.exception() is not None:
        link.close(is_reset=True)


async def first_of(*directions: Any) -> None:
    """Run the directions of a connection until one of them ends; cancel the others.

    Raises:
        Exception: What a direction raised, unless it is OSError or EOFError, which are the connection's end.
    """
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, OSError | EOFError):
                raise result
