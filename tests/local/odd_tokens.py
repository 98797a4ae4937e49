"""Tokens whose claims are no JSON that other programs read, well signed all the same."""

from __future__ import annotations

import base64
import hashlib
import hmac

from prt.local.serving.keys import Keys


def signed(keys: Keys, name: str, value: str) -> str:
    """Return a token of a member, one claim of which is the JSON of `value`."""
    others = {"role": '"authenticated"', "exp": "2100000000", "sub": '"11111111-1111-1111-1111-111111111111"'}
    claims = ",".join(f'"{key}":{text}' for key, text in {**others, name: value}.items())
    head = ".".join(_encoded(part.encode()) for part in ('{"alg":"HS256","typ":"JWT"}', f"{{{claims}}}"))
    return f"{head}.{_encoded(hmac.digest(keys.jwt_secret.encode(), head.encode(), hashlib.sha256))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
