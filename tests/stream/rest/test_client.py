"""Rows over REST against a scripted server: what is asked, and what every bad answer becomes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.stream.rest.answers import UnavailableError, UnknownColumnError, UnknownTableError
from prt.stream.rest.client import Page, Rest, TooLargeError
from prt.stream.rest.session import Endpoint
from tests.stream.scripted import Reply, project_of


def asked(*replies: Reply, **options: Any) -> tuple[Page | PrtError, list[str]]:
    """The answer or the error, and the heads of the requests."""

    async def main() -> tuple[Page | PrtError, list[str]]:
        async with project_of(*replies) as project:
            endpoint = Endpoint(url=project.url, key="the-key", token="the-token")
            async with Rest(lambda: endpoint, pauses=(0, 0), **options) as rest:
                try:
                    return await rest.read("app", "my notes", [("id", "gt.1+1")]), project.requests
                except PrtError as exc:
                    return exc, project.requests

    return asyncio.run(main())


def test_what_is_asked_and_as_whom() -> None:
    page, (head,) = asked((200, b'[{"id":1},{"id": 12345678901234567890}]'))
    assert isinstance(page, Page)
    assert [bytes(row) for row in page.rows] == [b'{"id":1}', b'{"id": 12345678901234567890}']
    assert page.date == 784111778_000_000, "the second that the server's clock shows may not be over"
    lines = head.lower().splitlines()
    assert lines[0] == "get /rest/v1/my%20notes?id=gt.1%2b1 http/1.1"
    assert {"apikey: the-key", "authorization: bearer the-token", "accept-profile: app"} <= set(lines)


def test_a_renewed_token_is_used_and_the_key_stands_in_for_none() -> None:
    async def main() -> list[str]:
        async with project_of((200, b"[]")) as project:
            tokens = iter(["first", "second", None])
            async with Rest(lambda: Endpoint(url=project.url, key="key", token=next(tokens))) as rest:
                for _ in range(3):
                    await rest.read("public", "notes", [])
            return project.requests

    lines = [line for head in asyncio.run(main()) for line in head.splitlines() if line.startswith("Auth")]
    assert [line.split()[-1] for line in lines] == ["first", "second", "key"]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (
            (401, b'{"code":"PGRST301","message":"JWT expired"}'),
            RefusedError,
            "REST answered 401: JWT expired",
        ),
        ((403, b'{"code":"42501","message":"permission denied"}'), RefusedError, "permission denied"),
        (
            (404, b'{"code":"PGRST205","message":"no table"}'),
            UnknownTableError,
            "REST answered 404: no table",
        ),
        ((404, b"<html>"), UnreachableError, "REST answered 404"),
        ((400, b'{"error":"bad gateway word"}'), ProtocolError, "REST answered 400: bad gateway word"),
        ((400, b'{"code":"42703","message":"column notes.a b does not exist"}'), UnknownColumnError, "a b"),
        ((302, b""), ProtocolError, "REST answered 302"),
        ((200, b"not json"), ProtocolError, "not a list of rows"),
        ((200, b'{"id":1}'), ProtocolError, "not a list of rows"),
        ((200, b'["\xff"]x'), ProtocolError, "not a list of rows"),
        ((503, b""), UnavailableError, "REST answered 503"),
        (None, UnavailableError, "REST did not answer in 0.25 s"),
    ],
)
def test_every_bad_answer_has_its_error(reply: Reply, error: type[PrtError], words: str) -> None:
    found, requests = asked(reply, timeout=0.25 if reply is None else 10)
    assert type(found) is error
    assert isinstance(found, PrtError)
    assert words in found.message
    assert len(requests) == (3 if error is UnavailableError else 1), "only what may pass is tried again"
    assert "the-key" not in str(found)
    assert "the-token" not in str(found)


def test_what_passes_is_tried_again() -> None:
    page, requests = asked((503, b""), (429, b""), (200, b"[]"))
    assert isinstance(page, Page)
    assert len(requests) == 3


def test_a_server_that_is_away_and_an_address_that_is_none() -> None:
    async def reached(url: str) -> PrtError:
        async with Rest(lambda: Endpoint(url=url, key="key"), pauses=()) as rest:
            with pytest.raises(PrtError) as caught:
                await rest.read("public", "notes", [])
            return caught.value

    for url in ("http://127.0.0.1:1", "http://[nowhere"):
        assert isinstance(asyncio.run(reached(url)), UnavailableError), url


def test_who_waits_while_a_project_is_found_to_be_away_does_not_try_too() -> None:
    tried = 0

    def endpoint() -> Endpoint:
        nonlocal tried
        tried += 1
        return Endpoint(url="http://127.0.0.1:1", key="key")

    async def main() -> list[Any]:
        async with Rest(endpoint, pauses=()) as rest:
            reads = (rest.read("public", "notes", []) for _ in range(30))
            errors = await asyncio.gather(*reads, return_exceptions=True)
            with pytest.raises(UnavailableError):
                await rest.read("public", "notes", [])
            return errors

    assert {str(error) for error in asyncio.run(main())} == {"REST can't be reached"}
    assert tried == 4 + 1, "as many as may try at once, and a later one again"


def test_a_page_that_is_too_large_is_not_read_to_its_end() -> None:
    page, _ = asked((200, json.dumps([{"text": "x" * 4096}]).encode()), max_bytes=1024)
    assert isinstance(page, TooLargeError)


@pytest.mark.parametrize(
    ("name", "column", "is_it"),
    [("a b", "notes.a b", True), ("b", "notes.a b", False), ("updated_at", "updated_at", True)],
)
def test_which_column_is_unknown(name: str, column: str, is_it: bool) -> None:
    assert UnknownColumnError("", column).is_of(name) is is_it


def test_the_service_key_passes_over_row_security() -> None:
    def passes(key: str, token: str | None = None) -> bool:
        return Rest(lambda: Endpoint(url="", key=key, token=token)).passes_row_security

    assert passes("sb_secret_0123456789")
    assert not passes("sb_publishable_0123456789")
    assert not passes("sb_secret_0123456789", token="somebody")
