"""The change stream of PostgreSQL: logical replication over libpq, with a slot of its own.

The slot is TEMPORARY: it is gone with the connection and never holds back the log of a database
that nobody listens to. So changes made while the connection is down are lost, as they are on a real
server, and nobody is told. Source: PostgreSQL's documentation, "Streaming Replication Protocol".
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import psycopg
from psycopg import AsyncConnection, pq

from prt.clock import wall_clock
from prt.local.postgres.session import conninfo_of

logger = logging.getLogger(__name__)

BATCH = 1000
SHORTEST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.1

_XLOG, _KEEPALIVE = b"wk"
_HEADER = 25  # w, start, end, clock
_xlog_end = _keepalive_end = struct.Struct("!Q").unpack_from
_status = struct.Struct("!cQQQqB").pack
_POSTGRES_EPOCH_MICROSECONDS = 946_684_800 * 1_000_000

Deliver = Callable[[list[bytes]], Awaitable[None]]


class Stream:
    """Hands batches of pgoutput messages to `deliver`, one after the other, and reconnects for ever.

    `is_live` is set while a slot exists: what is committed then will be delivered. `trouble` is the last
    reason why the stream had to reconnect.

    Args:
        conninfo: A superuser's.
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
            await _command(
                connection.pgconn,
                f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
            )
            await _command(
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
        report = _Report(pgconn)
        try:
            async for batch in _batches(pgconn):
                if self._sender_seconds and report.silent_seconds > self._sender_seconds:
                    # What libpq read before the end came is lost as well, whichever it noticed first.
                    raise psycopg.OperationalError("PostgreSQL ended the stream while we were stopped")
                changes: list[bytes] = []
                for message in batch:
                    if message[0] == _XLOG:
                        changes.append(message[_HEADER:])
                        report.position = max(report.position, _xlog_end(message, 9)[0])
                    elif message[0] == _KEEPALIVE:
                        report.position = max(report.position, _keepalive_end(message, 1)[0])
                if changes:
                    await self._deliver(changes)
                report.repeat_soon()
        finally:
            report.end()


class _Report:
    """Standby status updates: everything up to `position` may be forgotten.

    Sent soon after anything came, then ever more slowly, because PostgreSQL needs the knocking: a
    walsender (of 16 to 18) that is about to sleep while somebody commits can miss to be woken, and
    would leave the commit lying until its own timeout, 10 s later. Whatever we send makes it look.
    """

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self.position = 0
        self._pgconn = pgconn
        self._pause = SHORTEST_PAUSE_SECONDS
        self._sent = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self.repeat_soon()

    @property
    def silent_seconds(self) -> float:
        """How long PostgreSQL has heard nothing: more than `LONGEST_PAUSE_SECONDS` if we were stopped."""
        return time.monotonic() - self._sent

    def repeat_soon(self) -> None:
        self._pause = SHORTEST_PAUSE_SECONDS
        self._schedule()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        self.end()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._send)

    def _send(self) -> None:
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._schedule()
        self._sent = time.monotonic()
        clock = wall_clock() - _POSTGRES_EPOCH_MICROSECONDS
        try:
            self._pgconn.put_copy_data(_status(b"r", self.position, self.position, self.position, clock, 0))
            self._pgconn.flush()
        except psycopg.OperationalError:
            self.end()  # the reader is about to find out


async def _batches(pgconn: pq.abc.PGconn) -> AsyncIterator[list[bytes]]:
    """What has arrived, at most BATCH messages at once. Ends by OperationalError."""
    batch: list[bytes] = []
    while True:
        size, data = pgconn.get_copy_data(1)
        if size > 0:
            batch.append(bytes(data))
        elif size < 0:
            raise psycopg.OperationalError("the replication stream ended")
        else:
            pgconn.consume_input()
            size, data = pgconn.get_copy_data(1)
            if size > 0:
                batch.append(bytes(data))
            elif batch:
                yield batch
                batch = []
            elif size == 0:
                await _readable(pgconn)
                pgconn.consume_input()
        if len(batch) >= BATCH:
            yield batch
            batch = []


async def _command(pgconn: pq.abc.PGconn, command: str) -> None:
    """One command of the replication protocol, which knows no parameters and no extended queries."""
    pgconn.send_query(command.encode())
    pgconn.flush()
    while pgconn.is_busy():
        await _readable(pgconn)
        pgconn.consume_input()
    result = pgconn.get_result()
    if result is None or result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COPY_BOTH):
        raise psycopg.OperationalError(pgconn.get_error_message())
    if result.status == pq.ExecStatus.TUPLES_OK:
        while pgconn.get_result() is not None:
            pass


async def _readable(pgconn: pq.abc.PGconn) -> None:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    descriptor = pgconn.socket
    loop.add_reader(descriptor, lambda: readable.set_result(None) if not readable.done() else None)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
