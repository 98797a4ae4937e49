"""The secrets of an embedded project, and its tokens: signed with HS256, or with a signing key.

PyJWT signs and verifies: it comes with supabase-auth, and tokens are no place for code of our own.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any, NamedTuple

import jwt
import msgspec
from msgspec import Struct

from prt.config.local_stack import Stack
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.serving.signing import Algorithm, SigningKey, generate_key

TEN_YEARS = 10 * 365 * 24 * 3600
SESSION_SECONDS = 3600
SYMMETRIC = "HS256"
SYMMETRIC_FAMILY = (SYMMETRIC, "HS384", "HS512")
"""What the secret may have signed; the project itself signs with the first."""


class Verifier(NamedTuple):
    """The key and the algorithm that prove the signature of one token, as PyJWT takes them."""

    key: Any
    algorithm: str


class Keys(Struct, frozen=True, kw_only=True):
    """`anon` and `service_role` are JWTs, `publishable` and `secret` the opaque keys of the newer kind.

    `signing` are the asymmetric keys, the newest first. The newest signs, and the tokens of all are accepted,
    as are those that `jwt_secret` signed: so a project rotates its keys. Without one, `jwt_secret` signs.
    """

    jwt_secret: str
    anon: str
    service_role: str
    publishable: str
    secret: str
    signing: tuple[SigningKey, ...] = ()
    is_open: bool = False
    """Whether requests without an API key are let through, as the gateway of `supabase start` does."""

    def sign(self, claims: dict[str, Any], *, seconds: float = SESSION_SECONDS) -> str:
        """Return a JWT of this project; `iat` and `exp` are added unless the claims have them."""
        now = int(time.time())
        whole = {"iat": now, "exp": now + int(seconds), **claims}
        return self.signing[0].sign(whole) if self.signing else jwt.encode(whole, self.jwt_secret, SYMMETRIC)

    def verifier(self, token: str) -> Verifier | None:
        """Return what proves a token's signature, or None if no key of this project can.

        Raises:
            jwt.InvalidTokenError: The token's header can't be read.
        """
        header = jwt.get_unverified_header(token)
        if header.get("alg") in SYMMETRIC_FAMILY:
            return Verifier(self.jwt_secret, header["alg"])
        for key in self.signing:
            if (key.kid, key.algorithm) == (header.get("kid"), header.get("alg")):
                return Verifier(key.verifier, key.algorithm)
        return None

    def exchange(self, key: str) -> str:
        """Return the JWT for an opaque key of this project, and every other key as it is."""
        return {self.publishable: self.anon, self.secret: self.service_role}.get(key, key)

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys, as Auth publishes them."""
        return {"keys": [key.public_jwk for key in self.signing]}


def is_common(claims: object) -> bool:
    """Return whether claims are JSON for other programs too.

    Python reads numbers that are not finite, and half of a surrogate pair as text, which UTF-8 can't hold.
    """
    try:
        json.dumps(claims, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def generate() -> Keys:
    """Return fresh secrets, as unguessable as a hosted project's."""
    secret = secrets.token_urlsafe(40)
    now = int(time.time())

    def key_of(role: str) -> str:
        claims = {"iss": "prt-local", "role": role, "iat": now, "exp": now + TEN_YEARS}
        return jwt.encode(claims, secret, SYMMETRIC)

    return Keys(
        jwt_secret=secret,
        anon=key_of("anon"),
        service_role=key_of("service_role"),
        publishable=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret=f"sb_secret_{secrets.token_urlsafe(24)}",
    )


def of_stack(stack: Stack) -> Keys:
    """Return the keys that Supabase's CLI gives its local project, which everybody knows.

    Raises:
        UsageError: The project's file takes them from the environment.
    """
    if stack.anon is None or stack.service_role is None or stack.signing_secret is None:
        raise UsageError(
            f"supabase/config.toml takes {', '.join(stack.variables)} from the environment",
            f"write the value into the file, or leave out {Input.LIKE_CLI}",
        )
    return Keys(
        jwt_secret=stack.signing_secret,
        anon=stack.anon,
        service_role=stack.service_role,
        publishable=stack.publishable_key,
        secret=stack.secret_key,
        is_open=True,
    )


def rotated(keys: Keys, algorithm: Algorithm | None) -> Keys:
    """Return the keys with one of this algorithm in front, a new one unless it stands there already.

    None leaves them as they are.
    """
    if algorithm is None or (keys.signing and keys.signing[0].algorithm == algorithm):
        return keys
    return msgspec.structs.replace(keys, signing=(generate_key(algorithm), *keys.signing))
