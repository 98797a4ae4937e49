"""The routes of `/rest/v1`. Each checks key and token, parses the request, and answers from one transaction.

The routes are starlette's, on which the embedded project's server is built (prt/local/serving/server.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import unquote

import msgspec
import psycopg
from psycopg import AsyncConnection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prt.local.postgres.pool import Database, NoConnectionError
from prt.local.postgres.slots import Borrower
from prt.local.rest import description, numbers, tables
from prt.local.rest.caller import ANONYMOUS, NOBODY, Caller, caller_of
from prt.local.rest.catalog import TableName, find_table
from prt.local.rest.errors import RestError, from_database
from prt.local.rest.exchange import MediaType, media_type_of, window_of
from prt.local.rest.functions import calls
from prt.local.rest.preferences import parse_preferences
from prt.local.rest.query.parameters import parameters_of, parse_query
from prt.local.rest.schemas import Schemas
from prt.local.rest.sql import quote
from prt.local.serving.departure import ClientGoneError, while_connected
from prt.local.serving.gateway import refusal, token_of
from prt.local.serving.keys import Keys

ROOT = "/rest/v1"
SEARCHED = ("public", "extensions")
"""The schemas in the search path after the one of the request, for names without a schema."""
CLIENT_GONE = 499
"""nginx's status for a client that has disconnected. No client receives it."""
METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT"]

Work = Callable[[AsyncConnection[Any]], Awaitable[Response]]


def routes(database: Database, keys: Keys) -> list[BaseRoute]:
    """Return REST's routes.

    The login of `database` must be `authenticator`, which may become the roles of tokens but no other role.
    """
    rest = _Rest(database, keys)
    return [
        Route(f"{ROOT}/", rest.description, methods=["GET"]),
        Route(f"{ROOT}/rpc/{{function:path}}", rest.function, methods=METHODS),
        Route(f"{ROOT}/{{table:path}}", rest.table, methods=METHODS),
    ]


class _Rest:
    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._schemas = Schemas(database)

    async def table(self, request: Request) -> Response:
        async def respond(caller: Caller) -> Response:
            method = request.method
            query = parse_query(parameters_of(request.url.query.encode()))
            if method in {"GET", "HEAD"}:
                windows = {**query.windows, (): window_of(query, request.headers)}
                query = msgspec.structs.replace(query, windows=windows)
            elif method == "PUT":
                raise RestError(405, "PGRST117", f"Unsupported HTTP method: {method}")
            schema = await self._schema_of(request)
            asked = tables.Request(
                method=method,
                table=TableName(schema, _name_in(request, f"{ROOT}/")),
                query=query,
                preferences=parse_preferences(request.headers.getlist("prefer")),
                media=media_type_of(request.headers.get("accept", "")),
                body=await _json_body(request),
            )
            try:
                return await self._transaction(request, caller, schema, lambda c: tables.answer(c, asked))
            except psycopg.errors.UndefinedTable:
                await self._transaction(request, caller, schema, lambda c: _require_table(c, asked.table))
                raise

        return await self._guarded(request, respond)

    async def function(self, request: Request) -> Response:
        async def respond(caller: Caller) -> Response:
            if request.method not in {"GET", "HEAD", "POST"}:
                raise RestError(405, "PGRST101", f"Cannot use the {request.method} method on RPC")
            schema = await self._schema_of(request)
            call = calls.Call(
                method=request.method,
                function=TableName(schema, _name_in(request, f"{ROOT}/rpc/")),
                parameters=parameters_of(request.url.query.encode()),
                headers=dict(request.headers),
                preferences=parse_preferences(request.headers.getlist("prefer")),
                media=media_type_of(request.headers.get("accept", "")),
                content_type=_content_type(request),
                body=await _body_of_call(request) if request.method == "POST" else None,
            )
            return await self._transaction(request, caller, schema, lambda c: calls.answer(c, call))

        return await self._guarded(request, respond)

    async def description(self, request: Request) -> Response:
        async def respond(caller: Caller) -> Response:
            schema = await self._schema_of(request)
            return await self._transaction(request, caller, schema, lambda c: description.answer(c, schema))

        return await self._guarded(request, respond)

    async def _guarded(self, request: Request, respond: Callable[[Caller], Awaitable[Response]]) -> Response:
        """Check the key and the token, call `respond`, and answer errors with PostgREST's JSON body."""
        if (refused := refusal(request, self._keys)) is not None:
            return refused
        role = ANONYMOUS
        try:
            token = token_of(request, self._keys)
            is_nameless = not token and "authorization" not in request.headers
            caller = NOBODY if is_nameless else caller_of(token, self._keys)
            role = caller.role
            return await respond(caller)
        except RestError as exc:
            return _failure(exc, request.method)
        except ClientGoneError:
            return Response(status_code=CLIENT_GONE)
        except RecursionError:
            return _failure(RestError(400, "PGRST100", "The request is nested too deeply"), request.method)
        except (psycopg.Error, NoConnectionError) as exc:
            return _failure(from_database(exc, is_anonymous=role == ANONYMOUS), request.method)

    async def _schema_of(self, request: Request) -> str:
        is_read = request.method in {"GET", "HEAD"}
        return await self._schemas.chosen(
            request.headers.get("accept-profile" if is_read else "content-profile")
        )

    async def _transaction(self, request: Request, caller: Caller, schema: str, work: Work) -> Response:
        """Do the work in a transaction with the token's role, and with PostgREST's `request.…` settings."""
        settings = {
            "search_path": ", ".join(map(quote, dict.fromkeys((schema, *SEARCHED)))),
            "request.method": request.method,
            "request.path": request.scope["raw_path"].decode("latin-1").removeprefix(ROOT),
            "request.headers": msgspec.json.encode(dict(request.headers)).decode(),
            "request.cookies": msgspec.json.encode(request.cookies).decode(),
        }
        subject = caller.claims.get("sub")
        borrower = Borrower(subject if isinstance(subject, str) else caller.role, request.client)

        async def transaction() -> Response:
            async with self._database.acting_as(
                caller.role,
                caller.claims,
                settings=settings,
                is_read_only=request.method in {"GET", "HEAD"},
                borrower=borrower,
            ) as connection:
                return await work(connection)

        return await while_connected(request, transaction())


def _name_in(request: Request, parent: str) -> str:
    """Return the name that follows `parent` in the path; only the raw path shows which slash is a part of it.

    Raises:
        HTTPException: More than a name follows, or nothing.
    """
    name = request.scope["raw_path"].decode("latin-1").removeprefix(parent)
    if not name or "/" in name:
        raise HTTPException(404)
    return unquote(name)


async def _require_table(connection: AsyncConnection[Any], table: TableName) -> Response:
    await find_table(connection, table)
    return Response()


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", calls.JSON).partition(";")[0].strip().lower()


async def _json_body(request: Request) -> bytes:
    if request.method not in {"POST", "PATCH"}:
        return b""
    return await _body(request, {calls.JSON})


async def _body_of_call(request: Request) -> bytes:
    return await _body(request, {*calls.UNNAMED, calls.FORM})


async def _body(request: Request, acceptable: Collection[str]) -> bytes:
    content_type = _content_type(request)
    if content_type not in acceptable:
        raise RestError(415, "PGRST102", f"Content-Type not acceptable: {content_type}")
    body = await request.body()
    await numbers.check(body)
    return body


def _failure(error: RestError, method: str) -> Response:
    body = b"" if method == "HEAD" else msgspec.json.encode(error.body)
    headers = {"Content-Type": MediaType().name, **error.headers}
    return Response(body, error.status, headers)
