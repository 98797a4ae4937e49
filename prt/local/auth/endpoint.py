"""The routes of `/auth/v1`: sign-in, sign-up, sign-out, the signed-in user, settings, and public keys.

The routes are starlette's, on which the embedded project's server is built (prt/local/serving/server.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from prt.local.auth import absent, sessions, users
from prt.local.auth.administration import Administration
from prt.local.auth.bearer import Bearer, bearer_of
from prt.local.auth.bodies import (
    Credentials,
    Refresh,
    SignUp,
    UserUpdate,
    checked_email,
    checked_password,
    decoded,
)
from prt.local.auth.errors import AuthError, refused
from prt.local.auth.passwords import hash_password, password_matches
from prt.local.postgres.pool import Database, NoConnectionError
from prt.local.serving.gateway import refusal
from prt.local.serving.keys import Keys

ROOT = "/auth/v1"
ROLE = "supabase_auth_admin"
"""The owner of Auth's tables: triggers on `auth.users` run as this role, as in a hosted project."""

REFUSAL_SECONDS = 0.15
"""A sign-in is refused no earlier. To compare a bcrypt hash of cost 10, as in seed files, takes 0.06 s."""

Answer = Callable[[Request], Awaitable[Response]]

SETTINGS = {
    "disable_signup": False,
    "mailer_autoconfirm": True,
    "phone_autoconfirm": False,
    "sms_provider": "",
    "saml_enabled": False,
}
_CACHED = {"Cache-Control": "public, max-age=600"}
"""The headers of the JWKS, which clients cache for ten minutes."""
HEALTH = {
    "version": "prt-local",
    "name": "GoTrue",
    "description": "The part of Supabase Auth that sign-in needs",
}


def routes(database: Database, keys: Keys, url: str, *, allows_anonymous: bool = False) -> list[BaseRoute]:
    """Return Auth's routes.

    Args:
        database: A database whose login is `supabase_auth_admin`, or may become it.
        keys: The keys of the project.
        url: The URL of the project, used for the tokens' `iss`, because a client can put anything into its
            `Host` header.
        allows_anonymous: Whether users may sign in without any credentials.
    """

    @asynccontextmanager
    async def transaction() -> AsyncIterator[AsyncConnection[Any]]:
        async with database.acting_as(ROLE, {}) as connection:
            yield connection

    issuer = sessions.Issuer(keys, f"{url}{ROOT}")
    auth = _Auth(transaction, issuer, allows_anonymous=allows_anonymous)
    external = {"email": True, "phone": False, "anonymous_users": allows_anonymous}
    administration = Administration(transaction, keys)
    guarded: list[tuple[str, str, Answer]] = [
        ("POST", "/token", auth.token),
        ("POST", "/signup", auth.sign_up),
        ("POST", "/logout", auth.log_out),
        ("GET", "/user", auth.user),
        ("PUT", "/user", auth.change_user),
        ("GET", "/settings", _constant({"external": external, **SETTINGS})),
        ("GET", "/health", _constant(HEALTH)),
        ("GET", "/admin/users", administration.page),
        ("POST", "/admin/users", administration.create),
        ("GET", "/admin/users/{id}", administration.find),
        ("PUT", "/admin/users/{id}", administration.change),
        ("DELETE", "/admin/users/{id}", administration.delete),
    ]
    return [
        # Needs no API key, as in a hosted project. The list is empty if the project signs with HS256.
        Route(f"{ROOT}/.well-known/jwks.json", _constant(keys.jwks, _CACHED), methods=["GET"]),
        *(Route(f"{ROOT}{path}", _guarded(answer, keys), methods=[verb]) for verb, path, answer in guarded),
        *absent.routes(ROOT),
    ]


class _Auth:
    def __init__(
        self, transaction: Callable[[], Any], issuer: sessions.Issuer, *, allows_anonymous: bool
    ) -> None:
        self._transaction = transaction
        self._issuer = issuer
        self._keys = issuer.keys
        self._allows_anonymous = allows_anonymous

    async def token(self, request: Request) -> Response:
        match request.query_params.get("grant_type"):
            case "password":
                return await self._sign_in(request)
            case "refresh_token":
                return await self._refresh(request)
            case "id_token" | "pkce" | "web3":
                raise absent.refusal(absent.PROVIDERS)
            case _:
                raise AuthError(400, "invalid_credentials", "unsupported_grant_type")

    async def _sign_in(self, request: Request) -> Response:
        started = time.monotonic()
        body = decoded(await request.body(), Credentials)
        if not body.email:
            raise AuthError(400, "validation_failed", "missing email or phone")
        async with self._transaction() as connection:
            found = await users.credentials(connection, checked_email(body.email))
        # The password is compared even if the address is unknown, and each refusal comes after the same time,
        # so that the time does not show which addresses are known.
        user_id, hashed, is_confirmed, is_banned = found or ("", None, False, False)
        is_right: bool = await asyncio.to_thread(password_matches, body.password, hashed)
        if not is_right:
            await asyncio.sleep(max(0.0, started + REFUSAL_SECONDS - time.monotonic()))
            raise AuthError(400, "invalid_credentials", "Invalid login credentials")
        if is_banned:
            raise AuthError(400, "user_banned", "User is banned")
        if not is_confirmed:
            raise AuthError(400, "email_not_confirmed", "Email not confirmed")
        async with self._transaction() as connection:
            session = await sessions.start(connection, self._issuer, user_id)
        return JSONResponse(session)

    async def _refresh(self, request: Request) -> Response:
        body = decoded(await request.body(), Refresh)
        if not body.refresh_token or "\0" in body.refresh_token:
            raise AuthError(400, "validation_failed", "Refresh token is not valid")
        async with self._transaction() as connection:
            session = await sessions.refresh(connection, self._issuer, body.refresh_token)
        # The request is refused only after the transaction, because the revocation has to be committed.
        if session is None:
            raise sessions.already_used()
        return JSONResponse(session)

    async def sign_up(self, request: Request) -> Response:
        body = decoded(await request.body(), SignUp)
        if not body.email and not body.phone:
            return await self._sign_in_anonymously(body)
        if not body.email:
            raise AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
        if not body.password:
            raise AuthError(400, "validation_failed", "Signup requires a valid password")
        email = checked_email(body.email)
        hashed = await asyncio.to_thread(hash_password, checked_password(body.password))
        try:
            async with self._transaction() as connection:
                user = await users.create(
                    connection, email=email, password_hash=hashed, user_metadata=body.data
                )
                session = await sessions.start(connection, self._issuer, user["id"])
        except psycopg.errors.UniqueViolation as exc:
            raise AuthError(422, "user_already_exists", "User already registered") from exc
        return JSONResponse(session)

    async def _sign_in_anonymously(self, body: SignUp) -> Response:
        if not self._allows_anonymous:
            raise AuthError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
        async with self._transaction() as connection:
            user = await users.create_anonymous(connection, body.data)
            session = await sessions.start(connection, self._issuer, user["id"])
        return JSONResponse(session)

    async def user(self, request: Request) -> Response:
        bearer = bearer_of(request, self._keys)
        async with self._transaction() as connection:
            return JSONResponse(await _signed_in(connection, bearer))

    async def change_user(self, request: Request) -> Response:
        bearer = bearer_of(request, self._keys)
        body = decoded(await request.body(), UserUpdate)
        email = checked_email(body.email) if body.email else None
        hashed: str | None = None
        if body.password:
            hashed = await asyncio.to_thread(hash_password, checked_password(body.password))
        try:
            async with self._transaction() as connection:
                user = await _signed_in(connection, bearer)
                if user["is_anonymous"] and email is not None:
                    await users.make_permanent(connection, user["id"], email)
                elif user["is_anonymous"] and body.password:
                    message = "Updating password of an anonymous user without an email is not allowed"
                    raise AuthError(422, "validation_failed", message)
                if body.password:
                    known = await users.credentials(connection, user["email"])
                    hashed_now = None if known is None else known[1]
                    is_same: bool = await asyncio.to_thread(password_matches, body.password, hashed_now)
                    if is_same:
                        message = "New password should be different from the old password."
                        raise AuthError(422, "same_password", message)
                changed = await users.change(
                    connection, user["id"], email=email, password_hash=hashed, user_metadata=body.data
                )
        except psycopg.errors.UniqueViolation as exc:
            message = "A user with this email address has already been registered"
            raise AuthError(422, "email_exists", message) from exc
        return JSONResponse(changed)

    async def log_out(self, request: Request) -> Response:
        bearer = bearer_of(request, self._keys)
        async with self._transaction() as connection:
            user = await _signed_in(connection, bearer)
            scope = request.query_params.get("scope", "global")
            await sessions.end(connection, scope, user["id"], bearer.session_id)
        return Response(status_code=204)


async def _signed_in(connection: AsyncConnection[Any], bearer: Bearer) -> users.UserObject:
    """Return the token's user.

    Raises:
        AuthError: The user does not exist (any more), or the session of the token has ended.
    """
    try:
        user = await users.find(connection, bearer.user_id)
    except psycopg.errors.InvalidTextRepresentation as exc:
        raise AuthError(403, "bad_jwt", "invalid claim: sub claim must be a UUID") from exc
    if user is None:
        raise AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
    if bearer.session_id is not None and not await sessions.exists(connection, bearer.session_id):
        message = "Session from session_id claim in JWT does not exist"
        raise AuthError(403, "session_not_found", message)
    return user


def _guarded(answer: Answer, keys: Keys) -> Answer:
    """Wrap a handler: check the API key, and answer errors with Auth's JSON body."""

    async def guarded(request: Request) -> Response:
        if (refusal_of_key := refusal(request, keys)) is not None:
            return refusal_of_key
        try:
            return await answer(request)
        except AuthError as exc:
            return refused(exc, request.headers)
        except (psycopg.Error, NoConnectionError) as exc:
            return refused(_failure(exc, request), request.headers)

    return guarded


def _failure(exc: psycopg.Error | NoConnectionError, request: Request) -> AuthError:
    """Return the error that reports a failure of the database.

    The usual reason is a failing trigger on `auth.users`, so PostgreSQL's message is included for its author.
    """
    if isinstance(exc, psycopg.DataError) and exc.sqlstate is None:
        return AuthError(400, "validation_failed", "A text holds a NUL character")
    if isinstance(exc, NoConnectionError) or exc.sqlstate is None:
        return AuthError(504, "request_timeout", "The database did not answer in time")
    what = "saving new user" if request.url.path.endswith(("/signup", "/users")) else "updating user"
    return AuthError(500, "unexpected_failure", f"Database error {what}: {exc.diag.message_primary}")


def _constant(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    async def answer(_: Request) -> Response:
        return JSONResponse(body, headers=headers)

    return answer
