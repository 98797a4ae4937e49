"""The keys of an embedded project, and the tokens that they sign: with HS256, or with an asymmetric key.

PyJWT signs and verifies the tokens: it is installed with supabase-auth, and code of our own would be a risk.
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
"""The algorithms of accepted tokens that the secret has signed. The project itself signs with HS256."""


class Verifier(NamedTuple):
    """The key and the algorithm that verify the signature of one token, in the form that PyJWT expects."""

    key: Any
    algorithm: str


class Keys(Struct, frozen=True, kw_only=True):
    """The keys of a project: its API keys, and the keys that sign and verify tokens.

    Attributes:
        jwt_secret: The secret that signs tokens with HS256 if there are no asymmetric keys. Tokens that it
            has signed are always accepted.
        anon: The API key of the role `anon`, a JWT.
        service_role: The API key of the role `service_role`, a JWT.
        publishable: The opaque API key of the newer kind that stands for `anon`.
        secret: The opaque API key of the newer kind that stands for `service_role`.
        signing: The asymmetric keys, the newest first. Only the newest signs, but the tokens of all keys are
            accepted, so that a project can rotate its keys.
        is_open: Whether requests without an API key are accepted, as the gateway of `supabase start` does.
    """

    jwt_secret: str
    anon: str
    service_role: str
    publishable: str
    secret: str
    signing: tuple[SigningKey, ...] = ()
    is_open: bool = False

    def sign(self, claims: dict[str, Any], *, seconds: float = SESSION_SECONDS) -> str:
        """Return a JWT of this project with these claims.

        `iat` (now) and `exp` (in `seconds` seconds) are added unless the claims contain them.
        """
        now = int(time.time())
        whole = {"iat": now, "exp": now + int(seconds), **claims}
        return self.signing[0].sign(whole) if self.signing else jwt.encode(whole, self.jwt_secret, SYMMETRIC)

    def verifier(self, token: str) -> Verifier | None:
        """Return the key that verifies a token's signature, None if no key of this project can.

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
        """Return the JWT that an opaque key of this project stands for; return any other key unchanged."""
        return {self.publishable: self.anon, self.secret: self.service_role}.get(key, key)

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set, as Auth publishes them."""
        return {"keys": [key.public_jwk for key in self.signing]}


def is_common(claims: object) -> bool:
    """Return whether the claims are valid JSON for other programs than Python.

    Python also reads numbers that are not finite, and half of a surrogate pair, which UTF-8 can't encode.
    """
    try:
        json.dumps(claims, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def generate() -> Keys:
    """Return new random keys, as unguessable as a hosted project's."""
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
    """Return the keys of a local project of Supabase's CLI, which are the same everywhere and public.

    Raises:
        UsageError: The project's `config.toml` takes a key from the environment.
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
    """Return the keys with a new asymmetric key in front, which signs from now on.

    The keys are returned unchanged if `algorithm` is None or is already that of the newest key.
    """
    if algorithm is None or (keys.signing and keys.signing[0].algorithm == algorithm):
        return keys
    return msgspec.structs.replace(keys, signing=(generate_key(algorithm), *keys.signing))
