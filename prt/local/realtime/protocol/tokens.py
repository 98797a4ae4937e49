"""Verification of the tokens that Realtime accepts, with the server's messages for invalid ones.

PyJWT verifies the signature, as in `prt.local.serving.keys`.
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
"""The latest expiry in seconds since the epoch: the event loop's timers use doubles."""

_BLANKS = re.compile(r"[ \t\n\v\f\r]")
_UNKNOWN = "Unknown Error on Channel"

# PyJWT verifies only the signature. The claims are checked here, with the server's messages.
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
    """The database role and the claims with which a subscription's queries run.

    Attributes:
        role: The name of the role. A `role` claim that isn't text is its JSON, which is not the name of a
            role.
        claims: The claims as JSON text, which policies read.
        has_role_name: Whether the `role` claim is text or null.
    """

    role: str
    claims: str
    has_role_name: bool = True


class Token(Struct, frozen=True):
    """A token that was valid when it was read; `expires` is in seconds since the epoch."""

    text: str
    principal: Principal
    expires: float


class TokenRefusedError(Exception):
    """A token that the server refuses.

    Attributes:
        reason: The reason in the answer to a join.
        pushed: The message that answers an `access_token` event; None if the channel crashes instead.
        handshake: The body's `error` if the token is refused in a handshake.
        status: The HTTP status of that handshake.
    """

    def __init__(self, reason: str, *, pushed: str | None, handshake: str, status: int = 401) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pushed = pushed
        self.handshake = handshake
        self.status = status


def refused(code: str, message: str, *, pushed: str | None = None) -> TokenRefusedError:
    """Return the error for a token that the server refuses with a code and a message.

    `pushed` is the message in the answer to an `access_token` event, by default `message`.
    """
    return TokenRefusedError(f"{code}: {message}", pushed=pushed or message, handshake=message)


def _unexpected(reason: str, pushed: str | None) -> TokenRefusedError:
    """Return the error for a token that the server refuses without a message of its own."""
    return TokenRefusedError(reason, pushed=pushed, handshake="Error connecting to Realtime", status=500)


def expired_words(expires: float, now: float) -> str:
    """Return the message for a token that has expired; both times are in seconds since the epoch."""
    return f"Token has expired {max(0, int(now - expires))} seconds ago"


def expired(expires: float, now: float) -> TokenRefusedError:
    """Return the error for a token that has expired; both times are in seconds since the epoch."""
    message = expired_words(expires, now)
    return TokenRefusedError(f"InvalidJWTToken: {message}", pushed=message, handshake="Token has expired")


def read(text: str, keys: Keys, now: float) -> Token:
    """Verify a token, in which whitespace is ignored. `now` is in seconds since the epoch.

    A claim of the wrong type has another error message than a missing claim.

    Raises:
        TokenRefusedError: The token is invalid or has expired.
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
    """Return the description of a refused claim, as the server's libraries print it."""
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
            # PyJWT warns that the secret is short for HS384 and HS512. The client chose the algorithm.
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
    """Check that a token consists of three parts of Base64, the first two of which are JSON objects.

    Raises:
        ValueError: The parts are not Base64, or not JSON.
        TokenRefusedError: A part is JSON but not an object, or can't be parsed by the server's library.
    """
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
    """Raise the error for a token that makes the server's JSON library raise, so that the channel crashes."""
    detail = f"{{:invalid_byte, {invalid[0]}}}" if invalid else ":unexpected_end"
    raise _unexpected(f"UnknownErrorOnChannel: Erlang error: {detail}", None)
