"""One port of 127.0.0.1 with the paths of a Supabase project.

starlette routes, uvicorn serves: HTTP and websockets on the same port, which `websockets` alone refuses.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from prt.local.project.port import BACKLOG
from prt.local.serving.middleware import Bounded, Reported, Shared
from prt.local.serving.protocols import Config, Exhaustion
from prt.local.serving.turns import Turns

LARGEST_FRAME = 5_000_000
"""Realtime's own bound: a longer frame closes the socket with 1009."""
ACCEPTED_AT_ONCE = 8
"""Connections in one go, in which nobody else has a turn; asyncio takes as many as may wait."""
GRACE_SECONDS = 2
LOOK_SECONDS = 0.01


def application(routes: Sequence[BaseRoute], turns: Turns | None = None) -> Starlette:
    """Return the ASGI application that serves the routes to any web origin (CORS), as a hosted project does.

    `turns` shares the event loop fairly among clients; Realtime's sockets use the same one.
    """
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=[
            "Content-Range",
            "Content-Location",
            "Location",
            "Preference-Applied",
            "X-Total-Count",
        ],
        max_age=3600,
    )
    shared = Middleware(Shared, turns=turns or Turns())
    return Starlette(
        routes=list(routes),
        middleware=[shared, cors, Middleware(Bounded)],
        exception_handlers={404: _no_route},
    )


async def _no_route(_: Request, __: Exception) -> JSONResponse:
    """The words of a hosted project's gateway."""
    return JSONResponse({"message": "no Route matched with those values"}, status_code=404)


class _Server(uvicorn.Server):
    """Tells when it listens, ends when told, and leaves signals to its caller.

    uvicorn's own looks ten times a second whether it should end, and whether it has: 0.2 s for nothing.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self._is_over = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._is_over.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):  # in tenths of a second, for the `Date` of answers
            counter += 10
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn sets no event
                    await asyncio.sleep(LOOK_SECONDS)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in state.tasks:
                task.cancel()


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serves while the block runs; at its end open requests have two seconds, sockets close with 1012."""
    config = Config(
        Reported(app),
        ws_per_message_deflate=False,
        ws_max_size=LARGEST_FRAME,
        # The real server does not ping: a client that pauses is closed for its own silence only.
        ws_ping_interval=None,
        ws_ping_timeout=None,
        lifespan="off",
        # Unless it is given, it comes from WEB_CONCURRENCY.
        workers=1,
        # A client is its connection, whatever it says in a header.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        backlog=ACCEPTED_AT_ONCE,
    )
    server = _Server(config)
    exhaustion = Exhaustion(asyncio.get_running_loop())
    task = asyncio.create_task(server.serve([listener]))
    up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        up.cancel()
        await task
    listener.listen(BACKLOG)  # the server has told the socket its own
    try:
        yield
    finally:
        server.end()
        await task
        exhaustion.close()
