"""Broadcasts over HTTP beyond what the transcripts show: one at a time, bytes, odd requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from prt.local.realtime import Settings
from tests.local.realtime.serving import Backend, Running

API = "/realtime/v1/api"
JSON = "application/json"
BYTES = "application/octet-stream"
TOPIC = "realtime:room:1"
TOO_LARGE = "Payload size exceeds tenant limit"
UNSUPPORTED = '{"error":"Unsupported Media Type. Use application/json or application/octet-stream"}'
UNAUTHORIZED = '{"message":"Unauthorized"}'


BLANK_NAMES = '{"errors":{"event":["can\'t be blank"],"topic":["can\'t be blank"]}}'


def run(
    backend: Backend, scenario: Callable[[Running], Awaitable[None]], settings: Settings | None = None
) -> None:
    async def serve() -> None:
        async with backend.serving(settings) as running:
            await scenario(running)

    asyncio.run(serve())


async def post(
    running: Running, path: str, body: Any, *, kind: str = JSON, key: str | None = None, method: str = "POST"
) -> tuple[int, str]:
    """Status and body of the answer."""
    content = httpx.Request("POST", "http://a", json=body).read() if kind == JSON else body
    headers = {"apikey": running.backend.keys.anon if key is None else key, "content-type": kind}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(
            method, f"http://127.0.0.1:{running.port}{API}/{path}", content=content, headers=headers
        )
    return answer.status_code, answer.text


def test_one_message_reaches_both_versions(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as one, running.client(vsn="2.0.0") as two:
            await one.enter("realtime:a/b ü")
            await two.send('["1","1","realtime:a/b ü","phx_join",{"config":{}}]')
            await two.receive()
            path = "broadcast/a%2Fb%20%C3%BC/events/e%2Fv"
            assert await post(running, path, {"z": 1, "a": None}) == (202, "")
            assert await one.receive() == (
                '{"ref":null,"event":"broadcast","payload":'
                '{"event":"e/v","payload":{"a":null,"z":1},"type":"broadcast"},"topic":"realtime:a/b ü"}'
            )
            assert (
                await two.receive() == b"\x04\x0f\x03\x00\x01" + 'realtime:a/b üe/v{"a":null,"z":1}'.encode()
            )
            assert await post(running, path, b"\x00\xff", kind=BYTES) == (202, "")
            assert await two.receive() == b"\x04\x0f\x03\x00\x00" + "realtime:a/b üe/v".encode() + b"\x00\xff"
            await one.expect_nothing_more()

    run(backend, scenario)


def test_one_private_message_needs_the_right(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter(TOPIC, token=backend.user(1), private=True)
            path = "broadcast/room:1/events/e?private=true"
            assert await post(running, path, {"n": 1}) == (403, UNAUTHORIZED)
            assert await post(running, path.partition("?")[0], {"n": 2}, key=backend.user(1)) == (202, "")
            assert await post(running, path, {"n": 3}, key=backend.user(1)) == (202, "")
            assert await post(running, path, {"n": 4}, key=backend.keys.secret) == (202, "")
            assert [(await client.expect("broadcast"))["payload"]["n"] for _ in range(2)] == [3, 4]

    run(backend, scenario)


def test_the_keys_of_the_newer_kind(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        path = "broadcast/a/events/e"
        assert await post(running, path, {}, key=backend.keys.publishable) == (202, "")
        assert await post(running, path, {}, key="sb_publishable_of_another_project") == (401, UNAUTHORIZED)
        assert await post(running, path, {}, key="") == (401, UNAUTHORIZED)

    run(backend, scenario)


def test_json_that_is_no_object_stands_under_a_name(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter(TOPIC)
            assert await post(running, "broadcast/room:1/events/e", [1]) == (202, "")
            assert (await client.expect("broadcast"))["payload"] == {"_json": [1]}

    run(backend, scenario)


@pytest.mark.parametrize(
    ("path", "body", "kind", "answer"),
    [
        (
            "broadcast/a/events/e",
            b"x=1",
            "application/x-www-form-urlencoded",
            (415, UNSUPPORTED),
        ),
        ("broadcast/a/events/e", "x" * 2000, JSON, (422, f'{{"errors":{{"payload":["{TOO_LARGE}"]}}}}')),
        ("broadcast/a/events/e", b"x" * 2000, BYTES, (422, f'{{"errors":{{"payload":["{TOO_LARGE}"]}}}}')),
        ("broadcast/a/events/e", b"x" * 8_000_001, BYTES, (413, "Request Entity Too Large")),
        ("broadcast/a/events/", {}, JSON, (404, "Not Found")),
        ("broadcast/a/e", {}, JSON, (404, "Not Found")),
        ("broadcast/a/events/e/f", {}, JSON, (404, "Not Found")),
        ("nothing", {}, JSON, (404, "Not Found")),
        ("broadcast", {"messages": "text"}, JSON, (422, '{"errors":{"messages":["is invalid"]}}')),
        ("broadcast", {"messages": {"1": 5}}, JSON, (422, '{"errors":{"messages":["is invalid"]}}')),
        ("broadcast/", {}, JSON, (422, '{"errors":{"messages":["can\'t be blank"]}}')),
        ("broadcast/%20/events/%09", {}, JSON, (422, BLANK_NAMES)),
        ("broadcast/a/events/e", b"{", JSON + "; charset=utf-8", (400, "Bad Request")),
        ("broadcast/a/events/e", b"{}", "application/vnd.api+json", (415, UNSUPPORTED)),
        (
            "broadcast",
            {"messages": [{"topic": "\u2003", "event": "e", "id": 1, "payload": " ", "private": []}]},
            JSON,
            (
                422,
                '{"errors":{"messages":[{"id":["is invalid"],"payload":["can\'t be blank"],'
                '"private":["is invalid"],"topic":["can\'t be blank"]}]}}',
            ),
        ),
        ("broadcast", [], JSON, (422, '{"errors":{"messages":["can\'t be blank"]}}')),
        ("broadcast", {"messages": [1]}, JSON, (422, '{"errors":{"messages":["is invalid"]}}')),
        (
            "broadcast",
            {
                "messages": [
                    {"topic": "a", "event": "e", "payload": {}},
                    {"topic": 1, "event": "", "private": 2},
                ]
            },
            JSON,
            (
                422,
                '{"errors":{"messages":[{},{"event":["can\'t be blank"],"payload":["can\'t be blank"],'
                '"private":["is invalid"],"topic":["is invalid"]}]}}',
            ),
        ),
    ],
)
def test_what_is_refused(backend: Backend, path: str, body: Any, kind: str, answer: tuple[int, str]) -> None:
    async def scenario(running: Running) -> None:
        assert await post(running, path, body, kind=kind) == answer

    run(backend, scenario, Settings(largest_broadcast=1000))


def test_broken_json_is_refused(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        for path in ("broadcast", "broadcast/a/events/e"):
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.post(
                    f"http://127.0.0.1:{running.port}{API}/{path}",
                    content=b'{"a": "\xff',
                    headers={"apikey": backend.keys.anon, "content-type": "application/json; charset=utf-8"},
                )
            assert (answer.status_code, answer.text) == (400, "Bad Request")

    run(backend, scenario)


def test_one_bad_message_holds_back_all(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter(TOPIC)
            good = {"topic": "room:1", "event": "e", "payload": {}}
            assert (await post(running, "broadcast", {"messages": [good, {}]}))[0] == 422
            await client.expect_nothing_more()

    run(backend, scenario)


def test_of_many_the_denied_are_left_out_and_the_public_go_first(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter(TOPIC)
            await client.enter("realtime:ro:1", token=backend.user(1), private=True)
            await client.enter("realtime:wo:1")
            await client.enter("realtime:room:2", token=backend.user(1), private=True)
            messages = [
                {"topic": topic, "event": "e", "payload": {"n": number}, "private": is_private}
                for number, (topic, is_private) in enumerate(
                    [("ro:1", True), ("room:2", "true"), ("room:1", False), ("wo:1", None), ("room:2", True)]
                )
            ]
            assert await post(running, "broadcast", {"messages": messages}, key=backend.user(1)) == (202, "")
            assert [(await client.expect("broadcast"))["payload"]["n"] for _ in range(4)] == [2, 3, 1, 4]
            await client.expect_nothing_more()

    run(backend, scenario)


def test_it_answers_pings(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        assert await post(running, "ping", b"", kind="", method="GET") == (200, '{"message":"Success"}')

    run(backend, scenario)


def test_messages_by_their_places_and_with_ids(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter("realtime:a")
            message = {"topic": "a", "payload": {}}
            places = {
                "10": {**message, "event": "third"},
                "9": {**message, "event": "second", "id": "own"},
                "1": {**message, "event": "first", "id": ""},
            }
            assert await post(running, "broadcast", {"messages": places}) == (202, "")
            received = [await client.expect("broadcast") for _ in places]
            assert [(each["event"], each.get("meta")) for each in received] == [
                ("first", None),
                ("second", {"id": "own"}),
                ("third", None),
            ]

    run(backend, scenario)


def test_a_trailing_slash_means_nothing(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.enter("realtime:a")
            assert await post(running, "broadcast/a/events/e/", {"n": 1}) == (202, "")
            assert (await client.expect("broadcast"))["payload"] == {"n": 1}

    run(backend, scenario)
