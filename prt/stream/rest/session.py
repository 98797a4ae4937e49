"""The identity of a connection: its endpoint and token, the token's lifetime, and its refresh.

The library supabase-auth signs in and refreshes, because it follows the changes of Auth's answers.
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
"""How long a request to Auth may take."""
REFRESH_AHEAD_SECONDS = 300.0
"""How long before its end a token is refreshed."""
SHORT_LIFE_SECONDS = 900.0
"""A token with a shorter lifetime than this is refreshed after two thirds of it."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """An address with an identity.

    Attributes:
        url: The project's URL.
        key: The project's key, for handshakes and for REST.
        token: The token for joins and for REST; None to use the key.
    """

    url: str
    key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


class Life(Struct, frozen=True, kw_only=True):
    """The lifetime of a token.

    Attributes:
        issued: When it was issued, in seconds since the epoch.
        expires: When it expires, in seconds since the epoch.
        role: Its claim `role`, or None.
    """

    issued: float
    expires: float
    role: str | None

    @property
    def renew_at(self) -> float:
        """When the token should be refreshed, in seconds since the epoch."""
        life = self.expires - self.issued
        return (
            self.issued + life * 2 / 3 if life < SHORT_LIFE_SECONDS else self.expires - REFRESH_AHEAD_SECONDS
        )


def life_of(endpoint: Endpoint, now: float) -> Life | None:
    """Return the lifetime of the token, or of the key if there is no token; None if it does not expire.

    Args:
        endpoint: The endpoint.
        now: The present moment in seconds since the epoch, used if the token has no time of issue.
    """
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
    """Return the id of the session's user; None if there is no user, as with a key alone."""
    sub = (claims_of(endpoint.token or endpoint.key) or {}).get("sub")
    return sub if isinstance(sub, str) else None


class Session:
    """An endpoint whose token may be refreshed.

    Attributes:
        endpoint: The endpoint with the latest token.
    """

    def __init__(self, endpoint: Endpoint, renew: Callable[[], Awaitable[Endpoint]] | None = None) -> None:
        """Create a session; `renew` returns an endpoint with a fresh token, None if that is impossible."""
        self.endpoint = endpoint
        self._renew = renew
        self._renewing = asyncio.Lock()

    @property
    def is_renewable(self) -> bool:
        """Whether the token can be refreshed."""
        return self._renew is not None

    async def renew(self, stale: Endpoint | None = None) -> Endpoint:
        """Refresh the token, and return the endpoint with it.

        Args:
            stale: The endpoint that the caller used. If another caller has refreshed its token meanwhile,
                that result is returned, because Auth accepts a refresh token only once.

        Raises:
            RefusedError: If Auth refuses, or the token can't be refreshed.
            UnreachableError: If Auth can't be reached.
            ProtocolError: If Auth's answer can't be understood.
        """
        if self._renew is None:
            raise RefusedError("this token can't be renewed", f"sign in with {Input.IDENTITY} EMAIL")
        async with self._renewing:
            if stale is None or stale is self.endpoint:
                self.endpoint = await self._renew()
        return self.endpoint


@asynccontextmanager
async def session_of(project: Project) -> AsyncIterator[Session]:
    """Yield a session with the project's identity. A user is signed in first.

    Raises:
        RefusedError: If Auth refuses the user.
        UnreachableError: If Auth can't be reached.
        ProtocolError: If Auth's answer can't be understood.
    """
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
    from supabase_auth import AsyncGoTrueClient  # noqa: PLC0415 - needed only to sign in

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
    """Return the session that Auth answered with, and turn its errors into ours."""
    import httpx  # noqa: PLC0415
    from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError  # noqa: PLC0415

    who, hint = f"the {what} of {project.email}", "is the server up, and the URL right?"
    try:
        answer = await request
    except AuthRetryableError as exc:
        raise failure_of(exc, project.url) or UnreachableError(
            f"no answer from {project.host} to {who}", hint
        ) from exc
    except AuthApiError as exc:
        raise RefusedError(
            f"{project.host} refused {who}: {exc.message}", f"check PRT_PASSWORD and {Input.IDENTITY}"
        ) from exc
    except (AuthError, ValueError, RecursionError):
        # The messages contain parts of the answer, and so parts of tokens that are not registered yet.
        raise ProtocolError(
            f"{project.host} did not answer {who} as Auth does", "is this a Supabase project's URL?"
        ) from None
    except httpx.HTTPError as exc:
        raise failure_of(exc, project.url) or UnreachableError(
            f"no answer from {project.host} to {who}", hint
        ) from exc
    if answer.session is None:
        raise RefusedError(f"{project.host} opened no session for {project.email}", "is the user confirmed?")
    session: AuthSession = answer.session
    register(session.access_token)
    register(session.refresh_token)
    return session


def _time(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
