"""A connection to PostgreSQL that comes back after its backend was killed.

psycopg brings libpq, for SQL here and for the replication protocol in `replication.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

Connection = AsyncConnection[Any]
T = TypeVar("T")

# The text of a value must not depend on what the server or the user's environment is set to.
_TEXT_FORMS = "-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex"  # noqa: E501


def conninfo_of(conninfo: str, name: str, *, options: str = "", **keywords: str) -> str:
    """`conninfo` with our session settings; `name` shows in pg_stat_activity."""
    return make_conninfo(
        conninfo, application_name=name, options=f"{_TEXT_FORMS} {options}".strip(), **keywords
    )


class Session:
    """One connection in autocommit, used by one task at a time; what it groups has one snapshot."""

    def __init__(self, conninfo: str, name: str, *, statement_seconds: float) -> None:
        options = (
            f"-c statement_timeout={int(statement_seconds * 1000)} "
            "-c default_transaction_isolation=repeatable\\ read"
        )
        self._conninfo = conninfo_of(conninfo, name, options=options)
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """`work` with the connection; once again with a new one where the old one had died."""
        async with self._lock:
            connection = await self._connected()
            try:
                return await work(connection)
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
                return await work(await self._connected())

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        return self._connection
