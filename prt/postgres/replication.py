"""The conversation with a WAL sender: commands, received messages, and reports of the position read so far.

psycopg itself does not stream, so this module uses its libpq. Source: PostgreSQL's documentation, "Streaming
Replication Protocol".
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import psycopg
from psycopg import pq

from prt.clock import wall_clock

BATCH = 1000
SHORTEST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.1

_XLOG, _KEEPALIVE = b"wk"
_HEADER = 25  # w, start, end, clock
_xlog_end = _keepalive_end = struct.Struct("!Q").unpack_from
_status = struct.Struct("!cQQQqB").pack
_POSTGRES_EPOCH_MICROSECONDS = 946_684_800 * 1_000_000


async def command(pgconn: pq.abc.PGconn, text: str) -> None:
    """Run a command of the replication protocol, which has no parameters and no extended queries.

    Raises:
        psycopg.OperationalError: PostgreSQL refused the command; the error's `pgresult` holds the reason.
    """
    pgconn.send_query(text.encode())
    pgconn.flush()
    while pgconn.is_busy():
        await _readable(pgconn)
        pgconn.consume_input()
    result = pgconn.get_result()
    if result is None or result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COPY_BOTH):
        message = pgconn.get_error_message()
        while result is not None and pgconn.get_result() is not None:
            pass  # the connection takes another command only after the last result
        raise psycopg.OperationalError(message)
    if result.status == pq.ExecStatus.TUPLES_OK:
        while pgconn.get_result() is not None:
            pass


async def streamed(
    pgconn: pq.abc.PGconn,
    *,
    sender_seconds: float | None = None,
    copied: Callable[[memoryview], bytes] = bytes,
) -> AsyncGenerator[list[bytes], None]:
    """Yield the decoding plugin's messages in batches, after START_REPLICATION.

    A batch is reported to PostgreSQL as read when the next batch is requested. An empty batch is a keepalive.

    Args:
        pgconn: The connection.
        sender_seconds: How long PostgreSQL waits for a report before it ends the stream (its
            wal_sender_timeout). If this process is stopped for longer, the stream ends. None means for ever.
        copied: Turns a message of the plugin into the bytes that are yielded.

    Raises:
        psycopg.OperationalError: The stream ended. It never ends in another way.
    """
    report = _Report(pgconn)
    try:
        async for batch in _batches(pgconn):
            if sender_seconds and report.silent_seconds > sender_seconds:
                # Messages that libpq read before it noticed the end are lost as well.
                raise psycopg.OperationalError("PostgreSQL ended the stream while we were stopped")
            messages: list[bytes] = []
            for message in batch:
                if message[0] == _XLOG:
                    messages.append(copied(message[_HEADER:]))
                    report.position = max(report.position, _xlog_end(message, 9)[0])
                elif message[0] == _KEEPALIVE:
                    report.position = max(report.position, _keepalive_end(message, 1)[0])
            yield messages
            report.repeat_soon()
    finally:
        report.end()


class _Report:
    """The sender of standby status updates, which allow PostgreSQL to forget everything up to `position`.

    An update is sent soon after any message has arrived, and then at growing intervals, because PostgreSQL
    needs to be woken: a walsender (of 16 to 18) that is about to sleep while another session commits can miss
    its wake-up. It would then hold the commit back until its own timeout, 10 s later. Any message from us
    makes it look again.
    """

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self.position = 0
        self._pgconn = pgconn
        self._pause = SHORTEST_PAUSE_SECONDS
        self._sent = time.monotonic()
        self._longest_silence = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.repeat_soon()

    @property
    def silent_seconds(self) -> float:
        """Return for how long PostgreSQL received nothing.

        It is more than `LONGEST_PAUSE_SECONDS` if this process was stopped. When the process continues, it
        may send the next report before it reads anything, so the longest silence so far is what counts.
        """
        return max(self._longest_silence, time.monotonic() - self._sent)

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
        self._longest_silence = self.silent_seconds
        self._sent = time.monotonic()
        clock = wall_clock() - _POSTGRES_EPOCH_MICROSECONDS
        try:
            self._pgconn.put_copy_data(_status(b"r", self.position, self.position, self.position, clock, 0))
            self._pgconn.flush()
        except psycopg.OperationalError:
            self.end()  # the reader is about to find out


async def _batches(pgconn: pq.abc.PGconn) -> AsyncIterator[list[memoryview]]:
    """Yield the messages that have arrived, at most BATCH at once.

    Raises:
        psycopg.OperationalError: The stream ended.
    """
    batch: list[memoryview] = []
    while True:
        size, data = pgconn.get_copy_data(1)
        if size > 0:
            batch.append(memoryview(data))
        elif size < 0:
            raise psycopg.OperationalError("the replication stream ended")
        else:
            pgconn.consume_input()
            size, data = pgconn.get_copy_data(1)
            if size > 0:
                batch.append(memoryview(data))
            elif batch:
                yield batch
                batch = []
            elif size == 0:
                await _readable(pgconn)
                pgconn.consume_input()
        if len(batch) >= BATCH:
            yield batch
            batch = []


async def _readable(pgconn: pq.abc.PGconn) -> None:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    descriptor = pgconn.socket
    loop.add_reader(descriptor, lambda: readable.set_result(None) if not readable.done() else None)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
