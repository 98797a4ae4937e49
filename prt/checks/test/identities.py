"""The identities of the checks, as far as the configured keys and passwords allow.

They are the configured identity itself, the server, anon, a member and a stranger. If the project's JWT
secret is known, PyJWT signs the stranger's token: it is installed with supabase-auth, and signing should not
be our own code.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, Literal

from prt.checks.test.outcomes import SkippedError
from prt.config.project import Project
from prt.config.secret import claims_of
from prt.inputs import Input
from prt.redaction import register
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint, Session, session_of

Who = Literal["self", "service", "member", "stranger", "anon"]
SIGNED_SECONDS = 600.0


_OF_EVERYBODY: Final = (
    *("aal", "amr", "app_metadata", "aud", "email", "exp", "iat", "is_anonymous", "iss", "jti", "nbf"),
    *("phone", "ref", "role", "session_id", "sub", "user_metadata"),
)
"""The claims that every token has, which are not specific to a row's owner."""


def token_claims(endpoint: Endpoint) -> dict[str, Any]:
    """Return the claims of an endpoint's token, or else of its key."""
    return claims_of(endpoint.token or endpoint.key) or {}


def own_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the project-specific claims with a single value, including those in `app_metadata`."""
    of_app = claims.get("app_metadata")
    every = {**(of_app if isinstance(of_app, dict) else {}), **claims}
    return {
        name: value
        for name, value in every.items()
        if name not in _OF_EVERYBODY and isinstance(value, str | int | float)
    }


class Identities:
    """The sessions of the identities, each opened at its first use and closed with `stack`."""

    def __init__(self, project: Project, stranger: str | None, stack: AsyncExitStack) -> None:
        self._project = project
        self._stranger = stranger
        self._stack = stack
        self._sessions: dict[Who, Session] = {}
        self._rests: dict[Who, Rest] = {}

    async def session(self, who: Who) -> Session:
        """Return the session of an identity.

        Raises:
            SkippedError: A key or a password for it is missing.
            PrtError: The sign-in failed.
        """
        if who == "member" and self._project.identity in ("user", "token"):
            who = "self"
        if who not in self._sessions:
            self._sessions[who] = await self._opened(who)
        return self._sessions[who]

    async def rest(self, who: Who) -> Rest:
        """Return a REST client of an identity.

        Raises:
            SkippedError: A key or a password for it is missing.
            PrtError: The sign-in failed.
        """
        session = await self.session(who)
        if who not in self._rests:
            rest = Rest(lambda: session.endpoint)
            self._rests[who] = await self._stack.enter_async_context(rest)
        return self._rests[who]

    def user_id(self, session: Session) -> str | None:
        """Return the id of a session's user, None if it has no user."""
        sub = (claims_of(session.endpoint.token or "") or {}).get("sub")
        return sub if isinstance(sub, str) else None

    def signed(self, *, seconds: float, **claims: Any) -> Endpoint:
        """Return an endpoint with a token that has these claims, signed with the project's secret.

        The token expires after `seconds`.

        Raises:
            SkippedError: The secret, or the client key, is unknown.
        """
        if self._project.jwt_secret is None:
            raise SkippedError("needs SUPABASE_JWT_SECRET, to sign a token of its own")
        import jwt  # noqa: PLC0415 - needed only to sign a token

        now = int(time.time())
        claims = {"aud": "authenticated", "role": "authenticated", "iat": now, **claims}
        token = jwt.encode({**claims, "exp": now + int(seconds)}, self._project.jwt_secret.reveal(), "HS256")
        register(token)
        return Endpoint(url=self._project.url, key=self._client_key(), token=token)

    async def _opened(self, who: Who) -> Session:
        project = self._project
        if who == "self":
            return await self._stack.enter_async_context(session_of(project))
        if who == "anon":
            return Session(Endpoint(url=project.url, key=self._client_key()))
        if who == "service":
            if project.server_key is None:
                raise SkippedError("needs the server key (SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY)")
            return Session(Endpoint(url=project.url, key=project.server_key.reveal()))
        if who == "member":
            raise SkippedError(f"needs a user: {Input.IDENTITY} EMAIL with PRT_PASSWORD, or PRT_TOKEN")
        return await self._opened_stranger()

    async def _opened_stranger(self) -> Session:
        project = self._project
        if self._stranger is not None:
            if project.stranger_password is None:
                raise SkippedError(f"needs PRT_STRANGER_PASSWORD, to sign in as {self._stranger}")
            user = replace(project, identity="user", email=self._stranger, password=project.stranger_password)
            return await self._stack.enter_async_context(session_of(user))
        if project.jwt_secret is None:
            raise SkippedError(
                f"needs a second user: {Input.STRANGER} EMAIL with PRT_STRANGER_PASSWORD, "
                "or SUPABASE_JWT_SECRET"
            )
        return Session(self.signed(seconds=SIGNED_SECONDS, sub=str(uuid.uuid4())))

    def _client_key(self) -> str:
        if self._project.client_key is None:
            raise SkippedError("needs the client key (SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY)")
        return self._project.client_key.reveal()


@asynccontextmanager
async def identities_of(project: Project, stranger: str | None) -> AsyncIterator[Identities]:
    """Open a project's identities, and close them at the end of the block.

    `stranger` is the e-mail address of a second user, None to sign a token instead.
    """
    async with AsyncExitStack() as stack:
        yield Identities(project, stranger, stack)
