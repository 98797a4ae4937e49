"""Joins that ask the server to answer only when their subscription to changes stands."""

from __future__ import annotations

from typing import Any

import pytest

from prt.local.realtime import Settings
from prt.local.realtime.protocol.join_config import DEFAULT_WAIT, LONGEST_WAIT, Config, Wait, configured
from tests.local.realtime.serving import Backend, Client, Running
from tests.local.realtime.test_losses import (
    OF_CHANGES,
    QUICK,
    SUBSCRIBED,
    TODOS,
    UNABLE,
    altered,
    end,
    ids,
    insert,
    no_new_slot,
    reported,
    run,
)

TOPIC = "realtime:a"


async def enter(client: Client, **options: Any) -> Any:
    wait = {"wait": True, **options}
    return await client.enter(TOPIC, postgres_changes=[TODOS], postgres_changes_options=wait)


def reason(answer: Any) -> str:
    assert answer["status"] == "error"
    return str(answer["response"]["reason"])


def test_a_join_without_a_publication_is_refused(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            backend.sql.execute("drop publication supabase_realtime")
            assert reason(await enter(client)) == f"RealtimeDisabledForConfiguration: {UNABLE}"
            await client.expect_nothing_more()
            await client.push(TOPIC, "presence", {}, join_ref="1")
            answer = await client.expect("phx_reply")
            assert answer == {"status": "error", "response": {"reason": "unmatched topic"}}

    with altered(backend):
        run(backend, scenario)


def test_a_refused_channel_is_not_subscribed_when_its_table_is_published(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            both = {"postgres_changes": [{**TODOS, "table": "missing"}, TODOS]}
            assert "table: missing" in reason(
                await client.enter(TOPIC, **both, postgres_changes_options={"wait": True})
            )
            backend.sql.execute("alter publication supabase_realtime drop table todos_full")
            await running.realtime.publication.check()
            insert(backend, 1)
            await running.delivered()
            await client.expect_nothing_more()

    with altered(backend):
        run(backend, scenario)


def test_the_answer_and_all_behind_it_wait_for_the_stream_of_changes(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            with no_new_slot(backend):
                end(backend, OF_CHANGES)
                while running.realtime._hub.stream.is_live.is_set():
                    await client.expect_nothing_more()
                await client.push(
                    TOPIC,
                    "phx_join",
                    {"config": {"postgres_changes": [TODOS], "postgres_changes_options": {"wait": True}}},
                    join_ref="1",
                )
                await client.push("phoenix", "heartbeat", {})
            joined = await client.receive_json()
            assert (joined["topic"], joined["payload"]["status"]) == (TOPIC, "ok")
            assert await reported(client) == ("ok", SUBSCRIBED)
            assert (await client.receive_json())["topic"] == "phoenix"
            insert(backend, 1)
            assert await ids(client, 1) == [1]

    run(backend, scenario, QUICK)


def test_a_join_is_refused_when_its_time_is_over(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            with no_new_slot(backend):
                end(backend, OF_CHANGES)
                while running.realtime._hub.stream.is_live.is_set():
                    await client.expect_nothing_more()
                assert reason(await enter(client, timeout=20)) == (
                    "PostgresChangesSubscribeTimeout: Timed out after 20ms waiting for the "
                    "postgres_changes subscription"
                )
                await client.expect_nothing_more()

    run(backend, scenario, QUICK)


def test_one_attempt_is_made_however_short_the_time(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert (await enter(client, timeout=1))["status"] == "ok"
            assert await reported(client) == ("ok", SUBSCRIBED)

    run(backend, scenario, Settings())


@pytest.mark.parametrize(
    ("options", "wait"),
    [
        ({"wait": True}, DEFAULT_WAIT),
        ({"wait": "true", "timeout": "2000"}, Wait(2000)),
        ({"wait": True, "timeout": 1}, Wait(1)),
        ({"wait": True, "timeout": 10**12}, LONGEST_WAIT),
        ({"wait": True, "timeout": "9" * 5000}, LONGEST_WAIT),
        *(({"wait": True, "timeout": odd}, DEFAULT_WAIT) for odd in (0, -1, "x", 1.5, [], None, True)),
        *(({"wait": odd}, None) for odd in (False, None, 1, "1", "yes", [])),
        *((odd, None) for odd in ({}, {"timeout": 5}, "x", [], None, 1)),
    ],
)
def test_options_that_cannot_be_read_are_left_out(options: Any, wait: Wait | None) -> None:
    config = configured("a", {"config": {"postgres_changes_options": options}})
    assert isinstance(config, Config)
    assert config.wait == wait
