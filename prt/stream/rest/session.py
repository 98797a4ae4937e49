"""The identity of a connection: the endpoint with its token, how long it lives, and how it is renewed.

supabase-auth signs in and refreshes: it knows Auth's answers, and keeps doing so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from prt.config.project import Project
from prt.config.secret import claims_of
from prt.errors import ProtocolError, RefusedError, UnreachableError
from prt.inputs import Input
from prt.redaction import register
from prt.stream.reaching import failure_of

if TYPE_CHECKING:
    from supabase_auth.types import Session as AuthSession

AUTH_SECONDS = 10
REFRESH_AHEAD_SECONDS = 300.0
SHORT_LIFE_SECONDS = 900.0
"""A life shorter than this is renewed at two thirds of it."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """An address and an identity: `url` is the project's, `key` is for the handshake, `token` for joins."""

    url: str
    key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


class Life(Struct, frozen=True, kw_only=True):
    """The life of a token, in seconds since the epoch; `role` is its claim."""

    issued: float
    expires: float
    role: str | None

    @property
    def renew_at(self) -> float:
        """Return the moment at which the token should be renewed."""
        life = self.expires - self.issued
        return (
            self.issued + life * 2 / 3 if life < SHORT_LIFE_SECONDS else self.expires - REFRESH_AHEAD_SECONDS
        )


def life_of(endpoint: Endpoint, now: float) -> Life | None:
    """Return the life of the token, or without one of the key; None if it does not expire."""
    claims = claims_of(endpoint.token or endpoint.key) or {}
    expires, role = _time(claims.get("exp")), claims.get("role")
    if expires is None:
        return None
    issued = _time(claims.get("iat"))
    return Life(
        issued=now if issued is None else issued,
        expires=expires,
        role=role if isinstance(role, str) else None,
    )


def user_of(endpoint: Endpoint) -> str | None:
    """Return the id of the session's user, None if it has no user, as with a key alone."""
    sub = (claims_of(endpoint.token or endpoint.key) or {}).get("sub")
    return sub if isinstance(sub, str) else None


class Session:
    """An endpoint that may be renewed; `renew` is None if nobody can renew it."""

    def __init__(self, endpoint: Endpoint, renew: Callable[[], Awaitable[Endpoint]] | None = None) -> None:
        self.endpoint = endpoint
        self._renew = renew
        self._renewing = asyncio.Lock()

    @property
    def is_renewable(self) -> bool:
        """Return whether the token can be renewed."""
        return self._renew is not None

    async def renew(self, stale: Endpoint | None = None) -> Endpoint:
        """A fresh token. Raises RefusedError, UnreachableError, ProtocolError.

        Where somebody else has renewed the `stale` one meanwhile, theirs: Auth takes a refresh token once.
        """
        if self._renew is None:
            raise RefusedError("this token can't be renewed", f"sign in with {Input.IDENTITY} EMAIL")
        async with self._renewing:
            if stale is None or stale is self.endpoint:
                self.endpoint = await self._renew()
        return self.endpoint


@asynccontextmanager
async def session_of(project: Project) -> AsyncIterator[Session]:
    """The project's identity; a user is signed in. Raises RefusedError, UnreachableError, ProtocolError."""
    key = project.api_key.reveal()
    if project.identity == "user":
        async with _signed_in(project, key) as session:
            yield session
    elif project.identity == "token" and project.token is not None:
        yield Session(Endpoint(url=project.url, key=key, token=project.token.reveal()))
    else:
        yield Session(Endpoint(url=project.url, key=key))


@asynccontextmanager
async def _signed_in(project: Project, key: str) -> AsyncIterator[Session]:
    from supabase_auth import AsyncGoTrueClient  # noqa: PLC0415 - only where somebody signs in

    from prt.stream.rest.http import BoundedClient  # noqa: PLC0415

    async with BoundedClient(project.url, seconds=AUTH_SECONDS) as http:
        auth = AsyncGoTrueClient(
            url=f"{project.url}/auth/v1",
            headers={"apikey": key},
            auto_refresh_token=False,
            persist_session=False,
            http_client=http,
        )
        email, password = project.email or "", project.password.reveal() if project.password else ""
        current: AuthSession = await _answered(
            project, "sign-in", auth.sign_in_with_password({"email": email, "password": password})
        )

        async def renew() -> Endpoint:
            nonlocal current
            current = await _answered(project, "renewal", auth.refresh_session(current.refresh_token))
            return endpoint()

        def endpoint() -> Endpoint:
            return Endpoint(url=project.url, key=key, token=current.access_token)

        yield Session(endpoint(), renew)


async def _answered(project: Project, what: str, request: Awaitable[Any]) -> AuthSession:
    """The session that Auth answered with; its errors become ours."""
    import httpx  # noqa: PLC0415
    from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError  # noqa: PLC0415

    who, way_on = f"the {what} of {project.email}", "is the server up, and the URL right?"
    try:
        answer = await request
    except AuthRetryableError as exc:
        raise failure_of(exc, project.url) or UnreachableError(
            f"no answer from {project.host} to {who}", way_on
        ) from exc
    except AuthApiError as exc:
        raise RefusedError(
            f"{project.host} refused {who}: {exc.message}", f"check PRT_PASSWORD and {Input.IDENTITY}"
        ) from exc
    except (AuthError, ValueError, RecursionError):
        # Their words hold parts of the answer, and with it parts of tokens that nobody has registered yet.
        raise ProtocolError(
            f"{project.host} did not answer {who} as Auth does", "is this a Supabase project's URL?"
        ) from None
    except httpx.HTTPError as exc:
        raise failure_of(exc, project.url) or UnreachableError(
            f"no answer from {project.host} to {who}", way_on
        ) from exc
    if answer.session is None:
        raise RefusedError(f"{project.host} opened no session for {project.email}", "is the user confirmed?")
    session: AuthSession = answer.session
    register(session.access_token)
    register(session.refresh_token)
    return session


def _time(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
