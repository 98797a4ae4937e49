"""Sign-up, sign-in, sessions and their end, as Supabase Auth answers."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Any

import httpx
import jwt
import pytest

from prt.local.auth import sessions
from prt.local.postgres.pool import Database
from prt.local.postgres.server import Postgres
from prt.local.serving.keys import Keys
from tests.local.auth.conftest import URL, Ask
from tests.local.odd_tokens import signed
from tests.running import PATIENCE

EMAIL, PASSWORD = "ada@example.com", "correct horse"
ADA = {"email": EMAIL, "password": PASSWORD}
PASSWORD_GRANT = "/token?grant_type=password"
REFRESH_GRANT = "/token?grant_type=refresh_token"


@pytest.fixture
def session(ask: Ask) -> dict[str, Any]:
    """Of a user who has just signed up."""
    answer = ask("POST", "/signup", {**ADA, "data": {"name": "Ada"}})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refreshed(ask: Ask, token: str) -> httpx.Response:
    return ask("POST", REFRESH_GRANT, {"refresh_token": token})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["code"] == answer.status_code
    return answer.status_code, body["error_code"]


def test_a_session_holds_what_clients_read(session: dict[str, Any], keys: Keys) -> None:
    claims = jwt.decode(session["access_token"], keys.jwt_secret, ["HS256"], audience="authenticated")
    user = session["user"]
    assert session["token_type"] == "bearer"
    assert session["expires_in"] == 3600
    assert session["expires_at"] == claims["exp"] == claims["iat"] + 3600
    assert claims["iss"] == f"{URL}/auth/v1"
    assert claims["sub"] == user["id"]
    assert (claims["role"], claims["aal"], claims["is_anonymous"]) == ("authenticated", "aal1", False)
    assert claims["email"] == EMAIL
    assert claims["amr"][0]["method"] == "password"
    assert abs(claims["amr"][0]["timestamp"] - time.time()) < 60
    assert claims["user_metadata"] == user["user_metadata"] == {"name": "Ada"}
    assert claims["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["email_confirmed_at"] == user["confirmed_at"]
    assert user["identities"][0]["identity_data"]["email"] == EMAIL
    assert user["last_sign_in_at"].endswith("Z")
    assert "encrypted_password" not in user


def test_the_password_signs_in_and_is_kept_as_a_hash_alone(
    ask: Ask, session: dict[str, Any], database: Any
) -> None:
    answer = ask("POST", PASSWORD_GRANT, {**ADA, "email": "Ada@Example.com"})
    assert answer.json()["user"]["id"] == session["user"]["id"]
    assert answer.json()["refresh_token"] != session["refresh_token"]
    (hashed,) = database.execute("select encrypted_password from auth.users").fetchone()
    assert hashed.startswith("$pbkdf2-sha256$")
    assert PASSWORD not in hashed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**ADA, "password": "wrong horse"}, (400, "invalid_credentials")),
        ({**ADA, "email": "bob@example.com"}, (400, "invalid_credentials")),
        ({"email": EMAIL}, (400, "invalid_credentials")),
        ({"password": PASSWORD}, (400, "validation_failed")),
        ({"email": 7}, (400, "bad_json")),
        (b"{", (400, "bad_json")),
        (b'{"email":"\xff"}', (400, "bad_json")),
        (b'{"x":' + b"[" * 100_000, (400, "bad_json")),
        ({**ADA, "email": "ada\0@example.com"}, (400, "validation_failed")),
    ],
)
def test_a_sign_in_that_is_refused(
    ask: Ask, session: dict[str, Any], body: Any, expected: tuple[int, str]
) -> None:
    answer = ask("POST", PASSWORD_GRANT, body)
    assert refusal(answer) == expected


def test_who_is_banned_or_not_confirmed_cannot_sign_in(
    ask: Ask, session: dict[str, Any], database: Any
) -> None:
    database.execute("update auth.users set banned_until = now() + interval '1 day'")
    assert refusal(ask("POST", PASSWORD_GRANT, ADA)) == (400, "user_banned")
    database.execute("update auth.users set banned_until = null, email_confirmed_at = null")
    assert refusal(ask("POST", PASSWORD_GRANT, ADA)) == (400, "email_not_confirmed")


def test_an_unknown_grant_is_refused(ask: Ask) -> None:
    assert ask("POST", "/token?grant_type=magic", {}).status_code == 400


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ADA, (422, "user_already_exists")),
        ({**ADA, "email": "ADA@example.com"}, (422, "user_already_exists")),
        ({**ADA, "email": "ada"}, (400, "validation_failed")),
        # Without an end, if the time grew with the square of the length.
        ({**ADA, "email": "a@" + "." * 500_000 + " "}, (400, "validation_failed")),
        ({"email": "bob@example.com", "password": "short"}, (422, "weak_password")),
        ({"email": "bob@example.com", "password": "x" * 73}, (422, "validation_failed")),
        ({"email": "bob@example.com"}, (400, "validation_failed")),
        ({"phone": "123", "password": PASSWORD}, (400, "phone_provider_disabled")),
        ({}, (422, "anonymous_provider_disabled")),
    ],
)
def test_a_sign_up_that_is_refused(
    ask: Ask, session: dict[str, Any], body: Any, expected: tuple[int, str]
) -> None:
    assert refusal(ask("POST", "/signup", body)) == expected


def test_refresh_tokens_turn_over(ask: Ask, session: dict[str, Any], keys: Keys) -> None:
    second = refreshed(ask, session["refresh_token"]).json()
    third = refreshed(ask, second["refresh_token"]).json()
    tokens = {one["refresh_token"] for one in (session, second, third)}
    assert len(tokens) == 3
    ids = {
        jwt.decode(one["access_token"], options={"verify_signature": False})["session_id"]
        for one in (session, second, third)
    }
    assert len(ids) == 1


def test_a_lost_answer_may_be_asked_for_again(ask: Ask, session: dict[str, Any], database: Any) -> None:
    second = refreshed(ask, session["refresh_token"]).json()
    database.execute("update auth.refresh_tokens set updated_at = now() - interval '1 minute'")
    # The parent of the active token gives that one, however late.
    assert refreshed(ask, session["refresh_token"]).json()["refresh_token"] == second["refresh_token"]
    refreshed(ask, second["refresh_token"])
    database.execute("update auth.refresh_tokens set updated_at = now()")
    # Any other one works for ten seconds.
    assert refreshed(ask, session["refresh_token"]).status_code == 200


def test_a_refresh_token_used_again_ends_the_session(
    ask: Ask, session: dict[str, Any], database: Any
) -> None:
    second = refreshed(ask, session["refresh_token"]).json()
    third = refreshed(ask, second["refresh_token"]).json()
    database.execute("update auth.refresh_tokens set updated_at = now() - interval '1 minute'")
    assert refusal(refreshed(ask, session["refresh_token"])) == (400, "refresh_token_already_used")
    database.execute("update auth.refresh_tokens set updated_at = now() - interval '1 minute'")
    assert refusal(refreshed(ask, third["refresh_token"])) == (400, "refresh_token_already_used")


def test_of_refreshes_at_once_all_get_the_same_session(
    session: dict[str, Any], postgres: Postgres, keys: Keys, database: Any
) -> None:
    issuer = sessions.Issuer(keys, "http://project/auth/v1")

    async def refresh(pool: Database) -> Any:
        async with pool.acting_as("supabase_auth_admin", {}) as connection:
            return await sessions.refresh(connection, issuer, session["refresh_token"])

    async def at_once() -> tuple[Any, Any]:
        async with Database(postgres.conninfo("supabase_auth_admin", dbname="accounts")) as pool:
            async with pool.acting_as("supabase_auth_admin", {}) as connection:
                first = await sessions.refresh(connection, issuer, session["refresh_token"])
                second = asyncio.create_task(refresh(pool))
                await asyncio.to_thread(until_waited_for, connection.info.backend_pid)
            return first, await second

    def until_waited_for(pid: int) -> None:
        query = "select true from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
        deadline = time.monotonic() + PATIENCE
        while database.execute(query, (pid,)).fetchone() is None:
            assert time.monotonic() < deadline, "the second refresh did not wait for the first"

    first, second = asyncio.run(at_once())
    assert first["refresh_token"] == second["refresh_token"] != session["refresh_token"]


@pytest.mark.parametrize(
    ("token", "expected"),
    [("unknown", (400, "refresh_token_not_found")), ("", (400, "validation_failed"))],
)
def test_a_refresh_that_is_refused(ask: Ask, token: str, expected: tuple[int, str]) -> None:
    assert refusal(refreshed(ask, token)) == expected


def test_the_user_reads_and_changes_themselves(ask: Ask, session: dict[str, Any]) -> None:
    token = session["access_token"]
    assert ask("GET", "/user", token=token).json()["email"] == EMAIL
    changed = ask("PUT", "/user", {"data": {"name": None, "colour": "red"}}, token=token).json()
    assert changed["user_metadata"] == {"colour": "red"}
    assert refusal(ask("PUT", "/user", {"password": PASSWORD}, token=token)) == (422, "same_password")
    moved = {"email": "Ada@new.example.com", "password": "another horse"}
    assert ask("PUT", "/user", moved, token=token).json()["email"] == "ada@new.example.com"
    assert ask("POST", PASSWORD_GRANT, ADA).status_code == 400
    assert ask("POST", PASSWORD_GRANT, moved).status_code == 200


def test_an_email_of_somebody_else_is_refused(ask: Ask, session: dict[str, Any]) -> None:
    ask("POST", "/signup", {**ADA, "email": "bob@example.com"})
    answer = ask("PUT", "/user", {"email": "bob@example.com"}, token=session["access_token"])
    assert refusal(answer) == (422, "email_exists")


@pytest.mark.parametrize(
    ("scope", "left"),
    [("", (False, False)), ("?scope=local", (False, True)), ("?scope=others", (True, False))],
)
def test_a_logout_ends_sessions(
    ask: Ask, session: dict[str, Any], scope: str, left: tuple[bool, bool]
) -> None:
    elsewhere = ask("POST", PASSWORD_GRANT, ADA).json()
    answer = ask("POST", f"/logout{scope}", token=session["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    found = [ask("GET", "/user", token=one["access_token"]) for one in (session, elsewhere)]
    assert tuple(answer.status_code == 200 for answer in found) == left
    assert {refusal(answer) for answer in found if answer.status_code != 200} == {(403, "session_not_found")}


def test_a_logout_of_an_unknown_scope_is_refused(ask: Ask, session: dict[str, Any]) -> None:
    answer = ask("POST", "/logout?scope=all", token=session["access_token"])
    assert refusal(answer) == (400, "validation_failed")


def test_a_token_without_a_session_is_its_users(ask: Ask, session: dict[str, Any], keys: Keys) -> None:
    token = keys.sign({"sub": session["user"]["id"], "role": "authenticated"})
    assert ask("GET", "/user", token=token).json()["email"] == EMAIL


def test_tokens_that_do_not_hold_are_refused(ask: Ask, session: dict[str, Any], keys: Keys) -> None:
    nobody = "99999999-9999-4999-8999-999999999999"
    cases = {
        "of an API key": (keys.anon, "bad_jwt"),
        "of nobody": (keys.sign({"sub": nobody}), "user_not_found"),
        "of no id": (keys.sign({"sub": "ada"}), "bad_jwt"),
        "expired": (keys.sign({"sub": nobody, "exp": int(time.time()) - 1}), "bad_jwt"),
        "changed": (session["access_token"][:-4] + "AAAA", "bad_jwt"),
        "garbled": ("a.b", "bad_jwt"),
        "unsigned": (jwt.encode({"sub": session["user"]["id"]}, None, "none"), "bad_jwt"),
    }
    seen = {name: refusal(ask("GET", "/user", token=token)) for name, (token, _) in cases.items()}
    assert seen == {name: (403, code) for name, (_, code) in cases.items()}
    assert refusal(ask("GET", "/user")) == (401, "no_authorization")


def test_errors_have_the_shape_that_the_client_asks_for(ask: Ask) -> None:
    old = ask("POST", PASSWORD_GRANT, ADA)
    new = ask("POST", PASSWORD_GRANT, ADA, x_supabase_api_version="2024-01-01")
    assert old.json() == {
        "code": 400,
        "error_code": "invalid_credentials",
        "msg": "Invalid login credentials",
    }
    assert new.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert new.headers["x-supabase-api-version"] == "2024-01-01"


def test_the_gateway_wants_a_key_but_for_the_public_keys(ask: Ask, keys: Keys) -> None:
    assert ask("GET", "/health", apikey="").status_code == 401
    assert ask("GET", "/health").json()["name"] == "GoTrue"
    assert ask("GET", "/settings").json()["mailer_autoconfirm"] is True
    assert ask("GET", "/.well-known/jwks.json", apikey="").json() == {"keys": []}


def test_a_trigger_that_fails_is_reported_and_leaves_no_user(ask: Ask, database: Any) -> None:
    database.execute("""
        create function public.fail() returns trigger language plpgsql as
          $$ begin raise 'no profile for %', new.email; end $$;
        create trigger fail after insert on auth.users for each row execute function public.fail();
    """)
    try:
        answer = ask("POST", "/signup", ADA)
    finally:
        database.execute("drop function public.fail cascade")
    assert refusal(answer) == (500, "unexpected_failure")
    assert answer.json()["msg"] == "Database error saving new user: no profile for ada@example.com"
    assert ask("POST", "/signup", ADA).status_code == 200


def claims_of(answer: httpx.Response, keys: Keys) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        answer.json()["access_token"], keys.jwt_secret, ["HS256"], audience="authenticated"
    )
    return claims


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example.com"},
        {"x_forwarded_host": "evil.example.com", "x_forwarded_proto": "https"},
        {"forwarded": "host=evil.example.com;proto=https"},
    ],
    ids=["Host", "X-Forwarded", "Forwarded"],
)
def test_the_issuer_is_the_project_whatever_a_client_calls_it(
    ask: Ask, session: dict[str, Any], keys: Keys, headers: dict[str, str]
) -> None:
    signed_in = ask("POST", PASSWORD_GRANT, ADA, **headers)
    renewed = ask("POST", REFRESH_GRANT, {"refresh_token": session["refresh_token"]}, **headers)
    signed_up = ask("POST", "/signup", {**ADA, "email": "other@example.com"}, **headers)
    issuers = {claims_of(answer, keys)["iss"] for answer in (signed_in, renewed, signed_up)}
    assert issuers == {f"{URL}/auth/v1"}


@pytest.mark.usefixtures("session")
def test_a_sign_in_costs_the_same_whoever_is_known(
    ask: Ask, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One derivation of one cost, for an unknown address, and for one without a hash or with a broken one."""
    for name, hashed in (("none", None), ("broken", "$scrypt$ln=14$c2Fs$a2")):
        ask("POST", "/signup", {**ADA, "email": f"{name}@example.com"})
        database.execute(
            "update auth.users set encrypted_password = %s where email = %s", [hashed, f"{name}@example.com"]
        )
    costs = []

    def counted(name: str, password: bytes, salt: bytes, iterations: int, length: int | None = None) -> bytes:
        costs.append((name, iterations))
        return pbkdf2_hmac(name, password, salt, iterations, length)

    pbkdf2_hmac = hashlib.pbkdf2_hmac
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    addresses = (EMAIL, "nobody@example.com", "none@example.com", "broken@example.com")
    for address in addresses:
        answer = ask("POST", PASSWORD_GRANT, {"email": address, "password": "a wrong one"})
        assert refusal(answer) == (400, "invalid_credentials")
    assert len(costs) == len(addresses)
    assert len(set(costs)) == 1


ODD = [
    ("role", "[]"),
    ("role", '{"a": 1}'),
    ("sub", '"\\u0000"'),
    ("sub", '"\\ud800"'),
    ("email", '"\\ud800"'),
    ("exp", "1e400"),
    ("x", "NaN"),
]


@pytest.mark.parametrize(("name", "value"), ODD)
@pytest.mark.parametrize("path", ["/user", "/admin/users"])
def test_odd_claims_are_refused_and_no_failure_of_ours(
    ask: Ask, keys: Keys, path: str, name: str, value: str
) -> None:
    answer = ask("GET", path, token=signed(keys, name, value))
    assert answer.status_code == answer.json()["code"]
    assert answer.status_code in {400, 403}
