"""Password hashes of `auth.users`: what Auth writes, and what it verifies.

Auth writes PBKDF2 (RFC 8018) in the PHC string format, because the embedded project's `crypt()` computes it
in SQL, in 20 ms: users' own functions compare `crypt(password, encrypted_password)`. Seed files write that
form too, with `crypt(password, gen_salt('bf'))`, or bring bcrypt hashes of a hosted project. scrypt is what
earlier versions wrote. A call releases the GIL: run it off the event loop.

bcrypt is the package that verifies bcrypt.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable

import bcrypt

ITERATIONS = 4096
"""Also in extensions/extension/pgcrypto--1.4.sql."""
SALT_BYTES = 16
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
MAX_MEMORY = 256 * 1024 * 1024
BCRYPT_BYTES = 72
"""bcrypt looks at no more of a password."""


def hash_password(password: str) -> str:
    """Return `$pbkdf2-sha256$i=4096$SALT$KEY`, with a fresh salt; it fits `auth.users.encrypted_password`."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    return f"$pbkdf2-sha256$i={ITERATIONS}${_encode(salt)}${_encode(key)}"


def password_matches(password: str, hashed: str | None) -> bool:
    """Return whether the password has that hash; False if there is none, or one of an unknown kind.

    False takes as long as a comparison with a hash of ours, because whoever signs in must not learn from the
    time which addresses are known.
    """
    hashed = hashed or ""
    verify = _VERIFIERS.get(hashed.split("$")[1] if hashed.startswith("$") else "")
    if verify is not None:
        try:
            return verify(password.encode(), hashed)
        except (ValueError, KeyError, TypeError, OverflowError):
            pass
    hash_password(password)
    return False


def is_bcrypt(hashed: str) -> bool:
    """Return whether it has the form of a bcrypt hash that `password_matches` verifies."""
    return _BCRYPT.fullmatch(hashed) is not None


def _matches_bcrypt(password: bytes, hashed: str) -> bool:
    return bcrypt.checkpw(password[:BCRYPT_BYTES], hashed.encode())


def _matches_pbkdf2(password: bytes, hashed: str) -> bool:
    _, _, cost, salt, key = hashed.split("$")
    expected = _decode(key)
    actual = hashlib.pbkdf2_hmac(
        "sha256", password, _decode(salt), int(cost.removeprefix("i=")), len(expected)
    )
    return hmac.compare_digest(actual, expected)


def _matches_scrypt(password: bytes, hashed: str) -> bool:
    _, _, cost, salt, key = hashed.split("$")
    named = dict(part.split("=", 1) for part in cost.split(","))
    expected = _decode(key)
    actual = hashlib.scrypt(
        password,
        salt=_decode(salt),
        n=1 << int(named["ln"]),
        r=int(named["r"]),
        p=int(named["p"]),
        maxmem=MAX_MEMORY,
        dklen=len(expected),
    )
    return hmac.compare_digest(actual, expected)


_VERIFIERS: dict[str, Callable[[bytes, str], bool]] = {
    **dict.fromkeys(("2a", "2b", "2y"), _matches_bcrypt),
    "pbkdf2-sha256": _matches_pbkdf2,
    "scrypt": _matches_scrypt,
}


def _encode(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
