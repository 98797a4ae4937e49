"""Tokens and keys whose signature the project doesn't accept any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import msgspec
import pytest

from prt.local.serving.keys import Keys, generate, rotated
from tests.diagnosis.conftest import Named
from tests.diagnosis.stage import Stage, answering
from tests.diagnosis.stage import served as serving_project
from tests.diagnosis.test_network import client

Served = Callable[[Any], Any]

MEMBER = {"role": "authenticated", "sub": "11111111-1111-1111-1111-111111111111"}


@pytest.fixture
def keys() -> Keys:
    """Keys of a project that signs with ES256, and whose legacy secret is not that of the stage."""
    return rotated(generate(), "ES256")


@pytest.fixture
def environment(keys: Keys, stage: Stage, served: Served) -> dict[str, str]:
    """The variables of the stage's project behind services with these keys."""
    url = served(serving_project(replace(stage.project, keys=keys)))
    return stage.environment(SUPABASE_URL=url, SUPABASE_ANON_KEY=keys.anon)


def test_a_key_that_was_rotated_out(named: Named, environment: dict[str, str]) -> None:
    token = rotated(generate(), "ES256").sign(MEMBER)
    findings = named("revoked-key", env={**environment, "PRT_TOKEN": token})
    assert jwt.get_unverified_header(token)["kid"] in str(findings)
    assert [one["state"] for one in findings if one["layer"] == "handshake"] == ["skipped"]


def test_a_legacy_secret_that_was_switched_off(
    named: Named, environment: dict[str, str], stage: Stage
) -> None:
    named("switched-off-secret", env={**environment, "PRT_TOKEN": stage.project.keys.sign(MEMBER)})


def test_a_key_that_did_not_sign(named: Named, environment: dict[str, str], keys: Keys) -> None:
    forger = rotated(generate(), "ES256").signing[0]
    forged = msgspec.structs.replace(forger, kid=keys.signing[0].kid)
    named("forged-key", env={**environment, "PRT_TOKEN": forged.sign({**MEMBER, "exp": 2_000_000_000})})


def test_a_key_that_is_not_named(named: Named, environment: dict[str, str], keys: Keys) -> None:
    private = jwt.PyJWK.from_json(keys.signing[0].private).key
    token = jwt.encode({**MEMBER, "exp": 2_000_000_000}, private, "ES256")
    named("unnamed-key", env={**environment, "PRT_TOKEN": token})


def test_a_user_that_the_project_does_not_have(
    command: Callable[..., tuple[int, str, str]], stage: Stage
) -> None:
    """The policies hide every row of its own from such a user, and REST and Realtime do not complain."""
    token = stage.project.keys.sign(MEMBER)
    code, out, _ = command("status", "--json", env=stage.environment(PRT_TOKEN=token))
    layers = [json.loads(line) for line in out.splitlines()]
    [signing] = [one for one in layers if one.get("layer") == "sign-in"]
    assert (code, signing["state"]) == (0, "warning")
    assert "because its user does not exist in this project" in str(signing)


def test_an_old_key_is_accepted_during_a_rotation(
    command: Callable[..., tuple[int, str, str]], stage: Stage, served: Served
) -> None:
    former = rotated(stage.project.keys, "ES256")
    now = rotated(former, "RS256")
    url = served(serving_project(replace(stage.project, keys=now)))
    for token, signer in (
        (
            former.sign(MEMBER),
            f"ES256 with key {former.signing[0].kid}, one of 2: a rotation is prepared or under way",
        ),
        (
            now.sign(MEMBER),
            f"RS256 with key {now.signing[0].kid}, one of 2: a rotation is prepared or under way",
        ),
        (stage.project.keys.sign(MEMBER), "HS256 with the JWT secret"),
    ):
        with stage.table("d_rotation"):
            code, out, err = command(
                "status", "d_rotation", "--json", env=stage.environment(SUPABASE_URL=url, PRT_TOKEN=token)
            )
        assert (code, err) == (0, ""), out
        assert f"signed by {signer} · PRT_TOKEN in the environment" in out


def test_a_token_of_another_issuer_is_left_to_realtime(
    command: Callable[..., tuple[int, str, str]], environment: dict[str, str]
) -> None:
    """Auth of a project doesn't verify what a third party signs, but Realtime and REST may."""
    token = rotated(generate(), "RS256").sign({**MEMBER, "iss": "https://issuer.example"})
    _, out, _ = command("status", "--json", env={**environment, "PRT_TOKEN": token})
    assert "signed by https://issuer.example, which is not this project's Auth" in out
    assert '"layer":"join","check":null,"table":null,"state":"failed"' in out.replace(", ", ",").replace(
        ": ", ":"
    )


def test_legacy_api_keys_that_were_switched_off(named: Named, served: Served) -> None:
    refused = {"message": "Legacy API keys are disabled", "hint": "Your legacy API keys were disabled."}
    named("switched-off-keys", env=client(served(answering({"/auth/v1": (401, refused)}))))


def test_an_api_key_of_a_legacy_secret_that_was_switched_off(
    named: Named, stage: Stage, keys: Keys, served: Served
) -> None:
    """A self-hosted gateway lets the key pass, and Realtime refuses it."""
    is_open = msgspec.structs.replace(keys, is_open=True)
    url = served(serving_project(replace(stage.project, keys=is_open)))
    named("switched-off-secret-of-a-key", env=stage.environment(SUPABASE_URL=url))
