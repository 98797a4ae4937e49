"""The web server of an embedded project: all paths of a Supabase project on one port of 127.0.0.1.

starlette routes the requests; uvicorn serves HTTP and WebSockets on the same port, which the package
`websockets` alone can't do.
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
"""The longest frame in bytes, as on Realtime's servers: a longer one closes the socket with 1009."""
ACCEPTED_AT_ONCE = 8
"""How many connections are accepted in one go, during which no client is served.

asyncio accepts as many as its argument `backlog` says.
"""
GRACE_SECONDS = 2
LOOK_SECONDS = 0.01


def application(routes: Sequence[BaseRoute], turns: Turns | None = None) -> Starlette:
    """Return the ASGI application that serves the routes to any web origin (CORS), as a hosted project does.

    `turns` shares the event loop fairly among clients; Realtime's sockets must use the same object.
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
    """Answer 404 with the message of a hosted project's gateway."""
    return JSONResponse({"message": "no Route matched with those values"}, status_code=404)


class _Server(uvicorn.Server):
    """A uvicorn server that signals when it listens, can be ended, and leaves signals to its caller.

    uvicorn's own server checks only ten times a second whether it should end, and whether it has ended, which
    would delay the end by up to 0.2 s.
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
        while not await self.on_tick(counter):  # counts tenths of a second; sets the `Date` of answers
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
    """Serve the application on a listening socket while the block runs.

    At the end of the block, open requests have two seconds to finish, and WebSockets are closed with 1012.
    """
    config = Config(
        Reported(app),
        ws_per_message_deflate=False,
        ws_max_size=LARGEST_FRAME,
        # Realtime's servers send no pings: they close a client only if it sends no heartbeats itself.
        ws_ping_interval=None,
        ws_ping_timeout=None,
        lifespan="off",
        # Without this argument, uvicorn would read it from WEB_CONCURRENCY.
        workers=1,
        # A client is identified by its connection, and not by a header that it can choose.
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
    listener.listen(BACKLOG)  # uvicorn has set its own backlog
    try:
        yield
    finally:
        server.end()
        await task
        exhaustion.close()
