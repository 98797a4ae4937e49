"""Signing keys, anonymous users, and what this Auth doesn't have."""

from __future__ import annotations

from typing import Any

import jwt
import msgspec
import pytest

from prt.local.serving.keys import Keys, generate, rotated
from tests.local.auth.conftest import Ask
from tests.local.auth.test_sessions import ADA, PASSWORD_GRANT, refusal

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def signer(keys: Keys) -> Keys:
    return rotated(keys, "ES256")


def test_a_session_is_signed_by_the_key_that_is_published(ask: Ask, keys: Keys, signer: Keys) -> None:
    session = ask("POST", "/signup", ADA, signer=signer).json()
    published = ask("GET", JWKS, signer=signer, apikey="")
    (key,) = jwt.PyJWKSet.from_dict(published.json()).keys
    claims = jwt.decode(session["access_token"], key, ["ES256"], audience="authenticated")
    assert claims["sub"] == session["user"]["id"]
    assert published.headers["cache-control"] == "public, max-age=600"
    assert ask("GET", JWKS).json() == {"keys": []}
    for known in (signer, rotated(signer, "RS256")):
        assert ask("GET", "/user", token=session["access_token"], signer=known).status_code == 200
    former = ask("POST", PASSWORD_GRANT, ADA).json()["access_token"]
    assert ask("GET", "/user", token=former, signer=signer).status_code == 200


def test_a_signature_that_nobody_can_verify_is_refused(ask: Ask, keys: Keys, signer: Keys) -> None:
    claims = {"sub": "11111111-1111-1111-1111-111111111111"}
    key = signer.signing[0]
    private = jwt.PyJWK.from_json(key.private).key
    forged = msgspec.structs.replace(rotated(generate(), "ES256").signing[0], kid=key.kid)
    refused = {
        signer.sign(claims): (keys, f"invalid kid: {key.kid}"),
        jwt.encode(claims, private, "ES256"): (signer, "unrecognized JWT kid <nil> for algorithm ES256"),
        jwt.encode(claims, None, "none"): (signer, "signing method none is invalid"),
        forged.sign(claims): (signer, "signature is invalid"),
    }
    for token, (known, reason) in refused.items():
        answer = ask("GET", "/user", token=token, signer=known)
        assert refusal(answer) == (403, "bad_jwt")
        assert answer.json()["msg"].startswith("invalid JWT: unable to parse or verify signature, token ")
        assert answer.json()["msg"].endswith(reason)


def test_anonymous_users_are_refused_unless_they_are_allowed(ask: Ask) -> None:
    assert refusal(ask("POST", "/signup", {})) == (422, "anonymous_provider_disabled")
    for allowed in (False, True):
        settings = ask("GET", "/settings", allows_anonymous=allowed).json()
        assert settings["external"] == {"email": True, "phone": False, "anonymous_users": allowed}


@pytest.fixture
def anonymous(ask: Ask) -> dict[str, Any]:
    answer = ask("POST", "/signup", {"data": {"theme": "dark"}}, allows_anonymous=True)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_an_anonymous_user_has_a_session(ask: Ask, anonymous: dict[str, Any], keys: Keys) -> None:
    user = anonymous["user"]
    claims = jwt.decode(anonymous["access_token"], keys.jwt_secret, ["HS256"], audience="authenticated")
    assert (claims["is_anonymous"], claims["role"], claims["email"]) == (True, "authenticated", "")
    assert claims["amr"][0]["method"] == "anonymous"
    assert (user["is_anonymous"], user["email"], user["identities"]) == (True, "", [])
    assert (user["app_metadata"], user["user_metadata"]) == ({}, {"theme": "dark"})
    renewed = ask("POST", "/token?grant_type=refresh_token", {"refresh_token": anonymous["refresh_token"]})
    assert renewed.json()["user"]["id"] == user["id"]


def test_an_anonymous_user_becomes_a_permanent_one(ask: Ask, anonymous: dict[str, Any]) -> None:
    token = anonymous["access_token"]
    assert refusal(ask("PUT", "/user", {"password": ADA["password"]}, token=token)) == (
        422,
        "validation_failed",
    )
    changed = ask("PUT", "/user", ADA, token=token).json()
    assert (changed["is_anonymous"], changed["email"]) == (False, ADA["email"])
    assert changed["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert changed["identities"][0]["identity_data"]["email"] == ADA["email"]
    signed_in = ask("POST", PASSWORD_GRANT, ADA).json()
    assert signed_in["user"]["id"] == anonymous["user"]["id"]


def test_an_email_that_is_taken_leaves_the_user_anonymous(ask: Ask, anonymous: dict[str, Any]) -> None:
    ask("POST", "/signup", ADA)
    assert refusal(ask("PUT", "/user", ADA, token=anonymous["access_token"])) == (422, "email_exists")
    user = ask("GET", "/user", token=anonymous["access_token"]).json()
    assert (user["is_anonymous"], user["identities"]) == (True, [])


@pytest.mark.parametrize(
    ("request_line", "what"),
    [
        ("POST /factors", "MFA"),
        ("POST /factors/1/challenge", "MFA"),
        ("GET /admin/users/1/factors", "MFA"),
        ("POST /sso", "SSO"),
        ("GET /admin/sso/providers", "SSO"),
        ("GET /authorize", "other providers"),
        ("POST /token?grant_type=id_token", "other providers"),
        ("POST /otp", "email and SMS"),
        ("GET /verify", "email and SMS"),
        ("POST /recover", "email and SMS"),
        ("POST /admin/generate_link", "email and SMS"),
    ],
)
def test_what_is_absent_is_one_sentence(ask: Ask, request_line: str, what: str) -> None:
    method, path = request_line.split(" ")
    answer = ask(method, path)
    assert refusal(answer) == (501, "not_implemented")
    message = answer.json()["msg"]
    assert what in message
    assert message.startswith("The embedded project has no ")
    assert message.count(".") == 1
