"""Values that must not be seen, what kind of API key one is, and how a text is cleared of them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

KeyKind = Literal["jwt", "publishable", "secret", "unknown"]

_known: Final[set[str]] = set()
_SHORTEST_KNOWN = 6
"""Shorter values stay out of the known ones: they would blot out ordinary words."""

_NAMES = "apikey|access_token|refresh_token|password|token"
_VALUE = r"""'[^']*'|"[^"]*"|[^\s&"',}]+"""
_PATTERNS: Final = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "<token>"),
    (re.compile(r"\bsb_(publishable|secret)_[\w-]+"), r"sb_\1_<key>"),
    (re.compile(rf"(?i)\b({_NAMES})(\s*=\s*|['\"]\s*:\s*)(?:{_VALUE})"), r"\1\2<hidden>"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+"), r"\1<hidden>"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]*@"), r"\1<hidden>@"),
)


class Secret:
    """A text that shows itself to nobody who does not ask with `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _SHORTEST_KNOWN:
            _known.add(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def redact(text: str) -> str:
    """The text without any secret that this process has held, and without what looks like one."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, "<hidden>")
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What an API key or a session says of itself; nothing of it is verified."""

    kind: KeyKind
    role: str | None = None
    ref: str | None = None
    expires_at: float | None = None

    @property
    def is_server_key(self) -> bool:
        """Whether it passes over row level security."""
        return self.kind == "secret" or self.role in ("service_role", "supabase_admin")


def facts_of(key: Secret) -> KeyFacts:
    """Kind, role, project ref and expiry (seconds since the epoch) of a key."""
    text = key.reveal()
    if text.startswith("sb_publishable_"):
        return KeyFacts("publishable", role="anon")
    if text.startswith("sb_secret_"):
        return KeyFacts("secret", role="service_role")
    claims = claims_of(text)
    if claims is None:
        return KeyFacts("unknown")
    role, ref, exp = claims.get("role"), claims.get("ref"), claims.get("exp")
    return KeyFacts(
        "jwt",
        role=role if isinstance(role, str) else None,
        ref=ref if isinstance(ref, str) else None,
        expires_at=float(exp) if isinstance(exp, int | float) and not isinstance(exp, bool) else None,
    )


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a JWT, unverified; None where it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
