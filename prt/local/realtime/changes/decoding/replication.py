"""The change stream of PostgreSQL: logical replication over libpq, with a slot of its own.

The slot is TEMPORARY: it is gone with the connection and never holds back the log of a database
that nobody listens to. So changes made while the connection is down are lost, as they are on a real
server, and nobody is told. Source: PostgreSQL's documentation, "Streaming Replication Protocol".
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial

import psycopg
from psycopg import AsyncConnection, pq

from prt.local.postgres.session import conninfo_of
from prt.postgres import pgoutput, replication

LONGEST_VALUE = 4 * 1024 * 1024
"""Bytes. A change with such a value is sent without it anyway. A number of ten characters can have 131,072
digits, so that 13 kB of them become 180 MB here: each copy of these would hold up everybody."""

logger = logging.getLogger(__name__)

Deliver = Callable[[list[bytes]], Awaitable[None]]


class Stream:
    """Hands batches of pgoutput messages to `deliver`, one after the other, and reconnects for ever.

    `is_live` is set while a slot exists: what is committed then will be delivered. `trouble` is the last
    reason why the stream had to reconnect.

    Args:
        conninfo: That of a role with the right to replicate.
        name: Shows in pg_stat_activity and in the slot's name.
        publication: Whose tables are streamed.
        deliver: Gets the batches.
        on_start: Called whenever a new slot starts, since that one describes all relations anew.
        retry_seconds: Pauses before the first, the second … attempt after a loss; the last one is repeated.
        sender_seconds: How long PostgreSQL waits for a sign of life before it ends the stream, which
            happens if this process is stopped; None is for ever.
    """

    def __init__(
        self,
        conninfo: str,
        name: str,
        publication: str,
        deliver: Deliver,
        on_start: Callable[[], None] = lambda: None,
        *,
        retry_seconds: Sequence[float],
        sender_seconds: float | None = None,
    ) -> None:
        timeout = round((sender_seconds or 0) * 1000)
        self._conninfo = conninfo_of(
            conninfo, name, options=f"-c wal_sender_timeout={timeout}", replication="database"
        )
        self._name = name
        self._publication = publication
        self._deliver = deliver
        self._on_start = on_start
        self._retry_seconds = retry_seconds
        self._sender_seconds = sender_seconds
        self.is_live = asyncio.Event()
        self.trouble = ""

    async def run(self) -> None:
        """Follow the changes until cancelled."""
        failures = 0
        while True:
            try:
                await self._follow()
            except (psycopg.OperationalError, OSError) as error:
                self.trouble = str(error)
                failures = 0 if self.is_live.is_set() else failures + 1
                logger.debug("the replication stream broke: %s", error)
            except Exception as error:
                # A change that we can't handle must not leave everybody deaf.
                logger.error(
                    "changes were lost: %r",
                    error,
                    exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
                )
            finally:
                self.is_live.clear()
            await asyncio.sleep(self._retry_seconds[min(failures, len(self._retry_seconds) - 1)])

    async def _follow(self) -> None:
        connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            slot = f"{self._name}_{secrets.token_hex(8)}"
            await replication.command(
                connection.pgconn,
                f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
            )
            await replication.command(
                connection.pgconn,
                f"START_REPLICATION SLOT {slot} LOGICAL 0/0 "
                f"(proto_version '1', publication_names '{self._publication}')",
            )
            self._on_start()
            self.is_live.set()
            await self._read(connection.pgconn)
        finally:
            await connection.close()

    async def _read(self, pgconn: pq.abc.PGconn) -> None:
        batches = replication.streamed(
            pgconn,
            sender_seconds=self._sender_seconds,
            copied=partial(pgoutput.shortened, longest=LONGEST_VALUE),
        )
        async with aclosing(batches):
            async for changes in batches:
                if changes:
                    await self._deliver(changes)
