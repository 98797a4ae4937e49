"""The keys of an embedded project: what they sign, what they publish, and what a rotation leaves."""

from __future__ import annotations

import json
from typing import Any

import jwt
import msgspec
import pytest

from prt.config.local_stack import Stack
from prt.errors import UsageError
from prt.local.serving import signing
from prt.local.serving.keys import Keys, generate, of_stack, rotated
from prt.local.serving.signing import Algorithm

ANON_SIGNATURE = "CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0"
"""Of the anon key that `supabase status` shows on every machine."""


def claims_of(token: str, keys: Keys) -> Any:
    verifier = keys.verifier(token)
    assert verifier is not None
    return jwt.decode(token, verifier.key, [verifier.algorithm])


@pytest.mark.parametrize("algorithm", signing.ALGORITHMS)
def test_a_token_is_verified_by_what_is_published(algorithm: Algorithm) -> None:
    keys = rotated(generate(), algorithm)
    token = keys.sign({"role": "editor"})
    (published,) = jwt.PyJWKSet.from_dict(keys.jwks).keys
    assert jwt.get_unverified_header(token) == {
        "alg": algorithm,
        "kid": published.key_id,
        "typ": "JWT",
    }
    assert jwt.decode(token, published, [algorithm]) == claims_of(token, keys)
    assert claims_of(keys.anon, keys)["role"] == "anon"


@pytest.mark.parametrize("algorithm", signing.ALGORITHMS)
def test_only_the_public_half_is_published(algorithm: Algorithm) -> None:
    keys = rotated(generate(), algorithm)
    (published,) = keys.jwks["keys"]
    private = json.loads(keys.signing[0].private)
    for member in ("d", "p", "q", "dp", "dq", "qi"):
        assert member not in published
        assert private.get(member, "-") not in json.dumps(keys.jwks).replace("-", "")
    assert private["d"] not in repr(keys.signing)


def test_a_rotation_signs_with_the_new_key_and_keeps_the_old_ones() -> None:
    first = rotated(generate(), "ES256")
    second = rotated(first, "RS256")
    assert rotated(second, "RS256") == rotated(second, None) == second
    for keys in (first, second):
        assert claims_of(keys.sign({"role": "anon"}), second)["role"] == "anon"
    assert jwt.get_unverified_header(second.sign({}))["alg"] == "RS256"
    assert len(second.jwks["keys"]) == 2


def test_a_key_counts_by_its_id_and_its_algorithm() -> None:
    keys = rotated(generate(), "ES256")
    other = rotated(generate(), "RS256")
    renamed = msgspec.structs.replace(other.signing[0], kid=keys.signing[0].kid)
    assert keys.verifier(other.sign({})) is None
    assert keys.verifier(renamed.sign({})) is None
    assert generate().verifier(keys.sign({})) is None
    assert keys.verifier(jwt.encode({}, None, "none")) is None


def test_the_keys_of_the_cli_are_those_of_every_machine() -> None:
    keys = of_stack(Stack())
    assert keys.anon.rpartition(".")[2] == ANON_SIGNATURE
    assert keys.publishable == "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
    assert keys.jwt_secret == "super-secret-jwt-token-with-at-least-32-characters-long"
    assert claims_of(keys.service_role, keys) == {
        "iss": "supabase-demo",
        "role": "service_role",
        "exp": 1983812996,
    }


def test_keys_that_only_the_environment_knows_are_refused() -> None:
    with pytest.raises(UsageError, match="takes jwt_secret from the environment"):
        of_stack(Stack(variables=("jwt_secret",)))


@pytest.mark.parametrize(
    ("name", "hint"), [("es265", "did you mean es256?"), ("eddsa", "there are es256 and rs256")]
)
def test_an_unknown_algorithm_is_named(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown --signing-key") as refused:
        signing.algorithm_of(name)
    assert refused.value.hint == hint
