from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.tokens import TokenRefusedError
from prt.local.serving.keys import generate, rotated
from tests.local.odd_tokens import signed

KEYS = generate()
ROTATED = rotated(rotated(KEYS, "ES256"), "RS256")
NOW = 1_800_000_000.0


def test_reads_a_good_token() -> None:
    text = KEYS.sign({"role": "authenticated", "sub": "me", "exp": NOW + 1})
    token = tokens.read(text, KEYS, NOW)
    assert (token.text, token.principal.role, token.expires) == (text, "authenticated", NOW + 1)
    assert json.loads(token.principal.claims)["sub"] == "me"


@pytest.mark.parametrize("signer", [KEYS, ROTATED, *ROTATED.signing], ids=range(4))
def test_reads_what_any_key_of_a_rotation_signed(signer: Any) -> None:
    text = signer.sign({"role": "authenticated", "exp": int(NOW) + 1})
    assert tokens.read(text, ROTATED, NOW).principal.role == "authenticated"


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
    ROTATED.sign({"role": "anon", "exp": NOW + 1}): (
        "JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration"
    ),
    jwt.encode({"role": "anon", "exp": NOW + 1}, "", "none"): (
        "JwtSignerError: Failed to generate JWT signer, check your JWT secret or JWKS configuration"
    ),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=range(len(REFUSED)))
def test_refuses_in_the_servers_words(text: str, reason: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(text, KEYS, NOW)
    assert refused.value.reason == reason


def test_a_refusal_does_not_quote_the_token() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.very-secret.x"
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(secret, KEYS, NOW)
    assert "very-secret" not in repr(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value"), [("sub", '"\\ud800"'), ("exp", "1e400"), ("exp", "-1e400"), ("x", "NaN")]
)
def test_claims_that_are_no_json_elsewhere_are_malformed(name: str, value: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(signed(KEYS, name, value), KEYS, NOW)
    assert refused.value.reason == MALFORMED


def test_an_end_beyond_every_clock_is_one_that_a_timer_takes() -> None:
    token = tokens.read(signed(KEYS, "exp", "1" + 400 * "0"), KEYS, NOW)
    assert token.expires == tokens.LATEST
    with pytest.raises(TokenRefusedError, match="has expired"):
        tokens.read(signed(KEYS, "exp", "-1" + 400 * "0"), KEYS, NOW)
