"""Verification of a request's token: the role and the claims, checked as PostgREST checks them.

PyJWT verifies the tokens, because code of our own would be a risk.
"""

from __future__ import annotations

from typing import Any

import jwt
from msgspec import Struct

from prt.local.rest.errors import RestError
from prt.local.serving.keys import Keys, is_common
from prt.local.serving.signing import ALGORITHMS

CLOCK_SKEW_SECONDS = 30
ANONYMOUS = "anon"


class Caller(Struct, frozen=True):
    """The sender of a request: the role with which its SQL runs, and the claims of its token."""

    role: str
    claims: dict[str, Any]

    @property
    def is_anonymous(self) -> bool:
        """Whether the role is `anon`, the one of requests without a user's token."""
        return self.role == ANONYMOUS


NOBODY = Caller(ANONYMOUS, {"role": ANONYMOUS})
"""The caller of a request without a token, which only an open gateway accepts."""


def caller_of(token: str, keys: Keys) -> Caller:
    """Verify a token and return its caller.

    Raises:
        RestError: `PGRST301` if the token is invalid, `PGRST303` if it has expired or is not valid yet.
    """
    if not token:
        raise _refused("PGRST301", "Empty JWT is sent in Authorization header")
    if (parts := token.count(".") + 1) != 3:
        raise _refused("PGRST301", f"Expected 3 parts in JWT; got {parts}")
    try:
        verifier = keys.verifier(token)
        if verifier is None:
            raise _no_key(token)
        claims = jwt.decode(
            token,
            verifier.key,
            algorithms=[verifier.algorithm],
            leeway=CLOCK_SKEW_SECONDS,
            options={"verify_aud": False, "verify_sub": False, "verify_jti": False, "verify_iss": False},
        )
    except jwt.ExpiredSignatureError as exc:
        raise _refused("PGRST303", "JWT expired") from exc
    except jwt.ImmatureSignatureError as exc:
        is_issued = "iat" in str(exc)
        raise _refused("PGRST303", "JWT issued at future" if is_issued else "JWT not yet valid") from exc
    except jwt.InvalidTokenError as exc:
        raise _unsuitable() from exc
    if not is_common(claims):
        raise _refused("PGRST301", "No suitable key or wrong key type", "The claims are not valid JSON")
    role = claims.get("role")
    return Caller(role if isinstance(role, str) and role else ANONYMOUS, claims)


def _no_key(token: str) -> RestError:
    is_known = jwt.get_unverified_header(token).get("alg") in ALGORITHMS
    return _unsuitable() if is_known else _refused("PGRST301", "Wrong or unsupported encoding algorithm")


def _unsuitable() -> RestError:
    details = "None of the keys was able to decode the JWT"
    return _refused("PGRST301", "No suitable key or wrong key type", details)


def _refused(code: str, message: str, details: str | None = None) -> RestError:
    return RestError(401, code, message, details)
