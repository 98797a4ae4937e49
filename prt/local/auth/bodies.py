"""Bodies that clients send, and what Auth requires of them."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from prt.local.auth.errors import AuthError

SHORTEST_PASSWORD = 6
LONGEST_PASSWORD = 72
LONGEST_EMAIL = 255
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Body = TypeVar("Body", bound=Struct)


class Credentials(Struct, frozen=True):
    """The body of a sign-in with a password."""

    email: str = ""
    phone: str = ""
    password: str = ""


class Refresh(Struct, frozen=True):
    """The body of a refresh."""

    refresh_token: str = ""


class SignUp(Struct, frozen=True):
    """The body of a sign-up."""

    email: str = ""
    phone: str = ""
    password: str = ""
    data: dict[str, Any] | None = None


class UserUpdate(Struct, frozen=True):
    """The body by which a user changes themselves."""

    email: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class AdminUser(Struct, frozen=True):
    """The body of a user's creation and change by an administrator; None leaves a value as it is."""

    id: str | None = None
    email: str | None = None
    password: str | None = None
    password_hash: str | None = None
    role: str | None = None
    email_confirm: bool | None = None
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


def decoded(raw: bytes, kind: type[Body]) -> Body:
    """Return the decoded body. Raise AuthError bad_json if it is not JSON, or a member has a wrong type."""
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as exc:
        raise AuthError(400, "bad_json", f"Could not parse request body as JSON: {exc}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise AuthError(400, "bad_json", "Could not parse request body as JSON") from exc


def checked_email(email: str) -> str:
    """Return the address in lower case, as it is stored. Raise AuthError if it is not an address."""
    # The length comes first: what the expression costs grows with its square.
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email) or "\0" in email:
        raise AuthError(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


def checked_password(password: str) -> str:
    """Return the password. Raise AuthError if it is too short or too long."""
    if len(password.encode()) > LONGEST_PASSWORD:
        message = f"Password cannot be longer than {LONGEST_PASSWORD} characters"
        raise AuthError(422, "validation_failed", message)
    if len(password) < SHORTEST_PASSWORD:
        message = f"Password should be at least {SHORTEST_PASSWORD} characters."
        raise AuthError(
            422, "weak_password", message, weak_password={"message": message, "reasons": ["length"]}
        )
    return password
