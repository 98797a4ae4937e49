"""The secrets of an embedded project, and its tokens: HS256, as a hosted project of the legacy kind signs.

PyJWT signs and verifies: it comes with supabase-auth, and tokens are no place for code of our own.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import jwt
from msgspec import Struct

TEN_YEARS = 10 * 365 * 24 * 3600
SESSION_SECONDS = 3600


class Keys(Struct, frozen=True, kw_only=True):
    """`anon` and `service_role` are JWTs, `publishable` and `secret` the opaque keys of the newer kind."""

    jwt_secret: str
    anon: str
    service_role: str
    publishable: str
    secret: str

    def sign(self, claims: dict[str, Any], *, seconds: float = SESSION_SECONDS) -> str:
        """A JWT of this project; `iat` and `exp` are added where the claims have none."""
        now = int(time.time())
        return jwt.encode({"iat": now, "exp": now + int(seconds), **claims}, self.jwt_secret, "HS256")

    def exchange(self, key: str) -> str:
        """Return the JWT for an opaque key of this project, and every other key as it is."""
        return {self.publishable: self.anon, self.secret: self.service_role}.get(key, key)


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
    """Fresh secrets, as unguessable as a hosted project's."""
    secret = secrets.token_urlsafe(40)
    now = int(time.time())

    def key_of(role: str) -> str:
        claims = {"iss": "prt-local", "role": role, "iat": now, "exp": now + TEN_YEARS}
        return jwt.encode(claims, secret, "HS256")

    return Keys(
        jwt_secret=secret,
        anon=key_of("anon"),
        service_role=key_of("service_role"),
        publishable=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret=f"sb_secret_{secrets.token_urlsafe(24)}",
    )
