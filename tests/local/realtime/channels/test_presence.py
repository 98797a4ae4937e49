"""Presence beyond what the transcripts show: limits, odd calls, several channels a key."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prt.local.realtime import Settings
from prt.local.realtime.channels.calls import Calls
from tests.local.realtime.serving import Backend, Client, Running

TOPIC = "realtime:room"
OK = {"status": "ok", "response": {}}


def run(
    backend: Backend, scenario: Callable[[Running], Awaitable[None]], settings: Settings | None = None
) -> None:
    async def serve() -> None:
        async with backend.serving(settings) as running:
            await scenario(running)

    asyncio.run(serve())


async def entered(client: Client, key: Any = "", topic: str = TOPIC, **config: Any) -> Any:
    """Joined with presence; the state that came."""
    assert (await client.enter(topic, presence={"enabled": True, "key": key}, **config))["status"] == "ok"
    return await client.expect("presence_state")


async def called(client: Client, event: Any, **payload: Any) -> Any:
    """The reply to a call of presence."""
    await client.push(TOPIC, "presence", {"type": "presence", "event": event, **payload}, join_ref="1")
    return await client.expect("phx_reply")


async def tracked(client: Client, **payload: Any) -> Any:
    """The diff that comes back."""
    assert await called(client, "track", payload=payload) == OK
    return await client.expect("presence_diff")


def shown(metas: Any) -> list[Any]:
    """Without the references."""
    return [{name: value for name, value in meta.items() if "phx_ref" not in name} for meta in metas]


def test_the_newest_channel_of_a_key_comes_first_and_the_others_stay(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as first, running.client() as third:
            await entered(first, "ada")
            await tracked(first, device="phone")
            async with running.client() as second:
                await entered(second, "ada")
                await tracked(second, device="desk")
                state = await entered(third)
                assert shown(state["ada"]["metas"]) == [{"device": "desk"}, {"device": "phone"}]
            left = (await third.expect("presence_diff"))["leaves"]["ada"]["metas"]
            assert shown(left) == [{"device": "desk"}]
        async with running.client() as last:
            assert await entered(last) == {}

    run(backend, scenario)


def test_a_client_that_joins_again_is_reported_to_have_left(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as watching, running.client() as moving:
            await entered(watching)
            await entered(moving, "ada")
            await tracked(moving, at="door")
            joined = await watching.expect("presence_diff")
            await moving.enter(TOPIC, presence={"enabled": True, "key": "ada"})
            assert await watching.expect("presence_diff") == {"joins": {}, "leaves": joined["joins"]}
            assert await moving.expect("phx_close") == {}
            assert await moving.expect("presence_state") == {}

    run(backend, scenario)


def test_an_update_names_the_reference_before(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client, "ada")
            (before,) = (await tracked(client))["joins"]["ada"]["metas"]
            (after,) = (await tracked(client, n=2))["joins"]["ada"]["metas"]
            assert list(before) == ["phx_ref"]
            assert after == {"phx_ref": after["phx_ref"], "phx_ref_prev": before["phx_ref"], "n": 2}
            assert len({before["phx_ref"], after["phx_ref"]}) == 2

    run(backend, scenario)


def test_one_call_too_many_closes_the_channel(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as watching, running.client() as eager:
            await entered(watching)
            await entered(eager, "ada")
            for number in range(5):
                await tracked(eager, n=number)
                await watching.expect("presence_diff")
            await eager.push(TOPIC, "presence", {"event": "untrack"}, join_ref="1")
            assert await eager.expect("system") == {
                "message": "Client presence rate limit exceeded",
                "status": "error",
                "extension": "system",
                "channel": "room",
            }
            assert await eager.expect("phx_close") == {}
            assert shown((await watching.expect("presence_diff"))["leaves"]["ada"]["metas"]) == [{"n": 4}]
            # Another channel counts for itself, also on the same socket.
            await entered(eager, "ada")
            await tracked(eager, n=0)

    run(backend, scenario)


def test_calls_are_counted_in_windows_that_begin_with_a_call() -> None:
    calls = Calls(2, 30.0)
    assert [calls.is_allowed(now) for now in (10.0, 39.0, 40.0, 40.1, 41.0, 70.1, 70.2)] == [
        True,
        True,
        False,
        True,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        ({"payload": {}}, OK),
        ({"event": "TRACK", "payload": {}}, OK),
        ({"event": "track"}, OK),
        ({"event": "untrack", "payload": 5}, OK),
        ({"event": "wave"}, {"status": "error", "response": {}}),
        (
            {"event": "track", "payload": [1]},
            {"status": "error", "response": {"reason": "Presence track payload must be a map"}},
        ),
    ],
)
def test_odd_calls(backend: Backend, call: dict[str, Any], reply: Any) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client, "ada")
            await client.push(TOPIC, "presence", call, join_ref="1")
            assert await client.expect("phx_reply") == reply

    run(backend, scenario)


def test_too_much_to_track_closes_the_channel(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client)
            await client.push(
                TOPIC, "presence", {"event": "track", "payload": {"a": "x" * 1000}}, join_ref="1"
            )
            assert (await client.expect("system"))["message"] == "Track message size exceeded"
            assert await client.expect("phx_close") == {}

    run(backend, scenario, Settings(largest_broadcast=1000))


@pytest.mark.parametrize(("key", "name"), [(7, "7"), (True, "true"), ("é\"'", "é\"'")])
def test_keys_are_text(backend: Backend, key: Any, name: str) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client, key)
            assert list((await tracked(client))["joins"]) == [name]

    run(backend, scenario)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_everyone_is_somebody_else(backend: Backend, key: Any) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as one, running.client() as two:
            await entered(one, key)
            await tracked(one)
            await entered(two, key)
            await tracked(two)
            async with running.client() as third:
                assert len(await entered(third)) == 2

    run(backend, scenario)


def test_a_stopping_server_leaves_no_channel_behind(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client, "ada")
            await tracked(client)
            await running.realtime.stop()
            assert await client.closed() == 1012

    run(backend, scenario)


def test_comings_and_goings_leave_no_ghosts(backend: Backend) -> None:
    """Whoever follows the differences ends with the state that a newcomer is given."""
    chance = random.Random(7)

    async def scenario(running: Running) -> None:
        async with running.client() as watching, contextlib.AsyncExitStack() as stack:
            roster = metas_of(await entered(watching))
            present: dict[int, tuple[Client, int]] = {}
            left: list[tuple[Client, int]] = []
            for number in range(150):
                if present and chance.random() < 0.45:
                    leaving, last = present.pop(chance.choice(sorted(present)))
                    match chance.randrange(3):
                        case 0:
                            leaving.websocket.transport.abort()
                        case 1:
                            await leaving.push(TOPIC, "phx_leave", {}, join_ref="1")
                            left.append((leaving, last))
                        case _:
                            await leaving.push(TOPIC, "presence", {"event": "untrack"}, join_ref="1")
                            left.append((leaving, last))
                    continue
                coming = await stack.enter_async_context(running.client())
                await coming.enter(TOPIC, presence={"key": f"user-{number % 9}"})
                last = chance.randrange(3)
                for step in range(last + 1):
                    payload = {"number": number, "step": step}
                    await coming.push(TOPIC, "presence", {"event": "track", "payload": payload}, join_ref="1")
                present[number] = (coming, last)
            wanted = {(number, last) for number, (_, last) in present.items()}
            while {(meta["number"], meta["step"]) for meta in roster.values()} != wanted:
                diff = await watching.expect("presence_diff")
                for reference in metas_of(diff["leaves"]):
                    del roster[reference]
                roster |= metas_of(diff["joins"])
            async with running.client() as newcomer:
                assert metas_of(await entered(newcomer)) == roster
            for client, _ in [*present.values(), *left]:
                client.websocket.transport.abort()  # a good end would wait for all that nobody reads

    run(backend, scenario)


def metas_of(people: Any) -> dict[tuple[str, str], Any]:
    """By key and reference."""
    return {(key, meta["phx_ref"]): meta for key, each in people.items() for meta in each["metas"]}
