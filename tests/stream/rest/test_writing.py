"""Writes over REST: what goes out, what every refusal becomes, and that none is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError, UsageError
from prt.local.seed.people import MEMBER
from prt.stream.rest.answers import RejectedError, UnavailableError, UnknownFateError, UnknownTableError
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint
from tests.stream.scripted import GONE, Project, Reply, project_of

Writing = Callable[[Rest], Awaitable[list[Raw]]]


def insert(rest: Rest) -> Awaitable[list[Raw]]:
    return rest.insert("app", "my notes", [{"title": "ä", "payload": Raw(b'{"n":1e400}')}])


def update(rest: Rest) -> Awaitable[list[Raw]]:
    return rest.update("app", "my notes", [("id", "eq.1+1")], {"title": None})


def delete(rest: Rest) -> Awaitable[list[Raw]]:
    return rest.delete("app", "my notes", [("id", "eq.1")])


def insert_blindly(rest: Rest) -> Awaitable[list[Raw]]:
    return rest.insert("app", "my notes", [{"id": 1}], returning=False)


def written(writing: Writing, *replies: Reply, timeout: float = 10) -> tuple[list[Raw] | PrtError, Project]:
    """The answer or the error, and what was asked."""

    async def main() -> tuple[list[Raw] | PrtError, Project]:
        async with project_of(*replies) as project:
            endpoint = Endpoint(url=project.url, key="the-key", token="the-token")
            async with Rest(lambda: endpoint, pauses=(0, 0), timeout=timeout) as rest:
                try:
                    return await writing(rest), project
                except PrtError as exc:
                    return exc, project

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("writing", "line", "body", "preference"),
    [
        (
            insert,
            "POST /rest/v1/my%20notes HTTP/1.1",
            '[{"title":"ä","payload":{"n":1e400}}]',
            "representation",
        ),
        (update, "PATCH /rest/v1/my%20notes?id=eq.1%2B1 HTTP/1.1", '{"title":null}', "representation"),
        (delete, "DELETE /rest/v1/my%20notes?id=eq.1 HTTP/1.1", "", "representation"),
        (insert_blindly, "POST /rest/v1/my%20notes HTTP/1.1", '[{"id":1}]', "minimal"),
    ],
)
def test_what_goes_out(writing: Writing, line: str, body: str, preference: str) -> None:
    rows, project = written(writing, (201, b'[{"id": 12345678901234567890}]'))
    assert rows == ([] if preference == "minimal" else [Raw(b'{"id": 12345678901234567890}')])
    head = project.requests[0].splitlines()
    assert head[0] == line
    assert {"content-profile: app", f"prefer: return={preference}"} <= {one.lower() for one in head}
    assert {"apikey: the-key", "authorization: bearer the-token"} <= {one.lower() for one in head}
    assert ("content-type: application/json" in {one.lower() for one in head}) is bool(body)
    assert project.bodies == [body.encode()]


@pytest.mark.parametrize(
    ("reply", "error", "words", "hint"),
    [
        (
            (
                403,
                b'{"code":"42501","message":"new row violates row-level security policy for table \\"n\\""}',
            ),
            RefusedError,
            "REST answered 403: new row violates row-level security policy",
            'no policy of app."my notes" lets this identity INSERT such a row, or SELECT it',
        ),
        (
            (401, b'{"code":"42501","message":"permission denied for table n"}'),
            RefusedError,
            "permission denied for table n",
            'grant select, insert on app."my notes"',
        ),
        ((401, b'{"code":"PGRST303","message":"JWT expired"}'), RefusedError, "JWT expired", "still valid?"),
        (
            (409, b'{"code":"23505","message":"duplicate key","details":"Key (id)=(1)\\n already exists."}'),
            RejectedError,
            "REST answered 409: duplicate key (Key (id)=(1) already exists.)",
            None,
        ),
        (
            (400, b'{"code":"P0001","message":"not on Sundays","hint":"come\\n back"}'),
            RejectedError,
            "not on Sundays",
            "come back",
        ),
        ((400, b'{"code":"22P02","message":"invalid input"}'), RejectedError, "invalid", "columns' types"),
        ((400, b'{"code":"PGRST204","message":"no column"}'), RejectedError, "no column", "column's name"),
        ((500, b'{"code":"57014","message":"statement timeout"}'), RejectedError, "statement timeout", None),
        ((404, b'{"code":"PGRST205","message":"no table"}'), UnknownTableError, "no table", "exposed"),
        ((404, b"<html>"), UnreachableError, "REST answered 404", "is app.my notes exposed"),
        ((302, b""), ProtocolError, "REST answered 302", None),
        ((201, b"{}"), ProtocolError, "not a list of rows", None),
    ],
)
def test_every_refusal_has_its_error(
    reply: Reply, error: type[PrtError], words: str, hint: str | None
) -> None:
    found, project = written(insert, reply)
    assert type(found) is error
    assert isinstance(found, PrtError)
    assert words in found.message
    assert hint in found.hint if hint and found.hint else found.hint is hint
    assert len(project.requests) == 1
    assert "the-token" not in f"{found.message} {found.hint}"


@pytest.mark.parametrize(
    "reply", [None, GONE, (500, b""), (502, b"<html>"), (503, b'{"message":"name resolution failed"}')]
)
def test_a_write_whose_fate_is_unknown_is_not_repeated(reply: Reply) -> None:
    found, project = written(insert, reply, timeout=0.2 if reply is None else 10)
    assert type(found) is UnknownFateError
    assert "whether the write was done is unknown" in found.message
    assert len(project.requests) == 1


@pytest.mark.parametrize("reply", [(429, b""), (503, b'{"code":"PGRST001"}'), (504, b'{"code":"PGRST003"}')])
def test_a_write_that_was_not_begun_is_repeated(reply: Reply) -> None:
    rows, project = written(update, reply, reply, (200, b'[{"id":1}]'))
    assert rows == [Raw(b'{"id":1}')]
    assert len(project.requests) == 3
    found, project = written(update, reply)
    assert type(found) is UnavailableError
    assert len(project.requests) == 3


def test_nobody_there_is_no_doubt() -> None:
    async def main() -> list[Raw]:
        async with Rest(lambda: Endpoint(url="http://127.0.0.1:1", key="key"), pauses=(0,)) as rest:
            return await insert(rest)

    with pytest.raises(UnavailableError, match="can't be reached"):
        asyncio.run(main())


@pytest.mark.parametrize(
    "writing", [lambda rest: rest.update("s", "t", [], {}), lambda rest: rest.delete("s", "t", [])]
)
def test_a_write_on_every_row_does_not_go_out(writing: Writing) -> None:
    found, project = written(writing, (200, b"[]"))
    assert isinstance(found, UsageError)
    assert not project.requests


def test_an_embedded_project(project: dict[str, str]) -> None:
    """The life of one row, and the words of a real database's refusals."""
    table = "notifications"

    async def main() -> None:
        member = Endpoint(
            url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=project["PRT_TOKEN"]
        )
        anonymous = Endpoint(url=member.url, key=member.key)
        async with Rest(lambda: member) as rest, Rest(lambda: anonymous) as stranger:
            row = {"title": "Doors", "user_id": MEMBER.id}
            (raw,) = await rest.insert("public", table, [row])
            inserted: dict[str, Any] = msgspec.json.decode(raw)
            its_id = [("id", f"eq.{inserted['id']}")]
            assert (inserted["title"], inserted["read_at"]) == ("Doors", None)
            (raw,) = await rest.update("public", table, its_id, {"read_at": "2026-01-01T00:00:00Z"})
            assert msgspec.json.decode(raw)["read_at"] == "2026-01-01T00:00:00+00:00"

            with pytest.raises(RejectedError, match="duplicate key") as caught:
                await rest.insert("public", table, [{**row, "id": inserted["id"]}])
            assert caught.value.code == "23505"
            with pytest.raises(RejectedError, match="null value in column"):
                await rest.update("public", table, its_id, {"title": None})
            with pytest.raises(RejectedError, match="invalid input syntax for type uuid"):
                await rest.insert("public", table, [{**row, "id": "seven"}])
            with pytest.raises(RejectedError, match="'titel' column"):
                await rest.insert("public", table, [{"titel": "Doors"}])
            with pytest.raises(UnreachableError, match="Could not find the table"):
                await rest.insert("public", "notification", [row])
            with pytest.raises(RefusedError, match="row-level security"):
                await stranger.insert("public", table, [row])
            assert await stranger.update("public", table, its_id, {"title": "No"}) == []

            (raw,) = await rest.delete("public", table, its_id)
            assert msgspec.json.decode(raw)["id"] == inserted["id"]
            assert await rest.delete("public", table, its_id) == []

    asyncio.run(main())
