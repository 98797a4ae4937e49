"""Broadcasts that a client asks to store: who may, what the acknowledgement has, what a replay brings."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.local.realtime.serving import Backend, Client, Running

TOPIC = "realtime:room:per"
API = "/realtime/v1/api/broadcast"


def run(backend: Backend, scenario: Callable[[Running], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with backend.serving() as running:
            await scenario(running)

    asyncio.run(serve())


async def join(client: Client, token: str, topic: str = TOPIC, **broadcast: Any) -> None:
    config = {"config": {"broadcast": broadcast, "private": True}, "access_token": token}
    await client.send(json.dumps(["1", "1", topic, "phx_join", config]))
    assert (await client.receive_json())[4]["status"] == "ok"


def pushed(
    event: str, body: bytes, *, metadata: Any = None, is_json: bool = True, topic: str = TOPIC
) -> bytes:
    """Return a broadcast as supabase-js sends it in version 2."""
    described = b"" if metadata is None else json.dumps(metadata).encode()
    parts = [b"1", b"7", topic.encode(), event.encode(), described]
    return bytes((3, *map(len, parts), is_json)) + b"".join(parts) + body


async def acknowledged(client: Client, frame: bytes | str) -> Any:
    await client.send(frame)
    reply = await client.receive_json()
    assert (reply[1], reply[3]) == ("7", "phx_reply")
    return reply[4]


async def replayed(running: Running, token: str, topic: str = TOPIC) -> list[Any]:
    """Return the frames that a late joiner gets, up to the answer to a heartbeat."""
    async with running.client(vsn="2.0.0") as late:
        await join(late, token, topic, replay={"since": int(time.time() * 1000) - 60_000, "limit": 25})
        await late.send('[null,"end","phoenix","heartbeat",{}]')
        found = []
        while True:
            frame = await late.receive()
            if isinstance(frame, str) and '"end"' in frame:
                return found
            found.append(json.loads(frame)[4] if isinstance(frame, str) else frame)


@pytest.mark.parametrize("persist", [True, {"ttl": 60}, {"ttl": 10**9}, {}])
def test_a_stored_broadcast_is_received_once_and_replayed(backend: Backend, persist: Any) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with running.client(vsn="2.0.0") as one, running.client(vsn="2.0.0") as two:
            await join(one, token, ack=True)
            await join(two, token)
            answer = await acknowledged(one, pushed("ev", b'{"n":1}', metadata={"persist": persist}))
            stored = answer["response"]["id"]
            assert (answer["status"], str(UUID(stored))) == ("ok", stored)
            assert await two.receive() == b"\x04\x11\x02\x00\x01" + b'realtime:room:perev{"n":1}'
            assert (await acknowledged(one, pushed("ev", b'{"n":2}')))["response"] == {}
            assert (await two.receive())[-7:] == b'{"n":2}'
            meta = {"id": stored, "replayed": True}
            assert await replayed(running, token) == [
                {"event": "ev", "meta": meta, "payload": {"n": 1}, "type": "broadcast"}
            ]
            backend.sql.execute("select realtime.send('{}', 'last', 'room:per', true)")
            assert b"last" in await two.receive()  # type: ignore[operator]

    run(backend, scenario)


def test_bytes_are_stored_as_they_are(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with running.client(vsn="2.0.0") as one:
            await join(one, token, ack=True)
            frame = pushed("bin", b"\xde\xad", metadata={"persist": True}, is_json=False)
            stored = (await acknowledged(one, frame))["response"]["id"]
            [again] = await replayed(running, token)
            meta = f'{{"id":"{stored}","replayed":true}}'.encode()
            assert again == b"\x04\x11\x03\x3d\x00" + b"realtime:room:perbin" + meta + b"\xde\xad"

    run(backend, scenario)


def test_a_broadcast_is_forgotten_when_its_time_is_over(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with running.client(vsn="2.0.0") as one:
            await join(one, token, ack=True)
            for ttl in (30, 600):
                frame = pushed(f"ttl {ttl}", b"{}", metadata={"persist": {"ttl": ttl}})
                assert (await acknowledged(one, frame))["status"] == "ok"
            backend.sql.execute("update realtime.messages set expires_at = expires_at - interval '31 s'")
            assert [each["event"] for each in await replayed(running, token)] == ["ttl 600"]

    run(backend, scenario)


@pytest.mark.parametrize(
    ("topic", "body", "persist", "words"),
    [
        ("realtime:bc:per", b"{}", True, "You do not have permissions to persist messages"),
        (TOPIC, b"{}", "yes", "persist must be true"),
        (TOPIC, b"{}", {"ttl": 0}, "persist must be true"),
        (TOPIC, b"{}", {"ttl": True}, "persist must be true"),
        (TOPIC, b'{"n":', True, "unable to store"),
        (TOPIC, b'{"n":"\\u0000"}', True, "unable to store"),
    ],
)
def test_what_cannot_be_stored_is_sent_and_answered_with_the_reason(
    backend: Backend, topic: str, body: bytes, persist: Any, words: str
) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with running.client(vsn="2.0.0") as one, running.client(vsn="2.0.0") as two:
            await join(one, token, topic, ack=True)
            await join(two, token, topic)
            answer = await acknowledged(one, pushed("ev", body, metadata={"persist": persist}, topic=topic))
            assert answer["status"] == "error"
            assert answer["response"]["error"].startswith("UnableToPersistMessage: ")
            assert words in answer["response"]["error"]
            assert (await two.receive())[-len(body) :] == body
            assert await replayed(running, token, topic) == []

    run(backend, scenario)


@pytest.mark.parametrize(
    ("query", "answer", "is_stored"),
    [
        ("private=true&persist=true", (202, ""), True),
        ("private=true&persist[ttl]=60", (202, ""), True),
        ("private=true&persist=false", (202, ""), False),
        ("private=true&persist[ttl]=soon", (422, '{"errors":{"persist":["is invalid"]}}'), False),
        ("private=true&persist[ttl]=0", (422, '{"errors":{"persist":["is invalid"]}}'), False),
        ("persist[ttl]=60", (422, '{"errors":{"persist":["can only be used on private channels"]}}'), False),
    ],
)
def test_over_http_the_query_asks(
    backend: Backend, query: str, answer: tuple[int, str], is_stored: bool
) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(
                f"http://127.0.0.1:{running.port}{API}/room:per/events/ev?{query}",
                json={"n": 1},
                headers={"apikey": backend.keys.anon, "Authorization": f"Bearer {token}"},
            )
        assert (response.status_code, response.text) == answer
        assert [each["payload"] for each in await replayed(running, token)] == [{"n": 1}] * is_stored

    run(backend, scenario)


def test_version_one_stores_nothing(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        token = backend.user(1)
        async with running.client() as one:
            await one.enter(TOPIC, token=token, private=True, broadcast={"ack": True})
            message = {"type": "broadcast", "event": "ev", "payload": {}, "persist": True}
            await one.push(TOPIC, "broadcast", message, join_ref="1")
            assert await one.expect("phx_reply") == {"status": "ok", "response": {}}
            assert await replayed(running, token) == []

    run(backend, scenario)
