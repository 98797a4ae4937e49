"""Findings about signatures: which key signed a token, and whether the project still accepts that key.

A project publishes its asymmetric keys (JWKS): the key in use, and those of a rotation that is under way. The
legacy JWT secret is never published, so only Auth's own answer shows whether it is still valid.
https://supabase.com/docs/guides/auth/signing-keys
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from prt.checks.status.layers.gateway import Gateway, SessionAnswer
from prt.config.project import Project
from prt.config.secret import claims_of, header_of
from prt.errors import RefusedError
from prt.inputs import Input
from prt.results import Cause, Finding
from prt.stream.rest.session import Endpoint

SYMMETRIC: Final = "HS"
"""The prefix of the algorithms that use the JWT secret."""
OWN_ISSUER: Final = "/auth/v1"
LONGEST_ID: Final = 64
_COPY: Final = "copy the key of this project again (Project Settings, API Keys)"


async def of_token(project: Project, endpoint: Endpoint) -> Finding | None:
    """Return the finding about the signature of the user's token; None if there is no token, or no Auth."""
    if project.identity != "token" or endpoint.token is None:
        return None
    remedy = f"sign in again (`{Input.IDENTITY} EMAIL`), or put a fresh token into PRT_TOKEN"
    return await _examined(endpoint, endpoint.token, project.origins.get("token", "the token"), remedy)


async def of_refused_key(endpoint: Endpoint, origin: str) -> Finding | None:
    """Return why Realtime can't verify an API key's signature.

    The result is None if Auth can verify the signature, or can't be asked.
    """
    found = await _examined(endpoint, endpoint.key, origin, _COPY)
    return (
        structs.replace(found, layer="handshake") if found is not None and found.state == "failed" else None
    )


async def _examined(endpoint: Endpoint, token: str, origin: str, remedy: str) -> Finding | None:
    async with Gateway(endpoint.url, endpoint.key, token) as http:
        published = await http.signing_keys()
        if published is None:
            return None
        return judge(token, origin, remedy, published, await http.session())


def judge(token: str, origin: str, remedy: str, published: tuple[str, ...], answer: SessionAnswer) -> Finding:
    """Return the finding about a token's signature: the key that signed it, and why Auth refuses it.

    Args:
        token: A JWT.
        origin: Where the token comes from, for messages.
        remedy: How to get another token.
        published: The ids of the keys that the project publishes.
        answer: What Auth says of the token.
    """
    header, issuer = header_of(token) or {}, (claims_of(token) or {}).get("iss")
    algorithm, kid = str(header.get("alg"))[:LONGEST_ID], header.get("kid")
    is_symmetric = algorithm.startswith(SYMMETRIC)
    named = None if kid is None or is_symmetric else str(kid)[:LONGEST_ID]
    signer = f"{algorithm} with {'the JWT secret' if is_symmetric else f'key {named}'}"
    if not answer.refuses_signature:
        is_rotated = named in published and len(published) > 1
        others = f", one of {len(published)}: a rotation is prepared or under way" if is_rotated else ""
        figure = f"signed by {signer}{others} · {origin}"
        if answer.missing is None:
            return Finding(layer="sign-in", state="ok", figure=figure)
        why = f"Auth refuses {origin}, because {answer.missing}; Realtime and REST accept it until it expires"
        return Finding(layer="sign-in", state="warning", figure=figure, causes=(Cause(why, remedy),))
    if isinstance(issuer, str) and issuer.startswith("http") and not issuer.rstrip("/").endswith(OWN_ISSUER):
        figure = f"signed by {issuer[:LONGEST_ID]}, which is not this project's Auth · {origin}"
        return Finding(layer="sign-in", state="unknown", figure=figure)
    whys = _of_secret(origin, published) if is_symmetric else _of_key(origin, named, published)
    return Finding(
        layer="sign-in",
        state="failed",
        figure=f"signed by {signer}, which the project refuses",
        causes=tuple(Cause(why, remedy) for why in whys),
        exit_code=RefusedError.exit_code,
    )


def _of_secret(origin: str, published: tuple[str, ...]) -> tuple[str, ...]:
    foreign = f"{origin} was signed by another project"
    if not published:
        return foreign, "this project's JWT secret was rotated since"
    keys = ", ".join(kid[:LONGEST_ID] for kid in published)
    return (
        f"{origin} was signed with the legacy JWT secret, which was switched off: the project accepts "
        f"the signing keys {keys}",
        foreign,
    )


def _of_key(origin: str, kid: str | None, published: tuple[str, ...]) -> tuple[str, ...]:
    if kid is None:
        return (f"{origin} names no key (`kid`) in its header, so none can verify it",)
    if kid in published:
        return (f"{origin} names the key {kid}, but that key did not sign it",)
    keys = ", ".join(one[:LONGEST_ID] for one in published) or "none"
    return (
        f"{origin} was signed by the key {kid}, which is not among the project's keys ({keys}): it was "
        "rotated out and revoked",
        "the token is another project's",
    )
