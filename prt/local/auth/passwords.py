"""Password hashes: scrypt of the standard library, in the PHC string format, parameters in each hash.

The cost is RFC 7914's for interactive sign-in (16 MiB): a project on 127.0.0.1 must sign in at once.
A call takes tens of milliseconds and releases the GIL: run it off the event loop.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

LOG2_N, R, P = 14, 8, 1
SALT_BYTES, KEY_BYTES = 16, 32
MAX_MEMORY = 256 * 1024 * 1024


def hash_password(password: str) -> str:
    """`$scrypt$ln=14,r=8,p=1$SALT$KEY`, with a fresh salt; fits `auth.users.encrypted_password`."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _derive(password, salt, (LOG2_N, R, P), KEY_BYTES)
    return f"$scrypt$ln={LOG2_N},r={R},p={P}${_encode(salt)}${_encode(key)}"


def password_matches(password: str, hashed: str | None) -> bool:
    """Return whether it is the password of a hash.

    False also if there is no hash, or one of another kind (a bcrypt one from a migration). That takes as long
    as for a hash of ours, because whoever signs in must not learn from the time which addresses are known.
    """
    match (hashed or "").split("$"):
        case ["", "scrypt", cost, salt, key]:
            try:
                named = dict(part.split("=", 1) for part in cost.split(","))
                expected = _decode(key)
                spent = (int(named["ln"]), int(named["r"]), int(named["p"]))
                actual = _derive(password, _decode(salt), spent, len(expected))
            except (ValueError, KeyError, Base64Error):
                pass
            else:
                return hmac.compare_digest(actual, expected)
        case _:
            pass
    _derive(password, bytes(SALT_BYTES), (LOG2_N, R, P), KEY_BYTES)
    return False


def _derive(password: str, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    log2_n, r, p = cost
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << log2_n, r=r, p=p, maxmem=MAX_MEMORY, dklen=length
    )


def _encode(raw: bytes) -> str:
    return b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
