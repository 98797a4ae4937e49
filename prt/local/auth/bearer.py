"""Verification of the access token that a request carries, with Auth's error messages for invalid tokens.

PyJWT verifies the tokens, because code of our own would be a risk.
"""

from __future__ import annotations

from typing import Any

import jwt
from msgspec import Struct
from starlette.requests import Request

from prt.local.auth.errors import AuthError
from prt.local.serving.gateway import token_of
from prt.local.serving.keys import Keys, is_common
from prt.local.serving.signing import ALGORITHMS

ADMIN_ROLES = {"service_role", "supabase_admin"}


class Bearer(Struct, frozen=True):
    """The sender of a request, described by the claims of an access token that was verified."""

    claims: dict[str, Any]

    @property
    def user_id(self) -> str:
        """The id of the user, from the claim `sub`.

        Raises:
            AuthError: `bad_jwt`: the token does not belong to a user, for example because it is an API key.
        """
        subject = self.claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise AuthError(403, "bad_jwt", "invalid claim: missing sub claim")
        return subject

    @property
    def session_id(self) -> str | None:
        """The id of the session, None if the token does not contain one."""
        session_id = self.claims.get("session_id")
        return session_id if isinstance(session_id, str) and session_id else None


def bearer_of(request: Request, keys: Keys) -> Bearer:
    """Verify the token in the request's `Authorization` header and return its bearer.

    Raises:
        AuthError: `no_authorization` if there is no token, `bad_jwt` if the token is invalid or has expired.
    """
    token = token_of(request, keys)
    if not token or "authorization" not in request.headers:
        raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
    options: Any = {"verify_aud": False, "verify_sub": False, "verify_iat": False}
    try:
        verifier = keys.verifier(token)
        if verifier is None:
            raise _bad(_unverifiable(token))
        claims = jwt.decode(token, verifier.key, algorithms=[verifier.algorithm], options=options)
    except jwt.ExpiredSignatureError as exc:
        reason = "token has invalid claims: token is expired"
        raise _bad(reason) from exc
    except jwt.InvalidSignatureError as exc:
        raise _bad("token signature is invalid: signature is invalid") from exc
    except jwt.InvalidTokenError as exc:
        raise _bad("token is malformed") from exc
    if not is_common(claims):
        raise _bad("token is malformed")
    return Bearer(claims)


def require_admin(request: Request, keys: Keys) -> None:
    """Raise AuthError `not_admin` unless the token's role is `service_role` or `supabase_admin`."""
    role = bearer_of(request, keys).claims.get("role")
    if not isinstance(role, str) or role not in ADMIN_ROLES:
        raise AuthError(403, "not_admin", "User not allowed")


def _unverifiable(token: str) -> str:
    """Return Auth's message for a token that no key of the project can verify."""
    header = jwt.get_unverified_header(token)
    kid, algorithm = header.get("kid"), header.get("alg")
    if algorithm not in ALGORITHMS:
        return f"token signature is invalid: signing method {algorithm} is invalid"
    reason = f"unrecognized JWT kid <nil> for algorithm {algorithm}" if kid is None else f"invalid kid: {kid}"
    return f"token is unverifiable: error while executing keyfunc: {reason}"


def _bad(reason: str) -> AuthError:
    return AuthError(403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, {reason}")
