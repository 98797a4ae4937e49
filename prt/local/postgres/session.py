"""Connections to PostgreSQL that are opened again after their backend was killed.

psycopg brings libpq, which serves SQL here and the replication protocol in `replication.py`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

Connection = AsyncConnection[Any]
T = TypeVar("T")

# The text of a value must not depend on settings of the server or of the user's environment.
_TEXT_FORMS = "-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex"  # noqa: E501


def conninfo_of(conninfo: str, name: str, *, options: str = "", **keywords: str) -> str:
    """Return `conninfo` with our settings of a session.

    Args:
        conninfo: The address and the login, as libpq's keywords.
        name: The name that pg_stat_activity shows.
        options: More options of the server, as in `-c statement_timeout=5000`.
        keywords: More keywords of libpq.
    """
    return make_conninfo(
        conninfo, application_name=name, options=f"{_TEXT_FORMS} {options}".strip(), **keywords
    )


class Session:
    """One connection in autocommit, used by one task at a time. A transaction in it sees one snapshot."""

    def __init__(self, conninfo: str, name: str, *, statement_seconds: float) -> None:
        options = (
            f"-c statement_timeout={int(statement_seconds * 1000)} "
            "-c default_transaction_isolation=repeatable\\ read"
        )
        self._conninfo = conninfo_of(conninfo, name, options=options)
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` with the connection, and once more with a new connection if the old one was dead.

        After a cancellation the connection is closed. Otherwise the server might receive psycopg's request to
        cancel the query after that has ended, and cancel the next query instead.
        """
        async with self._lock:
            connection = await self._connected()
            try:
                return await work(connection)
            except asyncio.CancelledError:
                await connection.close()
                raise
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
                return await work(await self._connected())

    async def close(self) -> None:
        """Close the connection if it is open."""
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        return self._connection


class Sessions:
    """Connections for work whose duration a client decides, one for each piece of work.

    They are opened when they are first needed. If work has to wait for a connection, the client whose work
    has taken the least time so far comes first, so that slow work waits for quick work.

    Args:
        open_: The function that makes a session.
        size: The most sessions.
    """

    def __init__(self, open_: Callable[[], Session], size: int) -> None:
        self._open = open_
        self._free = size
        self._idle: list[Session] = []
        self._all: list[Session] = []
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._unwaited: set[asyncio.Task[Any]] = set()

    async def finish(self, work: Callable[[Connection], Awaitable[T]], *, spent_seconds: float = 0.0) -> T:
        """Run `work`, also to its end if its caller is cancelled meanwhile.

        It is for short work: breaking it off would cost a new connection.

        Args:
            work: The function that takes the connection.
            spent_seconds: How long the work of this client has taken so far.
        """
        await self._take(spent_seconds)
        task = asyncio.create_task(self._with_one(work))
        self._unwaited.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, spent_seconds: float = 0.0) -> T:
        """Run `work` as `Session.run` does.

        Args:
            work: The function that takes the connection.
            spent_seconds: How long the work of this client has taken so far.
        """
        await self._take(spent_seconds)
        return await self._with_one(work)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        """Forget a task that has ended. If its caller has gone, nobody else looks at its error."""
        self._unwaited.discard(task)
        if not task.cancelled():
            task.exception()

    async def _with_one(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            if not self._idle:
                self._idle.append(self._open())
                self._all.append(self._idle[-1])
            session = self._idle.pop()
            try:
                return await session.run(work)
            finally:
                self._idle.append(session)
        finally:
            self._release()

    async def close(self) -> None:
        """Close all connections."""
        for task in self._unwaited:
            task.cancel()
        await asyncio.gather(*self._unwaited, return_exceptions=True)
        for session in self._all:
            await session.close()

    async def _take(self, spent_seconds: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (spent_seconds, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # its turn came in the same moment: the next one's now
            raise

    def _release(self) -> None:
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
