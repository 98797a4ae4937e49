"""Where faults are made for real: an embedded project with odd settings, and servers with scripted answers.

Everything is served from threads, so that the command runs in this process as it does in its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from prt.local import auth, rest
from prt.local.postgres.pool import Database
from prt.local.project.embedded import Project
from prt.local.realtime import Realtime, Settings
from prt.local.serving import server
from tests.fakes import Peer, Script

T = TypeVar("T")

CERTIFICATE = Path(__file__).with_name("self-signed.pem")
"""For 127.0.0.1, with its key: signed by nobody else, valid for a hundred years."""


@contextmanager
def in_thread(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An asynchronous context, open in a loop of its own while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result()
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@dataclass(frozen=True)
class Stage:
    """A project that runs; `url` is where it is served, `sql` a superuser in autocommit."""

    project: Project
    url: str
    sql: psycopg.Connection[Any]

    def token(self, role: str = "authenticated", **claims: Any) -> str:
        return self.project.keys.sign({"role": role, "sub": "11111111-1111-1111-1111-111111111111", **claims})

    def environment(self, **changed: str | None) -> dict[str, str]:
        """The variables of an anonymous client with the database at hand; None leaves one out."""
        own: dict[str, str | None] = {
            "SUPABASE_URL": self.url,
            "SUPABASE_ANON_KEY": self.project.keys.anon,
            "SUPABASE_DB_URL": self.project.postgres.url,
            **changed,
        }
        return {name: value for name, value in own.items() if value is not None}

    @contextmanager
    def table(
        self, name: str, columns: str = "id bigint primary key, title text", *, rules: str = ""
    ) -> Iterator[None]:
        """A published table that everybody may read, until `rules` change that; gone afterwards."""
        self.sql.execute(
            f"create table public.{name} ({columns}); alter table public.{name} enable row level security; "
            f"create policy everybody on public.{name} for select using (true); "
            f"alter publication supabase_realtime add table public.{name}; {rules}".encode()
        )
        try:
            yield
        finally:
            self.sql.execute(f"drop table public.{name}".encode())

    @contextmanager
    def changed(self, statement: str, back: str) -> Iterator[None]:
        self.sql.execute(statement.encode())
        try:
            yield
        finally:
            self.sql.execute(back.encode())


@asynccontextmanager
async def served(project: Project, settings: Settings | None = None) -> AsyncIterator[str]:
    """The URL of the project's database behind services with these settings."""
    realtime = Realtime(project.postgres.conninfo("supabase_realtime_admin"), project.keys, settings=settings)
    async with (
        Database(project.postgres.conninfo("authenticator")) as database,
        Database(project.postgres.conninfo("supabase_auth_admin")) as auth_database,
    ):
        routes = [
            *realtime.routes(),
            *rest.routes(database, project.keys),
            *auth.routes(auth_database, project.keys, project.url),
        ]
        await realtime.start()
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
                listener.bind(("127.0.0.1", 0))
                async with server.serving(server.application(routes), listener):
                    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await realtime.stop()


@asynccontextmanager
async def bare(project: Project) -> AsyncIterator[str]:
    """Realtime alone: no gateway, no Auth, no REST."""
    realtime = Realtime(project.postgres.conninfo("supabase_realtime_admin"), project.keys)
    await realtime.start()
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            async with server.serving(server.application(realtime.routes()), listener):
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await realtime.stop()


async def _until_closed(peer: Peer) -> None:
    await peer.until_closed()


@asynccontextmanager
async def answering(
    answers: Mapping[str, tuple[int, Any]] | None = None,
    script: Script = _until_closed,
    *,
    headers: Mapping[str, str] | None = None,
    is_encrypted: bool = False,
) -> AsyncIterator[str]:
    """A server that answers requests by the beginning of their path, else with an empty 200; a websocket
    where no answer is set runs the script.
    """
    context = None
    if is_encrypted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)

    def on_request(_: ServerConnection, request: Request) -> Response | None:
        path = next((path for path in answers or {} if request.path.startswith(path)), None)
        if path is None and "Upgrade" in request.headers:
            return None
        status, printed = (answers or {})[path] if path is not None else (200, {})
        is_json = not isinstance(printed, str)
        body = (json.dumps(printed) if is_json else printed).encode()
        kind = "application/json" if is_json else "text/html"
        own = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Other"
        return Response(status, phrase, Headers(own), body)

    async def serve_one(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(Peer(connection))

    async with serve(
        serve_one, "127.0.0.1", 0, process_request=on_request, max_size=2**24, compression=None, ssl=context
    ) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield f"http{'s' if is_encrypted else ''}://127.0.0.1:{port}"


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """Accepts connections, and speaks no HTTP, as the port of another service."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        with suppress(OSError):
            await reader.readline()
            writer.write(b"Invalid SSH identification string.\r\n")
        writer.close()

    running = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def before(
    url: str, *, date: str | None = None, drops_upgrade: bool = False, holds_upgrade: bool = False
) -> AsyncIterator[str]:
    """A proxy before a project: it may set another date, drop the upgrade of websockets, or hold them."""
    host, _, port = url.removeprefix("http://").partition(":")
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[Any]] = set()

    def changed(head: str) -> str | None:
        """A request as it goes on, one a connection; None where it doesn't."""
        first, *fields = head.split("\r\n")
        is_upgrade = "upgrade: websocket" in head.lower()
        if is_upgrade and holds_upgrade:
            return None
        if is_upgrade and not drops_upgrade:
            return head
        kept = [field for field in fields if not field.lower().startswith(("upgrade", "connection"))]
        return "\r\n".join([first, "Connection: close", *kept])

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            head = changed((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            if head is None:
                await reader.read()
                return
            back, forth = await asyncio.open_connection(host, int(port))
            writers.add(forth)
            forth.write(head.encode("latin-1"))
            tasks.add(asyncio.create_task(copied(reader, forth)))
            answer = (await back.readuntil(b"\r\n\r\n")).decode("latin-1")
            if date is not None:
                first, *fields = answer.split("\r\n")
                kept = [field for field in fields if not field.lower().startswith("date:")]
                answer = "\r\n".join([first, f"date: {date}", *kept])
            writer.write(answer.encode("latin-1"))
            await copied(back, writer)
        writer.close()

    async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(passed(reader, writer)))

    running = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
