"""A stream of PostgreSQL's changes: logical replication over libpq, with its own temporary slot.

A temporary slot is removed with its connection, so it never makes PostgreSQL keep the log of a database that
nobody listens to. Changes committed while the connection is down are lost silently, as on a real server.
Source: PostgreSQL's documentation, "Streaming Replication Protocol".
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
"""The longest value in bytes that is read. A longer one would not be sent anyway.

A number of ten characters can have 131,072 digits, so that 13 kB of them become 180 MB here. Each copy of
these would delay all clients.
"""

logger = logging.getLogger(__name__)

Deliver = Callable[[list[bytes]], Awaitable[None]]


class Stream:
    """A replication stream that passes batches of pgoutput messages to `deliver` and reconnects for ever.

    `is_live` is set while a slot exists: a change that is committed then will be delivered. `trouble` is the
    last reason for a reconnection.

    Args:
        conninfo: The connection string of a role that may replicate.
        name: The name in pg_stat_activity, and the beginning of the slot's name.
        publication: The publication whose tables are streamed.
        deliver: Called with each batch.
        on_start: Called when a new slot starts, which describes all tables again.
        retry_seconds: The pauses before the first, the second … attempt after a loss; the last one is
            repeated.
        sender_seconds: How long PostgreSQL waits for a sign of life before it ends the stream, for example
            because this process is suspended; None for no limit.
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
                # A change that can't be handled must not stop the stream for all clients.
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
