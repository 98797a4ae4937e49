from __future__ import annotations

import json

import jwt
import pytest

from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.tokens import TokenRefusedError
from prt.local.serving.keys import generate
from tests.local.odd_tokens import signed

KEYS = generate()
NOW = 1_800_000_000.0


def test_reads_a_good_token() -> None:
    text = KEYS.sign({"role": "authenticated", "sub": "me", "exp": NOW + 1})
    token = tokens.read(text, KEYS.jwt_secret, NOW)
    assert (token.text, token.principal.role, token.expires) == (text, "authenticated", NOW + 1)
    assert json.loads(token.principal.claims)["sub"] == "me"


REQUIRED = "InvalidJWTToken: Fields `role` and `exp` are required in JWT"
MALFORMED = "MalformedJWT: The token provided is not a valid JWT"

REFUSED = {
    "": MALFORMED,
    "garbage": MALFORMED,
    "a.b.c": MALFORMED,
    "sb_publishable_abc": MALFORMED,
    KEYS.sign({"exp": NOW + 1}): REQUIRED,
    KEYS.sign({"role": 5, "exp": NOW + 1}): REQUIRED,
    KEYS.sign({"role": "anon", "exp": True}): REQUIRED,
    KEYS.sign({"role": "anon", "exp": NOW - 7}): "InvalidJWTToken: Token has expired 7 seconds ago",
    KEYS.sign({"role": "anon", "exp": NOW}): "InvalidJWTToken: Token has expired 0 seconds ago",
    jwt.encode({"role": "anon", "exp": NOW + 1}, "y" * 40, "HS256"): (
        "JwtSignatureError: Failed to validate JWT signature"
    ),
    jwt.encode({"role": "anon", "exp": NOW + 1}, "", "none"): (
        "JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration"
    ),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_refuses_in_the_servers_words(text: str, reason: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(text, KEYS.jwt_secret, NOW)
    assert refused.value.reason == reason


def test_a_refusal_does_not_quote_the_token() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.very-secret.x"
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(secret, KEYS.jwt_secret, NOW)
    assert "very-secret" not in repr(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value"), [("sub", '"\\ud800"'), ("exp", "1e400"), ("exp", "-1e400"), ("x", "NaN")]
)
def test_claims_that_are_no_json_elsewhere_are_malformed(name: str, value: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(signed(KEYS, name, value), KEYS.jwt_secret, NOW)
    assert refused.value.reason == MALFORMED


def test_an_end_beyond_every_clock_is_one_that_a_timer_takes() -> None:
    token = tokens.read(signed(KEYS, "exp", "1" + 400 * "0"), KEYS.jwt_secret, NOW)
    assert token.expires == tokens.LATEST
    with pytest.raises(TokenRefusedError, match="has expired"):
        tokens.read(signed(KEYS, "exp", "-1" + 400 * "0"), KEYS.jwt_secret, NOW)
