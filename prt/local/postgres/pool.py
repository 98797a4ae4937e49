"""A small pool of connections for the services of the embedded project, with transactions as another role.

psycopg is PostgreSQL's client. Its own pool is another package and starts threads; for a dozen connections on
loopback a stack and a semaphore are enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import msgspec
from psycopg import AsyncConnection, Error, OperationalError, sql

from prt.local.postgres.slots import NOBODY, Borrower, Slots

WAIT_SECONDS = 10.0
"""How long a request waits for a free connection: PostgREST's own default."""


class NoConnectionError(Exception):
    """Every connection of the pool is taken, and none came back in time."""


class Database:
    """A pool of connections in autocommit, opened when they are first needed, the last used reused first.

    `async with` opens the first connection, so that a wrong address or password raises psycopg.Error at once.
    Requests of one user, or all requests of a role such as `anon` without a user, have at most `share`
    connections at once.

    Args:
        conninfo: The address and the login, as libpq's keywords.
        size: The most connections.
        share: The most connections of one borrower; None for all.
    """

    def __init__(self, conninfo: str, size: int = 10, *, share: int | None = None) -> None:
        self._conninfo = conninfo
        self._slots = Slots(size, size if share is None else share)
        self._idle: list[AsyncConnection[Any]] = []
        self._is_open = False

    async def __aenter__(self) -> Database:
        self._idle.append(await self._connect())
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Yield a connection in autocommit, as the login itself, and roll back what is left open."""
        async with self._borrowed() as connection:
            yield connection

    @asynccontextmanager
    async def acting_as(
        self,
        role: str,
        claims: Mapping[str, Any],
        *,
        settings: Mapping[str, str] | None = None,
        is_read_only: bool = False,
        borrower: Borrower = NOBODY,
    ) -> AsyncIterator[AsyncConnection[Any]]:
        """Run the block in one transaction as a role, with the settings that PostgREST makes.

        It commits at the end, and rolls back on an exception.

        Args:
            role: The role of the token.
            claims: The claims of the token, for `request.jwt.claims`.
            settings: More settings of the transaction.
            is_read_only: Whether the transaction may not write.
            borrower: The user or role, and the socket, to which the connection is lent.

        Raises:
            InvalidParameterValue: There is no such role.
            InsufficientPrivilege: The login may not become this role.
            NoConnectionError: No connection became free in time.
        """
        begin = _beginning(role, claims, settings or {}, is_read_only)
        async with self._borrowed(begin, borrower) as connection:
            yield connection
            await connection.execute("commit", prepare=False)

    @asynccontextmanager
    async def _borrowed(
        self, begin: sql.Composed | None = None, borrower: Borrower = NOBODY
    ) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                since = await self._slots.take(borrower)
        except TimeoutError as exc:
            raise NoConnectionError from exc
        connection: AsyncConnection[Any] | None = None
        try:
            connection = await self._begun(begin)
            yield connection
        finally:
            try:
                if connection is not None:
                    await self._give_back(connection)
            finally:
                self._slots.release(borrower, since)

    async def _begun(self, begin: sql.Composed | None) -> AsyncConnection[Any]:
        """Return a connection that has answered, because an idle one may have died unnoticed."""
        while True:
            is_fresh = not self._idle
            connection = await self._connect() if is_fresh else self._idle.pop()
            try:
                await connection.execute(begin if begin is not None else "", prepare=False)
            except OperationalError:
                if is_fresh or not connection.closed:
                    await self._give_back(connection)
                    raise
                await connection.close()
            except BaseException:
                await self._give_back(connection)
                raise
            else:
                return connection

    async def _give_back(self, connection: AsyncConnection[Any]) -> None:
        """Roll back. That is also the one that fails if PostgreSQL heeds a cancellation too late."""
        try:
            await connection.rollback()
        except Error:
            await connection.close()
        except BaseException:
            await connection.close()
            raise
        if connection.closed:
            return
        if self._is_open:
            self._idle.append(connection)
        else:
            await connection.close()

    async def _connect(self) -> AsyncConnection[Any]:
        return await AsyncConnection.connect(self._conninfo, autocommit=True)


_TIMEOUT_OF = sql.SQL(
    "set_config('statement_timeout', coalesce((select split_part(setting, '=', 2)"
    " from pg_catalog.pg_roles, unnest(rolconfig) as setting"
    " where rolname = {} and setting like 'statement\\_timeout=%'),"
    " current_setting('statement_timeout')), true)"
)


def _beginning(
    role: str, claims: Mapping[str, Any], settings: Mapping[str, str], is_read_only: bool
) -> sql.Composed:
    """One round trip that begins, takes the role and sets the claims: one text, so literals, no parameters.

    The role comes last: the settings before it are set by the login. A role's own `statement_timeout`
    counts only at a login, so it is looked up.
    """
    local = {
        "search_path": '"public", "extensions"',
        "request.jwt.claims": msgspec.json.encode(claims).decode(),
        **settings,
        "role": role,
    }
    calls = [_TIMEOUT_OF.format(role)]
    calls += [sql.SQL("set_config({}, {}, true)").format(name, value) for name, value in local.items()]
    begin = sql.SQL("begin read only; select " if is_read_only else "begin; select ")
    return sql.Composed([begin, sql.SQL(", ").join(calls)])
