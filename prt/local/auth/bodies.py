"""The JSON bodies of requests to Auth, and the rules for emails and passwords."""

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
    """The body of a request that exchanges a refresh token for a new access token."""

    refresh_token: str = ""


class SignUp(Struct, frozen=True):
    """The body of a sign-up; `data` becomes the user's `user_metadata`."""

    email: str = ""
    phone: str = ""
    password: str = ""
    data: dict[str, Any] | None = None


class UserUpdate(Struct, frozen=True):
    """The body by which users change their own account; None leaves a value unchanged."""

    email: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class AdminUser(Struct, frozen=True):
    """The body by which an administrator creates or changes a user; None leaves a value unchanged."""

    id: str | None = None
    email: str | None = None
    password: str | None = None
    password_hash: str | None = None
    role: str | None = None
    email_confirm: bool | None = None
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


def decoded(raw: bytes, kind: type[Body]) -> Body:
    """Decode a JSON body into `kind`; an empty body counts as `{}`.

    Raises:
        AuthError: `bad_json`: the body is not JSON, or a member has the wrong type.
    """
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as exc:
        raise AuthError(400, "bad_json", f"Could not parse request body as JSON: {exc}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise AuthError(400, "bad_json", "Could not parse request body as JSON") from exc


def checked_email(email: str) -> str:
    """Return the address in lower case, as it is stored. Raise AuthError if it is not an email address."""
    # The length is checked first: the regular expression's time grows with the square of the length.
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email) or "\0" in email:
        raise AuthError(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


def checked_password(password: str) -> str:
    """Return the password. Raise AuthError if it has less than 6 characters or more than 72 bytes (UTF-8)."""
    if len(password.encode()) > LONGEST_PASSWORD:
        message = f"Password cannot be longer than {LONGEST_PASSWORD} characters"
        raise AuthError(422, "validation_failed", message)
    if len(password) < SHORTEST_PASSWORD:
        message = f"Password should be at least {SHORTEST_PASSWORD} characters."
        raise AuthError(
            422, "weak_password", message, weak_password={"message": message, "reasons": ["length"]}
        )
    return password
