"""Creation and verification of the password hashes in `auth.users`.

Auth creates PBKDF2 hashes (RFC 8018) in the PHC string format, because the embedded project's `crypt()`
computes such a hash in SQL, in 20 ms: users' own functions compare `crypt(password, encrypted_password)`.
Seed files create PBKDF2 hashes too, with `crypt(password, gen_salt('bf'))`, or contain bcrypt hashes of a
hosted project, which the package `bcrypt` verifies. Earlier versions created scrypt hashes.

Hashing releases the GIL: call these functions in a thread, so that the event loop isn't blocked.
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
"""The number of PBKDF2 iterations, which is repeated in extensions/extension/pgcrypto--1.4.sql."""
SALT_BYTES = 16
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
MAX_MEMORY = 256 * 1024 * 1024
BCRYPT_BYTES = 72
"""bcrypt uses only the first 72 bytes of a password."""


def hash_password(password: str) -> str:
    """Return `$pbkdf2-sha256$i=4096$SALT$KEY` with a fresh salt, for the column `encrypted_password`."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    return f"$pbkdf2-sha256$i={ITERATIONS}${_encode(salt)}${_encode(key)}"


def password_matches(password: str, hashed: str | None) -> bool:
    """Return whether the password has this hash; False if the hash is None or of an unknown kind.

    An unknown hash takes as long as a comparison with a PBKDF2 hash, because a client must not be able to
    find out from the response time which addresses have an account.
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
    """Return whether `hashed` has the form of a bcrypt hash that `password_matches` can verify."""
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
