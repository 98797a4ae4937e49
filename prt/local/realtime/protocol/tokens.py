"""Which tokens the server takes, and the words in which it refuses the others.

PyJWT verifies, as in `prt.local.serving.keys`.
"""

from __future__ import annotations

import json
from typing import Any

import jwt
from jwt.types import Options
from msgspec import Struct

from prt.local.serving.keys import Keys, is_common

OPAQUE_PREFIX = "sb_"

LATEST = 2**53
"""Seconds: a timer takes no number beyond a double."""

# Everything but the signature is checked here, because the words are the server's.
_SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class Principal(Struct, frozen=True):
    """Who a subscription acts as: the database role and the claims, as the JSON that policies read."""

    role: str
    claims: str


class Token(Struct, frozen=True):
    """A token that was good when it was read. `expires` is in seconds since the epoch."""

    text: str
    principal: Principal
    expires: float


class TokenRefusedError(Exception):
    """`code` and `message` make a refused join's reason, `pushed` answers an `access_token` push.

    `handshake` is the body's `error` when the socket was refused for it.
    """

    def __init__(
        self, code: str, message: str, *, pushed: str | None = None, handshake: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason = f"{code}: {message}"
        self.pushed = pushed or message
        self.handshake = handshake or message


def expired(expires: float, now: float) -> TokenRefusedError:
    """Both in seconds since the epoch."""
    message = f"Token has expired {max(0, int(now - expires))} seconds ago"
    return TokenRefusedError("InvalidJWTToken", message, handshake="Token has expired")


def read(text: str, keys: Keys, now: float) -> Token:
    """Return a token that is good now, in seconds since the epoch. Raise TokenRefusedError for any other."""
    claims = _verified(text, keys)
    role, expires = claims.get("role"), claims.get("exp")
    if not isinstance(role, str) or isinstance(expires, bool) or not isinstance(expires, int | float):
        raise TokenRefusedError("InvalidJWTToken", "Fields `role` and `exp` are required in JWT")
    if expires <= now:
        raise expired(max(expires, -LATEST), now)
    expires = min(expires, LATEST)
    return Token(text, Principal(role, json.dumps(claims)), expires)


def _verified(text: str, keys: Keys) -> dict[str, Any]:
    malformed = TokenRefusedError("MalformedJWT", "The token provided is not a valid JWT")
    try:
        verifier = keys.verifier(text)
    except jwt.PyJWTError:
        raise malformed from None
    if verifier is None:
        raise TokenRefusedError(
            "JwtSignerError", "Failed to generate JWT signer, check your JWT secret or JWKS configuration"
        )
    try:
        claims: dict[str, Any] = jwt.decode(text, verifier.key, [verifier.algorithm], options=_SIGNATURE_ONLY)
    except jwt.InvalidSignatureError:
        raise TokenRefusedError(
            "JwtSignatureError", "Failed to validate JWT signature", pushed=":signature_error"
        ) from None
    except jwt.PyJWTError:
        raise malformed from None
    if not is_common(claims):
        raise malformed
    return claims
