"""Who may join and send on a private topic: policies as their authors write them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest

from prt.local.postgres.session import Session
from prt.local.realtime import Settings
from prt.local.realtime.channels.rights import UnanswerableError, rights
from prt.local.realtime.protocol.tokens import Principal
from tests.local.realtime.serving import Backend, Client, Running

TOPIC = "realtime:lab:1"
DENIED = {
    "status": "error",
    "response": {
        "reason": "Unauthorized: You do not have permissions to read from this Channel topic: lab:1"
    },
}
PRESENT = {"presence": {"enabled": True, "key": "me"}}


@pytest.fixture
def policy(sql: psycopg.Connection[Any]) -> Iterator[Callable[[str], None]]:
    """Makes a policy for `authenticated` that is gone after the test: what follows `on realtime.messages`."""
    names = (f"lab_{number}" for number in range(10))
    made: list[str] = []

    def make(rule: str) -> None:
        made.append(next(names))
        command, _, condition = rule.partition(" ")
        named = f"create policy {made[-1]} on realtime.messages for {command}"
        sql.execute(f"{named} to authenticated {condition}".encode())

    yield make
    for name in made:
        sql.execute(f"drop policy if exists {name} on realtime.messages".encode())


def run(
    backend: Backend, scenario: Callable[[Running], Awaitable[None]], settings: Settings | None = None
) -> None:
    async def serve() -> None:
        async with backend.serving(settings) as running:
            await scenario(running)

    asyncio.run(serve())


async def enter(client: Client, token: str, **config: Any) -> Any:
    return await client.enter(TOPIC, token=token, private=True, **config)


async def say(client: Client, number: int) -> None:
    await client.push(
        TOPIC, "broadcast", {"type": "broadcast", "event": "e", "payload": {"n": number}}, join_ref="1"
    )


async def track(client: Client) -> Any:
    await client.push(TOPIC, "presence", {"event": "track", "payload": {}}, join_ref="1")
    return (await client.expect("phx_reply"))["status"]


def test_presence_alone_opens_the_door_to_who_wants_presence(backend: Backend, policy: Any) -> None:
    policy("select using (realtime.topic() = 'lab:1' and extension = 'presence')")
    policy("insert with check (realtime.topic() = 'lab:1')")

    async def scenario(running: Running) -> None:
        async with running.client() as one, running.client() as two:
            assert await enter(one, backend.user(1)) == DENIED
            for client in (one, two):
                assert (await enter(client, backend.user(1), **PRESENT))["status"] == "ok"
                await client.expect("presence_state")
            await say(one, 1)
            assert await track(one) == "ok"
            await one.expect("presence_diff")
            # The broadcast came first, and was not for those who may not read broadcasts.
            assert list((await two.expect("presence_diff"))["joins"]) == ["me"]

    run(backend, scenario)


def test_a_client_that_did_not_want_presence_receives_it_once_it_tracks(
    backend: Backend, policy: Any
) -> None:
    policy("select using (realtime.topic() = 'lab:1')")
    policy("insert with check (realtime.topic() = 'lab:1')")

    async def scenario(running: Running) -> None:
        async with running.client() as quiet, running.client() as present:
            assert (await enter(quiet, backend.user(1)))["status"] == "ok"
            await enter(present, backend.user(2), **PRESENT)
            await present.expect("presence_state")
            await track(present)
            await present.expect("presence_diff")
            await quiet.expect_nothing_more()
            assert await track(quiet) == "ok"
            await quiet.expect("presence_diff")
            await present.expect("presence_diff")
            await present.push(TOPIC, "presence", {"event": "untrack"}, join_ref="1")
            assert list((await quiet.expect("presence_diff"))["leaves"]) == ["me"]

    run(backend, scenario)


def test_rights_last_until_the_next_token(backend: Backend, policy: Any) -> None:
    policy("select using (realtime.topic() = 'lab:1')")
    policy("insert with check (realtime.topic() = 'lab:1')")

    async def scenario(running: Running) -> None:
        async with running.client() as sender, running.client() as listener:
            await enter(sender, backend.user(1), broadcast={"ack": True})
            await enter(listener, backend.user(2))
            backend.sql.execute("drop policy lab_1 on realtime.messages")
            await say(sender, 1)
            assert (await sender.expect("phx_reply"))["status"] == "ok"
            assert (await listener.expect("broadcast"))["payload"] == {"n": 1}
            await sender.push(TOPIC, "access_token", {"access_token": backend.user(1, again=1)})
            await say(sender, 2)
            await sender.expect_nothing_more()
            await listener.expect_nothing_more()
            policy("insert with check (realtime.topic() = 'lab:1')")
            await sender.push(TOPIC, "access_token", {"access_token": backend.user(1, again=2)})
            await say(sender, 3)
            assert (await sender.expect("phx_reply"))["status"] == "ok"
            assert (await listener.expect("broadcast"))["payload"] == {"n": 3}

    run(backend, scenario)


def test_a_token_that_reads_less_ends_the_channel(backend: Backend, policy: Any) -> None:
    policy("select using (extension = 'broadcast' or auth.jwt() ->> 'seat' = 'front')")

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await enter(client, backend.user(1, seat="front"), **PRESENT)
            await client.expect("presence_state")
            await client.push(TOPIC, "access_token", {"access_token": backend.user(1)})
            assert (await client.expect("system"))["message"] == (
                "You no longer have permission to read from this Channel topic: lab:1"
            )
            assert await client.expect("phx_close") == {}

    run(backend, scenario)


def test_policies_see_the_claims_and_the_users_own_tables(backend: Backend, policy: Any) -> None:
    backend.sql.execute(
        "create table if not exists public.lab_members (topic text, member uuid);"
        "insert into lab_members values ('lab:1', '11111111-1111-1111-1111-111111111111')"
    )
    policy(
        "select using (exists (select from lab_members m"
        " where m.topic = realtime.topic() and m.member = auth.uid()))"
    )

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert await enter(client, backend.user(2)) == DENIED
            assert (await enter(client, backend.user(1)))["status"] == "ok"
            kept = backend.sql.execute("select count(*) from realtime.messages").fetchone()
            assert kept == (0,)

    try:
        run(backend, scenario)
    finally:
        # The policy depends on it.
        backend.sql.execute("drop table lab_members cascade")


def test_a_policy_that_fails_allows_nothing(backend: Backend, policy: Any) -> None:
    policy("select using (1 / (length(topic) - length(topic)) = 1)")

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert await enter(client, backend.user(1)) == DENIED

    run(backend, scenario)


def test_a_policy_for_sending_that_fails_still_lets_read(backend: Backend, policy: Any) -> None:
    policy("select using (true)")
    policy("insert with check (1 / (length(topic) - length(topic)) = 1)")

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert (await enter(client, backend.user(1), broadcast={"ack": True, "self": True}))[
                "status"
            ] == "ok"
            await say(client, 1)
            await client.expect_nothing_more()

    run(backend, scenario)


def test_a_slow_policy(backend: Backend, policy: Any) -> None:
    policy("select using (pg_sleep(30) is null)")

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            refused = await enter(client, backend.user(1))
            assert refused["response"]["reason"] == (
                "QueryCanceled: ERROR 57014 (query_canceled) canceling statement due to statement timeout"
            )
            # The next one is asked on the same connection.
            assert (await client.enter("realtime:ro:1", token=backend.user(1), private=True))[
                "status"
            ] == "ok"

    run(backend, scenario, Settings(statement_seconds=1.0))


def test_a_database_that_is_gone() -> None:
    async def ask() -> None:
        gone = Session("host=127.0.0.1 port=1", "gone", statement_seconds=1)
        with pytest.raises(UnanswerableError) as refused:
            await rights(gone, "lab:1", Principal("authenticated", "{}"))
        assert str(refused.value) == (
            "UnableToConnectToProject: Realtime was unable to connect to the project database"
        )

    asyncio.run(ask())


def test_a_client_that_goes_while_it_is_asked_about_leaves_nothing(backend: Backend, policy: Any) -> None:
    policy("select using (pg_sleep(0.5) is not null)")

    async def scenario(running: Running) -> None:
        async with running.client() as listener:
            await enter(listener, backend.user(1), **PRESENT)
            await listener.expect("presence_state")
            async with running.client() as leaving:
                await leaving.push(
                    TOPIC,
                    "phx_join",
                    {
                        "config": {"private": True, "broadcast": {"replay": {"since": 0}}},
                        "access_token": backend.user(2),
                    },
                )
            await listener.expect_nothing_more()

    run(backend, scenario)
