"""The bearer of a token, and refusals in Auth's words.

PyJWT verifies: tokens are no place for code of our own.
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
    """The bearer of a token that was verified."""

    claims: dict[str, Any]

    @property
    def user_id(self) -> str:
        """AuthError bad_jwt for a token of nobody: an API key, say."""
        subject = self.claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise AuthError(403, "bad_jwt", "invalid claim: missing sub claim")
        return subject

    @property
    def session_id(self) -> str | None:
        """Return the id of the session, None if the token does not name one."""
        session_id = self.claims.get("session_id")
        return session_id if isinstance(session_id, str) and session_id else None


def bearer_of(request: Request, keys: Keys) -> Bearer:
    """AuthError no_authorization, bad_jwt."""
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
    """AuthError not_admin for all but the service role."""
    role = bearer_of(request, keys).claims.get("role")
    if not isinstance(role, str) or role not in ADMIN_ROLES:
        raise AuthError(403, "not_admin", "User not allowed")


def _unverifiable(token: str) -> str:
    """Return why no key of the project can verify the token, in Auth's words."""
    header = jwt.get_unverified_header(token)
    kid, algorithm = header.get("kid"), header.get("alg")
    if algorithm not in ALGORITHMS:
        return f"token signature is invalid: signing method {algorithm} is invalid"
    reason = f"unrecognized JWT kid <nil> for algorithm {algorithm}" if kid is None else f"invalid kid: {kid}"
    return f"token is unverifiable: error while executing keyfunc: {reason}"


def _bad(reason: str) -> AuthError:
    return AuthError(403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, {reason}")
