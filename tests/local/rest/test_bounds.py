"""What one client can take of REST: its connections, its queries, the digits of its numbers, its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from prt.local import rest
from prt.local.postgres.pool import Database
from prt.local.project import port
from prt.local.rest import numbers, tables
from prt.local.serving.keys import Keys
from prt.local.serving.server import application, serving
from tests.local.rest.conftest import ME, Ask
from tests.running import PATIENCE

SLOW = """
create or replace function public.slow() returns int language plpgsql stable as
$$ begin perform pg_sleep(600); return 1; end $$
"""
SLEEPING = "select count(*) from pg_stat_activity where query like '%%slow%%' and wait_event = 'PgSleep'"


@asynccontextmanager
async def served(conninfo: str, keys: Keys, size: int, share: int) -> AsyncIterator[str]:
    async with Database(conninfo, size, share=share) as database:
        with port.bound(0) as listener:
            async with serving(application(rest.routes(database, keys)), listener):
                yield f"http://{port.HOST}:{listener.getsockname()[1]}"


def headers_of(keys: Keys, **claims: Any) -> dict[str, str]:
    # A role without a timeout of its own: what ends these queries is that their clients go.
    return {"apikey": keys.anon, "authorization": f"Bearer {keys.sign({'role': 'service_role', **claims})}"}


async def until_asleep(sql: psycopg.Connection[Any], count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while sql.execute(SLEEPING).fetchone() != (count,):
            await asyncio.to_thread(sql.execute, "select pg_sleep(0.01)")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_query_ends_with_its_client(rows: Any, conninfo: str, keys: Keys, method: str) -> None:
    rows.execute(SLOW)

    async def scenario() -> None:
        async with (
            served(conninfo, keys, 2, 2) as url,
            httpx.AsyncClient(base_url=url, headers=headers_of(keys), trust_env=False) as client,
        ):
            asking = [asyncio.create_task(client.request(method, "/rest/v1/rpc/slow")) for _ in range(2)]
            await until_asleep(rows, 2)
            for task in asking:
                task.cancel()
            await until_asleep(rows, 0)
            # Their connections are of use to others.
            answer = await client.get("/rest/v1/books?select=id&limit=1", timeout=PATIENCE)
            assert answer.status_code == 200

    asyncio.run(scenario())


def test_a_request_that_waits_for_a_connection_ends_with_its_client(
    rows: Any, conninfo: str, keys: Keys
) -> None:
    rows.execute(SLOW)

    async def scenario() -> None:
        async with (
            served(conninfo, keys, 1, 1) as url,
            httpx.AsyncClient(base_url=url, headers=headers_of(keys), trust_env=False) as client,
        ):
            holding = asyncio.create_task(client.post("/rest/v1/rpc/slow"))
            await until_asleep(rows, 1)
            waiting = asyncio.create_task(client.post("/rest/v1/books", json={"id": 4711}))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            holding.cancel()
            await until_asleep(rows, 0)
            found = await client.get("/rest/v1/books?id=eq.4711&select=id", timeout=PATIENCE)
            assert found.json() == []

    asyncio.run(scenario())


def test_slow_requests_of_one_user_leave_connections_for_others(rows: Any, conninfo: str, keys: Keys) -> None:
    rows.execute(SLOW)

    async def scenario() -> None:
        async with (
            served(conninfo, keys, 4, 2) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client,
        ):
            hostile = headers_of(keys, sub=ME)
            asking = [
                asyncio.create_task(client.post("/rest/v1/rpc/slow", headers=hostile)) for _ in range(10)
            ]
            await until_asleep(rows, 2)
            others = (headers_of(keys, sub="other"), headers_of(keys), {"apikey": keys.anon})
            for headers in others:
                answer = await client.get("/rest/v1/books?select=id&limit=1", headers=headers)
                assert answer.status_code in {200, 401}
            assert rows.execute(SLEEPING).fetchone() == (2,)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await until_asleep(rows, 0)

    asyncio.run(scenario())


LONG = "1e131071"


@pytest.mark.parametrize(
    "body",
    [
        f'{{"id": 1, "a": [{",".join([LONG] * 9)}]}}',
        f'[{",".join([f"""{{"id": {LONG}}}"""] * 9)}]',
        '{"id": 1E+0999999}' + " " * numbers.PIECE + "1e999999",
    ],
    ids=["one row", "many rows", "far apart"],
)
def test_numbers_that_become_megabytes_are_refused(ask: Ask, body: str) -> None:
    for path in ("/books", "/rpc/anything"):
        answer = ask("POST", path, body.encode())
        assert (answer.status_code, answer.json()["code"]) == (400, "22003")


@pytest.mark.parametrize(
    "value", ["1e131071", '"9e999999 3E99999999"', '"\\"9e99999999"', "1e-131071", "1" * 1000], ids=len
)
def test_numbers_of_a_length_that_is_used_are_not(value: str) -> None:
    asyncio.run(numbers.check(f'{{"a": {value}}}'.encode()))


def test_an_answer_has_a_bound(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ask("GET", "/books?select=title")
    monkeypatch.setattr(tables, "LARGEST_ANSWER", len(whole.content))
    assert ask("GET", "/books?select=title").status_code == 200
    monkeypatch.setattr(tables, "LARGEST_ANSWER", len(whole.content) - 1)
    answer = ask("GET", "/books?select=title")
    assert (answer.status_code, answer.json()["code"]) == (413, "54000")
    assert ask("GET", "/books?select=title&limit=1").status_code == 200
