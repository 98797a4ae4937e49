from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from jwt import api_jws

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


def part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def odd(algorithm: str = "HS256", **claims: Any) -> str:
    payload = json.dumps({"role": "anon", "exp": NOW + 1, **claims}).encode()
    return api_jws.encode(payload, KEYS.jwt_secret, algorithm)


REQUIRED = "InvalidJWTToken: Fields `role` and `exp` are required in JWT"
UNKNOWN = "Unknown Error on Channel"
MALFORMED = "MalformedJWT: The token provided is not a valid JWT"

REFUSED = {
    "": MALFORMED,
    "garbage": MALFORMED,
    "a.b.c": MALFORMED,
    "sb_publishable_abc": MALFORMED,
    KEYS.sign({"exp": NOW + 1}): REQUIRED,
    KEYS.sign({"exp": int(NOW) - 7}): "InvalidJWTToken: Token has expired 7 seconds ago",
    KEYS.sign({"role": "anon", "exp": int(NOW) - 7}): "InvalidJWTToken: Token has expired 7 seconds ago",
    KEYS.sign({"role": "anon", "exp": int(NOW)}): "InvalidJWTToken: Token has expired 0 seconds ago",
    KEYS.sign({"role": "anon", "exp": True}): UNKNOWN,
    KEYS.sign({"role": "anon", "exp": NOW - 7.5}): UNKNOWN,
    KEYS.sign({"role": "anon", "exp": NOW + 1, "iat": False}): UNKNOWN,
    "Bearer" + KEYS.anon: "UnknownErrorOnChannel: Erlang error: {:invalid_byte, 5}",
    part("{}") + "." + part("{") + ".x": "UnknownErrorOnChannel: Erlang error: :unexpected_end",
    part("{}") + "." + part("[1]") + ".x": UNKNOWN,
    part("7") + "." + part("{}") + ".x": UNKNOWN,
    part("{}") + "." + part('{"exp":NaN}') + ".x": MALFORMED,
    part("{}") + "." + part("[" * 100_000) + ".x": MALFORMED,
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


@pytest.mark.parametrize(
    "text", [f" {KEYS.anon}\t", KEYS.anon.replace(".", "\n."), KEYS.anon.replace(".", "%2E")]
)
def test_blanks_and_coded_letters_in_a_token_mean_nothing(text: str) -> None:
    assert tokens.read(text, KEYS, NOW).principal.role == "anon"


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_takes_the_longer_signatures_of_the_same_secret(algorithm: str) -> None:
    assert tokens.read(odd(algorithm), KEYS, NOW).principal.role == "anon"


@pytest.mark.parametrize(
    ("role", "read"),
    [(None, ("", True)), ("", ("", True)), (["anon"], ('["anon"]', False)), (5, ("5", False))],
)
def test_any_role_is_accepted_and_classified_as_a_name_or_not(role: Any, read: tuple[str, bool]) -> None:
    principal = tokens.read(odd(role=role), KEYS, NOW).principal
    assert (principal.role, principal.has_role_name) == read


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iat": "yesterday"}, '[message: "Invalid token", claim: "iat", claim_val: "yesterday"]'),
        ({"iat": None}, '[message: "Invalid token", claim: "iat", claim_val: nil]'),
        ({"exp": "later"}, f'[message: {NOW:.0f}, claim: "exp", claim_val: "later"]'),
        ({"exp": 1.5}, f'[message: {NOW:.0f}, claim: "exp", claim_val: 1.5]'),
    ],
)
def test_a_push_quotes_the_odd_claim(claims: dict[str, Any], words: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        tokens.read(odd(**claims), KEYS, NOW)
    assert refused.value.pushed == words
    assert (refused.value.status, refused.value.handshake) == (500, "Error connecting to Realtime")
