"""The administration of users, `/auth/v1/admin/users`, which only the service role may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prt.local.auth import users
from prt.local.auth.bearer import require_admin
from prt.local.auth.bodies import AdminUser, checked_email, checked_password, decoded
from prt.local.auth.errors import AuthError
from prt.local.auth.passwords import hash_password, is_bcrypt
from prt.local.serving.keys import Keys

PAGE_SIZE = 50
LARGEST_PAGE = 1000


class Administration:
    """The handlers of `/auth/v1/admin/users`. Each raises AuthError if the bearer is not the service role."""

    def __init__(self, transaction: Callable[[], Any], keys: Keys) -> None:
        self._transaction = transaction
        self._keys = keys

    async def page(self, request: Request) -> Response:
        """Answer with one page of the users, the newest first.

        The parameter `page` counts from 1, `per_page` is the number of users per page (50 unless given, at
        most 1000).
        """
        require_admin(request, self._keys)
        number = _positive(request.query_params.get("page"), 1)
        size = min(_positive(request.query_params.get("per_page"), PAGE_SIZE), LARGEST_PAGE)
        async with self._transaction() as connection:
            found, total = await users.page(connection, number, size)
        last = max(-(-total // size), 1)
        path = request.url.path
        links = [f'<{path}?page={last}&per_page={size}>; rel="last"']
        if number < last:
            links.insert(0, f'<{path}?page={number + 1}&per_page={size}>; rel="next"')
        headers = {"X-Total-Count": str(total), "Link": ", ".join(links)}
        return JSONResponse({"users": found, "aud": "authenticated"}, headers=headers)

    async def create(self, request: Request) -> Response:
        """Create a user and answer with it.

        Raises:
            AuthError: A value is invalid, or the email or the id is already in use.
        """
        require_admin(request, self._keys)
        body = decoded(await request.body(), AdminUser)
        if not body.email:
            message = "Cannot create a user without either an email or phone"
            raise AuthError(400, "validation_failed", message)
        email = checked_email(body.email)
        user_id = None if body.id is None else _uuid(body.id, 400)
        hashed = _bcrypt_hash(body) if body.password_hash else await _hashed(body.password)
        try:
            async with self._transaction() as connection:
                user = await users.create(
                    connection,
                    email=email,
                    password_hash=hashed,
                    is_confirmed=bool(body.email_confirm),
                    user_id=user_id,
                    role=body.role,
                    user_metadata=body.user_metadata,
                    app_metadata=body.app_metadata,
                )
        except psycopg.errors.UniqueViolation as exc:
            raise _email_exists() from exc
        return JSONResponse(user)

    async def find(self, request: Request) -> Response:
        """Answer with the user whose id is in the path. Raise AuthError if there is no such user."""
        require_admin(request, self._keys)
        async with self._transaction() as connection:
            return JSONResponse(await users.require(connection, _asked(request)))

    async def change(self, request: Request) -> Response:
        """Change the user whose id is in the path, and answer with the changed user."""
        require_admin(request, self._keys)
        body = decoded(await request.body(), AdminUser)
        user_id = _asked(request)
        hashed = await _hashed(body.password)
        try:
            async with self._transaction() as connection:
                await users.require(connection, user_id)
                user = await users.change(
                    connection,
                    str(user_id),
                    email=checked_email(body.email) if body.email else None,
                    password_hash=hashed,
                    is_confirmed=body.email_confirm,
                    role=body.role,
                    user_metadata=body.user_metadata,
                    app_metadata=body.app_metadata,
                )
        except psycopg.errors.UniqueViolation as exc:
            raise _email_exists() from exc
        return JSONResponse(user)

    async def delete(self, request: Request) -> Response:
        """Delete the user whose id is in the path. Raise AuthError if there is no such user."""
        require_admin(request, self._keys)
        async with self._transaction() as connection:
            await users.delete(connection, str(_asked(request)))
        return JSONResponse({})


def _asked(request: Request) -> UUID:
    return _uuid(request.path_params["id"], 404)


def _uuid(text: str, status: int) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise AuthError(status, "validation_failed", "user_id must be an UUID") from exc


async def _hashed(password: str | None) -> str | None:
    return await asyncio.to_thread(hash_password, checked_password(password)) if password else None


def _bcrypt_hash(body: AdminUser) -> str:
    """Return the password hash of the request, with which an application imports users of another system.

    Raises:
        AuthError: The request contains a password as well, or the hash is not a bcrypt hash.
    """
    if body.password:
        message = "Only a password or a password hash should be provided"
        raise AuthError(400, "validation_failed", message)
    if not is_bcrypt(body.password_hash or ""):
        raise AuthError(
            400, "validation_failed", "Only bcrypt hashes can be verified by the embedded project"
        )
    return body.password_hash or ""


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < int(text) < 2**31 else default


def _email_exists() -> AuthError:
    return AuthError(422, "email_exists", "A user with this email address has already been registered")
