"""Values that must not be printed, and the kinds of API keys."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Literal

KeyKind = Literal["jwt", "publishable", "secret", "unknown"]


class Secret:
    """A text that is only accessible with `reveal()`.

    Whoever reads a secret also registers it (`prt.redaction`), because a library may print it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text."""
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


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The claims of an API key or a session, which are not verified.

    `expires_at` is in seconds since the epoch.
    """

    kind: KeyKind
    role: str | None = None
    ref: str | None = None
    expires_at: float | None = None

    @property
    def is_server_key(self) -> bool:
        """Whether the key bypasses row level security."""
        return self.kind == "secret" or self.role in ("service_role", "supabase_admin")


def facts_of(key: Secret) -> KeyFacts:
    """Return kind, role, project ref and expiry (seconds since the epoch) of a key."""
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
    """Return the unverified claims of a JWT; None if the text is not a JWT."""
    return _part(token, 1)


def header_of(token: str) -> dict[str, Any] | None:
    """Return the header of a JWT, which names its algorithm and key; None if the text is not a JWT."""
    return _part(token, 0)


def _part(token: str, index: int) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    text = parts[index]
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
