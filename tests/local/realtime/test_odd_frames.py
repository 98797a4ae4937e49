"""Frames that crash their channel, and what its topic receives then, beyond what transcripts can show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.local.realtime.serving import Backend, Client, Running

TOPIC = "realtime:a"
CRASH = {"reason": "channel_crash"}


def run(backend: Backend, scenario: Callable[[Running], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with backend.serving() as running:
            await scenario(running)

    asyncio.run(serve())


async def push(client: Client, event: str, payload: Any, ref: str = "2") -> None:
    await client.send(json.dumps(["1", ref, TOPIC, event, payload]))


async def join(client: Client, **config: Any) -> None:
    await push(client, "phx_join", {"config": config}, ref="1")
    reply = await client.receive_json()
    assert (reply[3], reply[4]["status"]) == ("phx_reply", "ok"), reply


async def expect_crash(client: Client) -> None:
    """The channel is gone, and its socket stays."""
    assert await client.receive_json() == ["1", "1", TOPIC, "phx_error", CRASH]
    await push(client, "broadcast", {}, ref="9")
    reason = {"status": "error", "response": {"reason": "unmatched topic"}}
    assert await client.receive_json() == [None, "9", TOPIC, "phx_reply", reason]


def test_only_a_listener_of_version_2_makes_an_odd_broadcast_crash(backend: Backend) -> None:
    """As broadcast_odd_cross has it. Clients that joined before that listener have received it by then."""

    async def scenario(running: Running) -> None:
        async with running.client() as sender, running.client() as early, running.client(vsn="2.0.0") as two:
            await sender.join(TOPIC)
            await early.join(TOPIC)
            await sender.push(TOPIC, "broadcast", [1], join_ref="1")
            assert await early.expect("broadcast") == [1]
            await join(two)
            await sender.push(TOPIC, "broadcast", "text", join_ref="1")
            assert await early.expect("broadcast") == "text"
            assert await sender.expect("phx_error") == CRASH
            await push(two, "broadcast", {"event": "still there?"})
            assert await early.expect("broadcast") == {"event": "still there?"}
            await early.expect_nothing_more()

    run(backend, scenario)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("broadcast", 7),
        ("presence", {"event": None}),
        ("presence", {"event": ["track"], "payload": {}}),
        ("access_token", {"access_token": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}),
    ],
)
def test_what_crashes_a_channel(backend: Backend, event: str, payload: Any) -> None:
    async def scenario(running: Running) -> None:
        async with running.client(vsn="2.0.0") as client:
            await join(client, broadcast={"self": True, "ack": True})
            await push(client, event, payload)
            await expect_crash(client)
            await join(client)

    run(backend, scenario)


def test_who_crashes_is_gone_from_the_roster(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client(vsn="2.0.0") as client, running.client() as other:
            await join(client, presence={"key": "me"})
            await other.join(TOPIC)
            await push(client, "presence", {"event": "track", "payload": {"n": 1}})
            assert list((await other.expect("presence_diff"))["joins"]) == ["me"]
            await push(client, "presence", {"event": 1})
            assert list((await other.expect("presence_diff"))["leaves"]) == ["me"]

    run(backend, scenario)


def test_a_key_without_text_reaches_nobody(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client(vsn="2.0.0") as client, running.client() as other:
            await join(client, presence={"key": [{}]})
            await other.join(TOPIC)
            await push(client, "presence", {"event": "track", "payload": {}})
            assert (await client.receive_json())[4] == {"status": "ok", "response": {}}
            await expect_crash(client)
            await other.expect_nothing_more()

    run(backend, scenario)


def test_a_join_of_an_odd_shape_is_refused_after_its_token(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            for config, token, words in (
                ("x", "garbage", "MalformedJWT: The token provided is not a valid JWT"),
                ("x", None, "UnknownErrorOnChannel: no function clause matching in Access.get/3"),
                ({"private": "True", "broadcast": 7}, None, "Unauthorized: You do not have permissions"),
            ):
                join = {"config": config, "access_token": token}
                await client.push(TOPIC, "phx_join", join, join_ref="1")
                reason = (await client.expect("phx_reply"))["response"]["reason"]
                assert reason.startswith(words)

    run(backend, scenario)


def test_the_token_of_a_user_comes_before_the_key(backend: Backend) -> None:
    """But not if the key is an opaque one, which stands for the socket's."""

    async def scenario(running: Running) -> None:
        user = backend.user(1)
        async with running.client() as client:
            for access, own, status in (
                ("sb_publishable_x", user, "error"),
                (user, "sb_publishable_x", "error"),
                (backend.keys.anon, user, "ok"),
            ):
                join = {"config": {"private": True}, "access_token": access, "user_token": own}
                await client.push("realtime:room:a", "phx_join", join, join_ref="1")
                assert (await client.expect("phx_reply"))["status"] == status

    run(backend, scenario)
