"""The subscription of one channel to changes, which starts at the join and again with every new token.

psycopg is imported only for its exceptions, which `prt.local.postgres.session` raises.
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
"""The most attempts in a row. The limit is our own: each attempt checks every binding of the channel."""

Report = Callable[[str, str], None]
"""A function that sends a `system` event with a status and a message to the channel."""


class Server(Protocol):
    """The parts of the server that a subscription uses."""

    @property
    def stream(self) -> Stream:
        """The replication stream of changes."""
        ...

    @property
    def publication(self) -> Publication:
        """The watch on the published tables."""
        ...

    @property
    def admissions(self) -> Sessions:
        """The database sessions that check bindings."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """All subscriptions of the server."""
        ...


class Prepared(NamedTuple):
    """The parsed bindings of a channel, and the result of the checks for each."""

    parameters: list[Parameters]
    admitted: list[Admitted]


class Following:
    """The subscription of a channel from `start`, which can be called again with a new token, to `stop`."""

    def __init__(
        self,
        server: Server,
        *,
        config: Config,
        topic: str,
        version: Version,
        deliver: Callable[[str], None],
        report: Report,
    ) -> None:
        self._server = server
        self._config = config
        self._topic = topic
        self._version = version
        self._deliver = deliver
        self._report = report
        self._token: Token | None = None
        self._subscription: Subscription | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._prepared: Prepared | None = None

    async def prepare(self, token: Token) -> str | None:
        """Check the bindings if the join asked to wait for that, so that `start` can subscribe at once.

        Returns:
            The server's message if the join is refused, else None.
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
        """Subscribe with a token, and replace the subscription with a former token."""
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
        """Subscribe as many times as the real server does, which reports the result each time."""
        for _ in range(min(times, MOST_ATTEMPTS)):
            if self._token is not None:
                await self._admit(self._token)

    async def _admit(self, token: Token) -> None:
        """Check the bindings and subscribe. If one is refused, the channel receives no changes at all."""
        try:
            prepared = await self._looked_up(token, None)
        except BindingRefusedError as error:
            self._replace(None)
            self._report("error", str(error))
            return
        self._establish(token, prepared)

    async def _looked_up(self, token: Token, deadline: float | None) -> Prepared:
        """Check the bindings, and wait until changes are streamed.

        Each binding is checked at least once, even after `deadline`, a reading of `time.monotonic()`.

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
                resubscribed=self._report_subscribed,
                refused=self._refused,
            )
        )
        self._report_subscribed()

    def _refused(self, message: str) -> None:
        self._replace(None)
        self._report("error", message)

    def _report_subscribed(self) -> None:
        self._report("ok", SUBSCRIBED)

    async def _admitted(
        self, token: Token, wanted: list[Parameters], deadline: float | None
    ) -> list[Admitted]:
        """Check one binding after the other, so that the bindings of other clients are checked in between.

        The last binding of the join is checked first, as on the real server. The order matters, because the
        bindings that were admitted before one is refused are remembered.
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
        """Check a binding, and try again until PostgreSQL answers.

        Meanwhile the channel waits: it is joined already, and not yet subscribed.
        """
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
    """Pause before the next attempt. Raise TimeoutError if `deadline` is reached first."""
    left = math.inf if deadline is None else deadline - time.monotonic()
    await asyncio.sleep(max(0.0, min(RETRY_SECONDS, left)))
    if left <= RETRY_SECONDS:
        raise TimeoutError
