"""The services of an embedded project put together: Realtime, REST, Auth, reset, emptying, demo traffic."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prt.config.constants.plans import limits_of
from prt.errors import PrtError
from prt.local import auth, rest
from prt.local.postgres.pool import Database
from prt.local.postgres.server import OWNER
from prt.local.project import remote
from prt.local.project.embedded import Project
from prt.local.project.options import Options
from prt.local.realtime import Realtime, Settings
from prt.local.seed import loading
from prt.local.serving import absent, server
from prt.local.serving.turns import Turns

AUTH_CONNECTIONS = 4
REST_CONNECTIONS, REST_SHARE = 20, 8
"""REST's database connections, and how many of them the requests of one user may use at once."""


@asynccontextmanager
async def serving(project: Project) -> AsyncIterator[None]:
    """Serve a project while the block runs.

    At the end of the block, requests are refused first; then the sockets, the replication stream and the
    database connections are closed, in this order.
    """
    turns = Turns()
    settings = settings_of(project.options)
    # None of them signs in as a superuser: they run the users' own triggers and policies.
    conninfo = project.postgres.conninfo("supabase_realtime_admin")
    realtime = Realtime(conninfo, project.keys, settings=settings, turns=turns)
    day = Traffic(project)
    async with (
        Database(project.postgres.conninfo("authenticator"), REST_CONNECTIONS, share=REST_SHARE) as database,
        Database(project.postgres.conninfo("supabase_auth_admin"), size=AUTH_CONNECTIONS) as auth_database,
    ):
        app = server.application(
            [
                *realtime.routes(),
                *rest.routes(database, project.keys),
                *auth.routes(
                    auth_database,
                    project.keys,
                    project.url,
                    allows_anonymous=project.options.anonymous_sign_ins,
                ),
                *absent.routes(),
                _reset_route(project, day, realtime),
                _emptying_route(project),
            ],
            turns,
        )
        await realtime.start()
        try:
            async with server.serving(app, project.listener):
                day.start()
                try:
                    yield
                finally:
                    await day.stop()
        finally:
            await realtime.stop()


class Traffic:
    """The demo traffic of a project (`prt/local/seed/traffic.py`), if the options ask for it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the traffic if the options ask for it."""
        options = self._project.options
        if options.traffic:
            from prt.local.seed import traffic  # noqa: PLC0415 - the colleagues bring a client of websockets

            day = traffic.play(
                self._project.postgres.conninfo(OWNER),
                self._project.url,
                self._project.keys.anon,
                rate=options.rate,
                seed=options.traffic_seed,
            )
            self._task = asyncio.create_task(day)

    async def stop(self) -> None:
        """Stop the traffic and wait for its end."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, psycopg.Error):
                await self._task
            self._task = None


def settings_of(options: Options) -> Settings:
    """Return the settings of Realtime that the options ask for."""
    found: dict[str, Any] = {"poll_seconds": options.poll_seconds}
    if options.plan is not None:
        limits = limits_of(options.plan)
        found |= {"limits": limits, "largest_broadcast": limits.largest_broadcast}
    return Settings(**found | options.realtime)


def _reset_route(project: Project, day: Traffic, realtime: Realtime) -> Route:
    one_at_a_time = asyncio.Lock()

    async def reset(request: Request) -> JSONResponse:
        if not _has_secret_key(request, project):
            return JSONResponse({"message": "Invalid API key"}, status_code=401)
        async with one_at_a_time:
            await day.stop()
            try:
                await asyncio.to_thread(
                    loading.reset, project.postgres, project.options, keep_roles=project.platform_roles
                )
                # All tables are new. Without this check, subscribers would miss events for up to a minute.
                await realtime.publication.check()
            except PrtError as error:
                return JSONResponse({"message": error.message, "hint": error.hint}, status_code=422)
            except psycopg.Error as error:
                return JSONResponse(
                    {"message": f"reset failed: {error}".strip(), "hint": None}, status_code=500
                )
            finally:
                day.start()
        return JSONResponse({})

    return Route(remote.RESET, reset, methods=["POST"])


def _emptying_route(project: Project) -> Route:
    """Return the route that empties tables: those that were written to since the mark of an earlier answer.

    The answer is `{"emptied": …, "mark": …}`; the mark is the parameter `since` of the next request.
    """

    async def empty(request: Request) -> JSONResponse:
        if not _has_secret_key(request, project):
            return JSONResponse({"message": "Invalid API key"}, status_code=401)
        since = request.query_params.get("since")
        try:
            emptied, mark = await asyncio.to_thread(
                loading.empty_written, project.postgres, None if since is None else int(since)
            )
        except (ValueError, psycopg.Error) as error:
            return JSONResponse({"message": f"emptying failed: {error}".strip()}, status_code=500)
        return JSONResponse({"emptied": emptied, "mark": mark})

    return Route(remote.EMPTY, empty, methods=["POST"])


def _has_secret_key(request: Request, project: Project) -> bool:
    key = request.headers.get("apikey", "")
    return secrets.compare_digest(key.encode(), project.keys.secret.encode())
