from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from starlette.applications import Starlette

from prt.local import auth
from prt.local.postgres.pool import Database
from prt.local.postgres.server import Postgres
from prt.local.serving.keys import Keys, generate
from tests.local.databases import bootstrapped

URL = "http://127.0.0.1:54321"

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def keys() -> Keys:
    return generate()


@pytest.fixture(scope="module")
def accounts(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection to a database that Supabase's own tables are in."""
    with bootstrapped(postgres, "accounts") as connection:
        yield connection


@pytest.fixture
def database(accounts: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Without a user."""
    accounts.execute("truncate auth.users, auth.identities, auth.sessions, auth.refresh_tokens")
    return accounts


@pytest.fixture
def ask(database: psycopg.Connection[Any], postgres: Postgres, keys: Keys) -> Ask:
    """One request, with the publishable key; `token` is the bearer, `signer` has other keys for tokens."""

    def request(
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        signer: Keys | None = None,
        allows_anonymous: bool = False,
        **headers: str,
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"apikey": keys.publishable, **named}
        if token is not None:
            named["authorization"] = f"Bearer {token}"
        given: dict[str, Any]
        given = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        given["allows_anonymous"] = allows_anonymous
        return asyncio.run(_send(postgres, signer or keys, method, path, headers=named, **given))

    return request


async def _send(postgres: Postgres, keys: Keys, method: str, path: str, **options: Any) -> httpx.Response:
    async with Database(postgres.conninfo("supabase_auth_admin", dbname="accounts")) as database:
        allows_anonymous = options.pop("allows_anonymous", False)
        routes = auth.routes(database, keys, URL, allows_anonymous=allows_anonymous)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://project") as client:
            return await client.request(method, f"/auth/v1{path}", **options)
