"""Whose rows: keys, tokens, roles, row level security; and names and values that would be SQL."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from prt.local import rest
from prt.local.postgres.pool import Database
from prt.local.serving import signing
from prt.local.serving.keys import Keys, generate, rotated
from tests.local.odd_tokens import signed
from tests.local.rest.conftest import ME, Ask, send

YOU = "22222222-2222-2222-2222-222222222222"


def test_row_level_security_decides_by_the_claims(ask: Ask, rows: Any) -> None:
    def mine(**options: Any) -> list[str]:
        return [row["note"] for row in ask("GET", "/notes?select=note&order=id", **options).json()]

    assert mine(role="authenticated", claims={"sub": ME}) == ["mine"]
    assert mine(role="authenticated", claims={"sub": YOU}) == ["yours"]
    assert mine(role="anon") == []
    assert mine(role="service_role") == ["mine", "yours"]
    foreign = ask("POST", "/notes", {"id": 3, "owner": YOU}, role="authenticated", claims={"sub": ME})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "42501")
    own = ask(
        "POST", "/notes", {"id": 3}, role="authenticated", claims={"sub": ME}, prefer="return=representation"
    )
    assert own.json() == [{"id": 3, "owner": ME, "note": None}]
    theirs = ask("PATCH", "/notes?id=eq.2", {"note": "!"}, role="authenticated", claims={"sub": ME})
    assert (theirs.status_code, theirs.headers["content-range"]) == (204, "*/*")
    assert rows.execute("select note from notes where id = 2").fetchone() == ("yours",)


def test_what_is_denied_is_401_for_nobody_and_403_for_somebody(ask: Ask) -> None:
    anonymous = ask("GET", "/hidden", role="anon")
    somebody = ask("GET", "/hidden", role="authenticated", claims={"sub": ME})
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")
    assert (somebody.status_code, somebody.json()["message"]) == (
        403,
        "permission denied for table hidden",
    )


def test_a_role_that_is_none_or_not_for_tokens_is_refused(ask: Ask) -> None:
    unknown = ask("GET", "/books", role="nobody")
    superuser = ask("GET", "/books", role="postgres")
    assert (unknown.status_code, unknown.json()["message"]) == (401, 'role "nobody" does not exist')
    assert (superuser.status_code, superuser.json()["message"]) == (
        403,
        'permission denied to set role "postgres"',
    )


def asked(
    keys: Keys, conninfo: str, path: str = "/books?select=id&limit=1", **headers: str
) -> httpx.Response:
    request = httpx.Request("GET", f"http://project/rest/v1{path}", headers=headers)
    return asyncio.run(send(conninfo, keys, request))


def test_the_gateway_wants_a_key_of_this_project(rows: Any, keys: Keys, conninfo: str) -> None:
    missing = asked(keys, conninfo)
    foreign = asked(keys, conninfo, apikey=generate().anon)
    assert missing.status_code == foreign.status_code == 401
    assert missing.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }
    assert foreign.json()["message"] == "Invalid API key"
    assert asked(keys, conninfo, f"/books?select=id&limit=1&apikey={keys.anon}").status_code == 200


def test_an_open_gateway_lets_everybody_in_as_anon(rows: Any, keys: Keys, conninfo: str) -> None:
    is_open = msgspec.structs.replace(keys, is_open=True)
    nobody = asked(is_open, conninfo, "/rpc/whoami")
    assert (nobody.status_code, nobody.json()["role"]) == (200, "anon")
    assert asked(is_open, conninfo, "/rpc/whoami", apikey=keys.secret).json()["role"] == "service_role"
    empty = asked(is_open, conninfo, "/rpc/whoami", authorization="Bearer ")
    assert (empty.status_code, empty.json()["code"]) == (401, "PGRST301")


@pytest.mark.parametrize("algorithm", signing.ALGORITHMS)
def test_tokens_of_signing_keys_are_verified(
    rows: Any, keys: Keys, conninfo: str, algorithm: signing.Algorithm
) -> None:
    signs = rotated(keys, algorithm)

    def whoami(token: str, of: Keys) -> httpx.Response:
        return asked(of, conninfo, "/rpc/whoami", apikey=keys.anon, authorization=f"Bearer {token}")

    later = rotated(rotated(signs, "RS256"), "ES256")
    for known in (signs, later):
        assert whoami(signs.sign({"role": "authenticated"}), known).json()["role"] == "authenticated"
    assert whoami(keys.sign({"role": "authenticated"}), signs).json()["role"] == "authenticated"
    unknown = whoami(signs.sign({"role": "authenticated"}), keys)
    assert (unknown.status_code, unknown.json()["message"]) == (401, "No suitable key or wrong key type")


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("anon", "anon"),
        ("publishable", "anon"),
        ("service_role", "service_role"),
        ("secret", "service_role"),
    ],
)
def test_a_key_is_a_role_alone_or_as_the_token(
    rows: Any, keys: Keys, conninfo: str, key: str, role: str
) -> None:
    value = getattr(keys, key)
    alone = asked(keys, conninfo, "/rpc/whoami", apikey=value)
    both = asked(keys, conninfo, "/rpc/whoami", apikey=value, authorization=f"Bearer {value}")
    assert alone.json()["role"] == both.json()["role"] == role


def bad_tokens(keys: Keys) -> dict[str, tuple[str, str, str]]:
    now = int(time.time())
    claims = {"role": "authenticated", "exp": now + 60}
    good = keys.sign(claims)
    return {
        "foreign": (
            jwt.encode(claims, "x" * 40, "HS256"),
            "PGRST301",
            "No suitable key or wrong key type",
        ),
        "unsigned": (
            jwt.encode(claims, None, "none"),
            "PGRST301",
            "Wrong or unsupported encoding algorithm",
        ),
        "opaque": ("sb_publishable_other", "PGRST301", "Expected 3 parts in JWT; got 1"),
        "empty": ("", "PGRST301", "Empty JWT is sent in Authorization header"),
        "garbled": ("a.b.c", "PGRST301", "No suitable key or wrong key type"),
        "changed": (
            good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
            "PGRST301",
            "No suitable key or wrong key type",
        ),
        "expired": (keys.sign({**claims, "exp": now - 60}), "PGRST303", "JWT expired"),
        "early": (keys.sign({**claims, "nbf": now + 90}), "PGRST303", "JWT not yet valid"),
        "future": (keys.sign({**claims, "iat": now + 90}), "PGRST303", "JWT issued at future"),
    }


@pytest.mark.parametrize(
    "kind",
    ["foreign", "unsigned", "opaque", "empty", "garbled", "changed", "expired", "early", "future"],
)
def test_a_token_that_does_not_hold_is_refused(rows: Any, keys: Keys, conninfo: str, kind: str) -> None:
    token, code, message = bad_tokens(keys)[kind]
    answer = asked(keys, conninfo, apikey=keys.anon, authorization=f"Bearer {token}")
    assert answer.status_code == 401
    assert (answer.json()["code"], answer.json()["message"]) == (code, message)
    assert message in answer.headers["www-authenticate"]
    assert keys.jwt_secret not in answer.text


def test_names_that_would_be_sql_are_names(ask: Ask) -> None:
    table = quote('odd "table%s')
    column = quote('"a \\"b%s"')
    assert ask("GET", f"/{table}?{column}=eq.it's").json() == [
        {"id": 1, 'a "b%s': "it's", "row": "row", "r": "r"}
    ]
    written = ask(
        "PATCH",
        f"/{table}?id=eq.1&select={column},row",
        {'a "b%s': '"; drop table books; --'},
        prefer="return=representation",
    )
    assert written.json() == [{'a "b%s': '"; drop table books; --', "row": "row"}]
    assert ask("GET", "/books?limit=1").status_code == 200


def test_a_slash_in_a_name_is_a_part_of_it_and_another_is_not(ask: Ask, rows: Any) -> None:
    rows.execute('create table if not exists "in/out" (id int primary key)')
    rows.execute("""create or replace function "to/from"() returns int language sql as 'select 7'""")
    try:
        assert ask("GET", f"/{quote('in/out', safe='')}").json() == []
        assert ask("POST", f"/rpc/{quote('to/from', safe='')}", {}).json() == 7
        assert ask("GET", "/in/out").status_code == 404
    finally:
        rows.execute('drop table "in/out"; drop function "to/from"()')


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
hostile = st.one_of(
    text,
    st.sampled_from(
        ["'; drop table books; --", '"', "\\", "$1", "%s", "{}", ")", "(", "a,b", "not.eq.1", "::text", '\\"']
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile)
def test_any_text_is_written_and_found_again(ask: Ask, rows: Any, value: str) -> None:
    rows.execute("delete from shelves where id = 77")
    assert ask("POST", "/shelves", {"id": 77, "name": value}).status_code == 201
    by_filter = ask("GET", f"/shelves?select=id,name&name=eq.{quote(value, safe='')}&id=eq.77")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    by_list = ask(
        "GET", f"/shelves?select=id,name&id=eq.77&name=in.({quote(chr(34) + escaped + chr(34), safe='')})"
    )
    tree = quote(f'(name.eq."{escaped}",id.eq.0)', safe="")
    by_tree = ask("GET", f"/shelves?select=id,name&id=eq.77&or={tree}")
    expected = [{"id": 77, "name": value}]
    assert by_filter.json() == by_list.json() == by_tree.json() == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hostile, st.sampled_from(["select", "order", "filter", "or", "column", "cast", "embed", "key", "table"])
)
def test_any_text_in_the_place_of_syntax_is_an_answer(ask: Ask, value: str, place: str) -> None:
    escaped = quote(value, safe="")
    path = {
        "select": f"/books?select={escaped}",
        "order": f"/books?order={escaped}",
        "filter": f"/books?id={escaped}",
        "or": f"/books?or=({escaped})",
        "column": f"/books?{escaped}=eq.1",
        "cast": f"/books?select=id::{escaped}",
        "embed": f"/books?select=id,{escaped}(id)",
        "key": f"/authors?select=profile->>{escaped}",
        "table": f"/{escaped or 'books'}",
    }[place]
    answer = ask("GET", path)
    assert answer.status_code < 500, answer.text
    assert ask("GET", "/books?select=id").json() == [{"id": n} for n in (1, 2, 3, 4)]


def test_tables_made_anew_are_read_on_the_connections_that_knew_the_old(
    rows: Any, keys: Keys, conninfo: str
) -> None:
    """What a reset does: the same names, other types. A statement that PostgreSQL prepared would fail."""
    made = (
        "create type mood as enum ('glad', 'sad'); create table moods (id int primary key, mood mood);"
        "insert into moods values (1, 'sad')"
    )
    dropped = "drop table moods; drop type mood"

    async def work() -> list[httpx.Response]:
        async with Database(conninfo, size=1) as database:
            transport = httpx.ASGITransport(Starlette(routes=rest.routes(database, keys)))
            headers = {"apikey": keys.service_role}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://project/rest/v1", headers=headers
            ) as client:
                answers: list[httpx.Response] = []
                for change in (None, f"{dropped}; {made}", "alter table moods alter mood type text"):
                    if change is not None:
                        rows.execute(change)
                    for _ in range(8):
                        answers.append(await client.get("/moods?mood=eq.sad&select=id"))
                        answers.append(await client.patch("/moods?mood=eq.glad", json={"mood": "sad"}))
                return answers

    rows.execute(made)
    try:
        answers = asyncio.run(work())
    finally:
        rows.execute("drop table moods; drop type mood")
    assert {answer.status_code for answer in answers} == {200, 204}, answers[-1].text


ENDLESS = r"^(a+)(a+)(a+)(a+)\1\2\3\4$"
"""PostgreSQL tries every way to part a text, and there is none for an odd number of characters."""


@pytest.mark.parametrize(
    ("role", "timeout"), [("anon", "3s"), ("authenticated", "8s"), ("service_role", "8s")]
)
def test_statements_have_the_time_that_their_role_has(rows: Any, ask: Ask, role: str, timeout: str) -> None:
    rows.execute(
        "create function given_time() returns text language sql as"
        " $$ select current_setting('statement_timeout') $$"
    )
    try:
        assert ask("GET", "/rpc/given_time", role=role).json() == timeout
        rows.execute("alter role anon set statement_timeout = '1min'")
        assert ask("GET", "/rpc/given_time", role=role).json() == ("1min" if role == "anon" else timeout)
    finally:
        rows.execute("drop function given_time; alter role anon set statement_timeout = '3s'")


def test_a_statement_that_takes_longer_is_cancelled(rows: Any, ask: Ask) -> None:
    rows.execute(
        "create table texts (id int primary key, body text); insert into texts values (1, repeat('a', 1001));"
        "grant select on texts to anon; alter role anon set statement_timeout = '0.2s'"
    )
    try:
        answer = ask("GET", f"/texts?body=match.{quote(ENDLESS)}", role="anon")
    finally:
        rows.execute("drop table texts; alter role anon set statement_timeout = '3s'")
    assert (answer.status_code, answer.json()["code"]) == (500, "57014")


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (("role", '"\\u0000"'), 400),
        (("role", '"\\ud800"'), 401),
        (("email", '"\\ud800"'), 401),
        (("sub", '["\\udfff"]'), 401),
        (("exp", "1e400"), 401),
        (("x", "Infinity"), 401),
        (("role", "[1]"), 200),
    ],
)
def test_odd_claims_are_refused_and_no_failure_of_ours(
    rows: Any, keys: Keys, conninfo: str, claim: tuple[str, str], status: int
) -> None:
    token = signed(keys, *claim)
    answer = asked(keys, conninfo, apikey=keys.anon, authorization=f"Bearer {token}")
    assert answer.status_code == status, answer.text
