"""The refresh of our token before it expires, and the warning if the token can't be refreshed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from prt.errors import PrtError
from prt.inputs import Input
from prt.stream.rest.session import Endpoint, Life, Session, life_of
from prt.stream.socket import refusals
from prt.stream.socket.failures import EndedError, LostError

SKEW_SECONDS = 30.0
"""How far our clock may be ahead of the server's before the server's tokens look expired."""


class StatusReport(Protocol):
    """A function that reports a status while the source continues."""

    def __call__(self, reason: str, hint: str | None = None) -> None: ...


class TokenRefresh:
    """The refresh of one source's token. Sources that share a session also share its refreshed tokens.

    Attributes:
        life: The lifetime of the present token; None before `begin`, or if the token does not expire.
    """

    def __init__(
        self, session: Session, retry_seconds: float, report: StatusReport, on_renewed: Callable[[], None]
    ) -> None:
        """Prepare the refresh.

        Args:
            session: The project's address and our identity.
            retry_seconds: The pause after a failed refresh.
            report: Receives what users should know, with a hint.
            on_renewed: Called after each refresh.
        """
        self._session = session
        self._on_renewed = on_renewed
        self._retry_seconds = retry_seconds
        self._report = report
        self._endpoint = session.endpoint
        self.life: Life | None = None

    def begin(self) -> Endpoint:
        """Return the endpoint with the token for a new connection."""
        self._endpoint = self._session.endpoint
        self.life = life_of(self._endpoint, time.time())
        return self._endpoint

    def check(self) -> None:
        """Raise EndedError if the token has expired and can't be refreshed.

        The server would refuse a join with such a token too, but only after 5 s. The clocks may differ by
        `SKEW_SECONDS`.
        """
        past = -1.0 if self.life is None else time.time() - self.life.expires
        if past < SKEW_SECONDS or self._session.is_renewable:
            return
        what = "the project's key" if self._endpoint.token is None else "the token"
        raise EndedError(f"{what} has expired", refusals.of_expired(is_key=self._endpoint.token is None))

    async def keep(self, authorise: Callable[[str], Awaitable[None]]) -> None:
        """Refresh the token before it expires, as long as the connection lasts.

        Args:
            authorise: Gives a fresh token to the channels of the connection.
        """
        while (life := self.life) is not None:
            await _sleep_until(life.renew_at)
            if not self._session.is_renewable:
                left = max(round((life.expires - time.time()) / 60), 0)
                hint = f"sign in with {Input.IDENTITY} EMAIL, or start again with a fresh PRT_TOKEN"
                self._report(f"the token expires in {left} min and can't be renewed", hint)
                return
            try:
                await self._renew()
                await authorise(self._endpoint.token or self._endpoint.key)
            except LostError:
                return
            except PrtError as exc:
                self._report(f"the token could not be renewed: {exc.message}", exc.hint)
                await asyncio.sleep(self._retry_seconds)

    async def is_revived(self, failure: PrtError) -> bool:
        """Refresh the token if it may have caused a failure, and return whether that succeeded.

        If so, another attempt to connect is worth it: the token may have expired while the connection was
        down.
        """
        if failure.exit_code != 3 or not self._session.is_renewable:
            return False
        try:
            await self._renew()
        except PrtError:
            return False
        return True

    async def _renew(self) -> None:
        former = self.life
        self._endpoint = await self._session.renew(self._endpoint)
        self.life = life_of(self._endpoint, time.time())
        if former is not None and self.life is not None and self.life.role != former.role:
            self._report(f"the token's role changed from {former.role} to {self.life.role}")
        self._on_renewed()


async def _sleep_until(moment: float) -> None:
    """Sleep until a moment of the wall clock (seconds since the epoch), which may be adjusted meanwhile."""
    while (left := moment - time.time()) > 0:  # noqa: ASYNC110 - no event is set for a time
        await asyncio.sleep(min(left, 30))
