"""One channel's subscription to changes: asked for at the join and with every new token.

psycopg only for the errors of `prt.local.postgres.session`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import psycopg

from prt.local.postgres.session import Sessions
from prt.local.realtime.changes import admission
from prt.local.realtime.changes.admission import Admitted
from prt.local.realtime.changes.decoding.replication import Stream
from prt.local.realtime.changes.publication import Publication
from prt.local.realtime.changes.subscriptions import Subscription, Subscriptions
from prt.local.realtime.protocol import bindings
from prt.local.realtime.protocol.bindings import BindingRefusedError, Parameters
from prt.local.realtime.protocol.frames import Version
from prt.local.realtime.protocol.join_config import Config
from prt.local.realtime.protocol.tokens import Token

DISABLED = "RealtimeDisabledForConfiguration: "
TIMED_OUT = "PostgresChangesSubscribeTimeout: "
SUBSCRIBED = "Subscribed to PostgreSQL"

RETRY_SECONDS = 0.5
MOST_ATTEMPTS = 10
"""A bound of our own: each attempt asks about every binding of the channel."""

Tell = Callable[[str, str], None]
"""The channel is told a status and a message."""


class Server(Protocol):
    """The server as a subscription sees it."""

    @property
    def stream(self) -> Stream:
        """Return the replication stream."""
        ...

    @property
    def publication(self) -> Publication:
        """Return the publication."""
        ...

    @property
    def admissions(self) -> Sessions:
        """Return the connections that subscriptions are admitted over."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Return the subscriptions of the server."""
        ...


class Prepared(NamedTuple):
    """The bindings of a channel as they were asked for, and what was found about each."""

    parameters: list[Parameters]
    admitted: list[Admitted]


class Following:
    """A channel's subscription between `start`, which may be called again with another token, and `stop`."""

    def __init__(
        self,
        server: Server,
        *,
        config: Config,
        topic: str,
        version: Version,
        deliver: Callable[[str], None],
        tell: Tell,
    ) -> None:
        self._server = server
        self._config = config
        self._topic = topic
        self._version = version
        self._deliver = deliver
        self._tell = tell
        self._token: Token | None = None
        self._subscription: Subscription | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._prepared: Prepared | None = None

    async def prepare(self, token: Token) -> str | None:
        """Wait until `start` can subscribe at once, if the join asked for that.

        Returns the words in which the server refuses the join, or None.
        """
        if self._config.wait is None or not self._config.bindings:
            return None
        milliseconds = self._config.wait.milliseconds
        try:
            self._prepared = await self._looked_up(token, time.monotonic() + milliseconds / 1000)
        except BindingRefusedError as error:
            return DISABLED + str(error)
        except TimeoutError:
            return (
                f"{TIMED_OUT}Timed out after {milliseconds}ms waiting for the postgres_changes subscription"
            )
        finally:
            if self._prepared is None:
                self._server.publication.forget(self._again)
        return None

    def start(self, token: Token) -> None:
        """Subscribe with a token, in place of a former one."""
        if not self._config.bindings:
            return
        self._token = token
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            self._again(1)
        else:
            self._establish(token, prepared)

    def stop(self) -> None:
        """End the subscription."""
        if self._subscribing is not None:
            self._subscribing.cancel()
        self._server.publication.forget(self._again)
        self._replace(None)

    def _again(self, times: int) -> None:
        if self._subscribing is not None:
            self._subscribing.cancel()
        self._subscribing = asyncio.create_task(self._subscribe(times))

    async def _subscribe(self, times: int) -> None:
        """Subscribe as often as the real server does, which reports each time what came of it."""
        for _ in range(min(times, MOST_ATTEMPTS)):
            if self._token is not None:
                await self._admit(self._token)

    async def _admit(self, token: Token) -> None:
        """One bad binding and the channel hears of no change at all, as on the real server."""
        try:
            prepared = await self._looked_up(token, None)
        except BindingRefusedError as error:
            self._replace(None)
            self._tell("error", str(error))
            return
        self._establish(token, prepared)

    async def _looked_up(self, token: Token, deadline: float | None) -> Prepared:
        """Return what the bindings refer to, once changes are streamed.

        Each binding is asked about at least once, even after `deadline`, a reading of the monotonic clock.

        Raises:
            BindingRefusedError: The server refuses a binding.
            TimeoutError: PostgreSQL did not answer, or changes were not streamed, before `deadline`.
        """
        wanted = bindings.parse_all([entry for _, entry in self._config.bindings])
        admitted = await self._admitted(token, wanted, deadline)
        is_live = self._server.stream.is_live
        if not is_live.is_set():
            left = None if deadline is None else deadline - time.monotonic()
            await asyncio.wait_for(is_live.wait(), left)
        return Prepared(wanted, admitted)

    def _establish(self, token: Token, prepared: Prepared) -> None:
        wanted, admitted = prepared.parameters, prepared.admitted
        ids = (binding for binding, _ in self._config.bindings)
        self._replace(
            Subscription(
                principal=token.principal,
                is_unrestricted=admitted[0].is_unrestricted,
                bindings=tuple(zip(ids, wanted, strict=True)),
                tables=tuple(each.tables for each in admitted),
                topic=self._topic,
                version=self._version,
                is_legacy=self._config.is_legacy,
                deliver=self._deliver,
                resubscribed=self._say_subscribed,
                refused=self._refused,
            )
        )
        self._say_subscribed()

    def _refused(self, message: str) -> None:
        self._replace(None)
        self._tell("error", message)

    def _say_subscribed(self) -> None:
        self._tell("ok", SUBSCRIBED)

    async def _admitted(
        self, token: Token, wanted: list[Parameters], deadline: float | None
    ) -> list[Admitted]:
        """Ask about one binding after the other, so that those of other clients get their turns.

        The last one of the join comes first, as on the real server: those that are let in before one is
        refused are remembered.
        """
        spent_seconds, admitted = 0.0, []
        for (binding, _), parameters in zip(reversed(self._config.bindings), reversed(wanted), strict=True):
            start = time.monotonic()
            admitted.append(await self._admitted_one(token, parameters, spent_seconds, deadline))
            spent_seconds += time.monotonic() - start
            self._server.publication.let_in(self._again, binding)
        return admitted[::-1]

    async def _admitted_one(
        self, token: Token, parameters: Parameters, spent_seconds: float, deadline: float | None
    ) -> Admitted:
        """Ask until PostgreSQL answers: a channel is joined before it is subscribed, and may wait."""
        ask = partial(admission.admit, role=token.principal.role, parameters=parameters)
        while True:
            try:
                return await self._server.admissions.finish(ask, spent_seconds=spent_seconds)
            except (psycopg.OperationalError, OSError):
                await _pause(deadline)

    def _replace(self, subscription: Subscription | None) -> None:
        self._server.subscriptions.replace(self._subscription, subscription)
        self._subscription = subscription


async def _pause(deadline: float | None) -> None:
    """Wait before the next attempt. Raise TimeoutError at `deadline` if that comes first."""
    left = math.inf if deadline is None else deadline - time.monotonic()
    await asyncio.sleep(max(0.0, min(RETRY_SECONDS, left)))
    if left <= RETRY_SECONDS:
        raise TimeoutError
