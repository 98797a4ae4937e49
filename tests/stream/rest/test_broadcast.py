"""Broadcasts over HTTP against an endpoint with scripted answers."""

from __future__ import annotations

import asyncio

import pytest

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError, UsageError
from prt.stream.rest.broadcast import NotAllowedError, Poster
from prt.stream.rest.session import Endpoint
from prt.stream.socket.binary import Persist
from tests.stream.scripted import GONE, Project, Reply, project_of


async def posted(
    *replies: Reply, payload: bytes = b"{}", binary: bool = False, seconds: float = 60, private: bool = True
) -> tuple[Project, float]:
    async with project_of(*replies) as project:
        endpoint = Endpoint(url=project.url, key="the-key", token="the-token")
        poster = Poster(lambda: endpoint, "room:1/é", is_private=private, answer_seconds=seconds)
        async with poster:
            return project, await poster.send("cursor move", payload, binary=binary)


def test_a_broadcast_is_posted_to_its_topic_and_event_as_it_is() -> None:
    project, ms = asyncio.run(posted((202, b""), payload=b'{"n": 1.0}'))
    (head,) = project.requests
    path = "/realtime/v1/api/broadcast/room%3A1%2F%C3%A9/events/cursor%20move?private=true"
    assert head.startswith(f"POST {path} HTTP/1.1")
    assert "apikey: the-key" in head
    assert "Authorization: Bearer the-token" in head
    assert "Content-Type: application/json" in head
    assert project.bodies == [b'{"n": 1.0}']
    assert ms > 0


def test_bytes_and_a_public_topic() -> None:
    project, _ = asyncio.run(posted((202, b""), payload=b"\x00\xff", binary=True, private=False))
    (head,) = project.requests
    assert "/events/cursor%20move HTTP/1.1" in head
    assert "Content-Type: application/octet-stream" in head
    assert project.bodies == [b"\x00\xff"]


@pytest.mark.parametrize(("persist", "query"), [(True, "persist=true"), ({"ttl": 60}, "persist%5Bttl%5D=60")])
def test_storing_is_asked_for_in_the_query(persist: Persist, query: str) -> None:
    async def post() -> str:
        async with project_of((202, b"")) as project:
            endpoint = Endpoint(url=project.url, key="the-key", token="the-token")
            async with Poster(lambda: endpoint, "a", is_private=True, answer_seconds=60) as poster:
                await poster.send("e", b"{}", persist=persist)
            return project.requests[0]

    assert f"/events/e?private=true&{query} HTTP/1.1" in asyncio.run(post())


@pytest.mark.parametrize(
    ("reply", "error", "message", "hint"),
    [
        ((401, b'{"message":"Unauthorized"}'), RefusedError, "HTTP 401, Unauthorized", "key"),
        ((403, b'{"message":"Unauthorized"}'), NotAllowedError, "HTTP 403", "realtime.topic() = 'room:1/é'"),
        ((403, b'{"message":"Tenant is suspended"}'), NotAllowedError, "Tenant is suspended", None),
        ((404, b"Not Found"), ProtocolError, "HTTP 404", "leave out --http"),
        (
            (422, b'{"errors":{"payload":["Payload size exceeds tenant limit"]}}'),
            PrtError,
            'HTTP 422, {"payload":["Payload size exceeds tenant limit"]}',
            "256 KB",
        ),
        ((413, b""), PrtError, "HTTP 413", "256 KB"),
        ((429, b'{"message":"Too many"}'), PrtError, "HTTP 429, Too many", "--rate"),
        ((500, b""), UnreachableError, "HTTP 500", "paused"),
        ((302, b""), ProtocolError, "HTTP 302", "URL"),
        (GONE, UnreachableError, "can't reach 127.0.0.1", "is the server up"),
    ],
)
def test_the_words_of_the_endpoint_are_passed_on(
    reply: Reply, error: type[PrtError], message: str, hint: str | None
) -> None:
    with pytest.raises(PrtError) as raised:
        asyncio.run(posted(reply))
    assert type(raised.value) is error
    assert message in raised.value.message
    assert hint is None or hint in (raised.value.hint or "")


def test_no_answer_in_time_leaves_it_open() -> None:
    with pytest.raises(UnreachableError, match=r"no answer from 127.0.0.1:\d+ in 0.05 s") as raised:
        asyncio.run(posted(None, seconds=0.05))
    assert raised.value.hint == "it may have been sent all the same"


@pytest.mark.parametrize(("payload", "words"), [(b"{", "is not valid JSON"), (b" " * 3_100_000, "3,100 KB")])
def test_what_no_server_takes_is_not_asked(payload: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asyncio.run(posted((202, b""), payload=payload))
