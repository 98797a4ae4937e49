"""Which tokens the server takes, and the words in which it refuses the others.

PyJWT verifies, as in `prt.local.serving.keys`.
"""

from __future__ import annotations

import base64
import json
import re
import warnings
from typing import Any, NoReturn
from urllib.parse import unquote

import jwt
from jwt.types import Options
from msgspec import Struct

from prt.local.realtime.protocol.inspection import inspected
from prt.local.serving.keys import Keys, is_common

OPAQUE_PREFIX = "sb_"

LATEST = 2**53
"""Seconds: a timer takes no number beyond a double."""

_BLANKS = re.compile(r"[ \t\n\v\f\r]")
_UNKNOWN = "Unknown Error on Channel"

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
    """Who a subscription acts as: the database role and the claims, as the JSON that policies read.

    A role that is not text is its JSON, which names no role, and `has_role_name` is false.
    """

    role: str
    claims: str
    has_role_name: bool = True


class Token(Struct, frozen=True):
    """A token that was good when it was read. `expires` is in seconds since the epoch."""

    text: str
    principal: Principal
    expires: float


class TokenRefusedError(Exception):
    """How the server refuses a token.

    Args:
        reason: The reason for which a join is refused.
        pushed: The message that answers an `access_token` push; None is a channel that crashes.
        handshake: The body's `error` if the socket is refused for it, with `status`.
    """

    def __init__(self, reason: str, *, pushed: str | None, handshake: str, status: int = 401) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pushed = pushed
        self.handshake = handshake
        self.status = status


def refused(code: str, message: str, *, pushed: str | None = None) -> TokenRefusedError:
    """Return a refusal for which the server has words; `pushed` if those of a push are others."""
    return TokenRefusedError(f"{code}: {message}", pushed=pushed or message, handshake=message)


def _unexpected(reason: str, pushed: str | None) -> TokenRefusedError:
    """Return a refusal for which the server has no words of its own."""
    return TokenRefusedError(reason, pushed=pushed, handshake="Error connecting to Realtime", status=500)


def expired_words(expires: float, now: float) -> str:
    """Return what is said of a token that has expired; both in seconds since the epoch."""
    return f"Token has expired {max(0, int(now - expires))} seconds ago"


def expired(expires: float, now: float) -> TokenRefusedError:
    """Return the refusal of a token that has expired; both in seconds since the epoch."""
    message = expired_words(expires, now)
    return TokenRefusedError(f"InvalidJWTToken: {message}", pushed=message, handshake="Token has expired")


def read(text: str, keys: Keys, now: float) -> Token:
    """The token, or TokenRefusedError; `now` in seconds since the epoch.

    Blanks in it mean nothing. A claim of another type is refused in other words than one that is missing.
    """
    claims = _verified(_BLANKS.sub("", unquote(text)), keys)
    if "exp" in claims:
        _check_expiry(claims["exp"], now)
    if "iat" in claims and not _is_number(claims["iat"]):
        raise _unexpected(_UNKNOWN, _claim("Invalid token", "iat", claims["iat"]))
    if not {"role", "exp"} <= claims.keys():
        raise refused("InvalidJWTToken", "Fields `role` and `exp` are required in JWT")
    role = claims["role"]
    has_name = role is None or isinstance(role, str)
    principal = Principal((role or "") if has_name else json.dumps(role), json.dumps(claims), has_name)
    return Token(text, principal, min(claims["exp"], LATEST))


def _check_expiry(expires: Any, now: float) -> None:
    if _is_number(expires) and expires > now:
        return
    if type(expires) is int:
        raise expired(max(expires, -LATEST), now)
    raise _unexpected(_UNKNOWN, _claim(int(now), "exp", expires))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _claim(message: str | int, name: str, value: Any) -> str:
    """Return a claim that was not accepted as the server's libraries print it."""
    return f'[message: {inspected(message)}, claim: "{name}", claim_val: {inspected(value)}]'


def _verified(text: str, keys: Keys) -> dict[str, Any]:
    malformed = refused("MalformedJWT", "The token provided is not a valid JWT")
    try:
        _check_form(text)
    except (ValueError, RecursionError):
        raise malformed from None
    try:
        verifier = keys.verifier(text)
    except jwt.PyJWTError:
        raise malformed from None
    if verifier is None:
        words = "Failed to generate JWT signer, check your JWT secret or JWKS configuration"
        raise refused("JwtSignerError", words, pushed=":error_generating_signer")
    try:
        with warnings.catch_warnings():
            # The secret is shorter than PyJWT wants for HS384 and HS512, which a client chooses, not we.
            warnings.simplefilter("ignore")
            claims: dict[str, Any] = jwt.decode(
                text, verifier.key, [verifier.algorithm], options=_SIGNATURE_ONLY
            )
    except jwt.InvalidSignatureError:
        words = "Failed to validate JWT signature"
        raise refused("JwtSignatureError", words, pushed=":signature_error") from None
    except jwt.PyJWTError:
        raise malformed from None
    if not is_common(claims):
        raise malformed
    return claims


def _check_form(text: str) -> None:
    """Raise ValueError for what is not three parts of Base64, TokenRefusedError for odd JSON in them."""
    encoded_header, encoded_claims, _ = text.split(".")
    claims, header = _decoded(encoded_claims), _decoded(encoded_header)
    if not isinstance(claims, dict):
        raise _unexpected(_UNKNOWN, ":expected_claims_map")
    if not isinstance(header, dict):
        raise _unexpected(_UNKNOWN, ":expected_header_map")


def _decoded(part: str) -> Any:
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    text = raw.decode("latin-1")
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except json.JSONDecodeError as error:
        _crash(raw[error.pos : error.pos + 1])


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _crash(invalid: bytes) -> NoReturn:
    """Refuse a token as the server's library does, which raises and so crashes the channel."""
    detail = f"{{:invalid_byte, {invalid[0]}}}" if invalid else ":unexpected_end"
    raise _unexpected(f"UnknownErrorOnChannel: Erlang error: {detail}", None)
