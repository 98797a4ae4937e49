from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from starlette.applications import Starlette

from prt.local import rest
from prt.local.postgres.pool import Database
from prt.local.postgres.server import Postgres
from prt.local.serving.keys import Keys, generate
from tests.local.databases import bootstrapped

HERE = Path(__file__).parent
ME = "11111111-1111-1111-1111-111111111111"

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def keys() -> Keys:
    return generate()


@pytest.fixture(scope="module")
def library(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection to a database with books in it."""
    with bootstrapped(postgres, "library") as connection:
        connection.execute((HERE / "library.sql").read_bytes())
        yield connection


@pytest.fixture
def rows(library: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """The same rows for every test."""
    library.execute((HERE / "rows.sql").read_bytes())
    return library


@pytest.fixture
def conninfo(postgres: Postgres) -> str:
    return make_conninfo(postgres.conninfo("authenticator"), dbname="library")


@pytest.fixture
def ask(rows: psycopg.Connection[Any], conninfo: str, keys: Keys) -> Ask:
    """One request, as the service role unless a role is given. `claims` go into a token of that role."""

    def request(
        method: str, path: str, body: Any = None, *, role: str = "service_role", **options: Any
    ) -> httpx.Response:
        claims = {"role": role, **options.pop("claims", {})}
        headers = {
            "apikey": keys.anon,
            "authorization": f"Bearer {keys.sign(claims)}",
            "content-type": "application/json",
            **options.pop("headers", {}),
        }
        if prefer := options.pop("prefer", None):
            headers["prefer"] = prefer
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        asked = httpx.Request(method, f"http://project/rest/v1{path}", headers=headers, content=content)
        return asyncio.run(send(conninfo, keys, asked))

    return request


async def send(conninfo: str, keys: Keys, request: httpx.Request) -> httpx.Response:
    async with Database(conninfo) as database:
        transport = httpx.ASGITransport(Starlette(routes=rest.routes(database, keys)))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.send(request)
