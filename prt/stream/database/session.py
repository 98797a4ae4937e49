"""One connection to a project's database that is opened again after it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

T = TypeVar("T")
CONNECT_SECONDS = 10
STATEMENT_MS = 5_000

# The text of a value must not depend on what the role or the database is set to.
_TEXT_FORMS = (
    "-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex"
)


async def connect(url: str, name: str, **keywords: str) -> AsyncConnection[Any]:
    """Open a connection with our settings; `name` shows in pg_stat_activity.

    Raises:
        psycopg.OperationalError: Nobody answered, or the server refused.
    """
    conninfo = make_conninfo(
        url, application_name=name, connect_timeout=CONNECT_SECONDS, options=_TEXT_FORMS, **keywords
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)
    except TimeoutError as exc:
        raise psycopg.OperationalError(f"no answer in {CONNECT_SECONDS} s") from exc


class DatabaseSession:
    """A connection for one piece of work at a time."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self._name = name
        self._lock = asyncio.Lock()
        self._connection: AsyncConnection[Any] | None = None

    async def run(self, work: Callable[[AsyncConnection[Any]], Awaitable[T]]) -> T:
        """Run `work` with the connection, which is opened first if there is none.

        Raises:
            psycopg.Error: What `work` raised, or OperationalError if the database can't be reached.
        """
        async with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(self.url, self._name)
                await self._connection.execute(
                    "select set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)]
                )
            try:
                return await work(self._connection)
            except asyncio.CancelledError:
                # The server may act on psycopg's request to cancel only during the next query.
                await self._connection.close()
                raise

    async def close(self) -> None:
        """Close the connection if it is open."""
        if self._connection is not None:
            await self._connection.close()


def first_line(error: BaseException) -> str:
    """Return the first line of what PostgreSQL or libpq said."""
    return (str(error).strip().splitlines() or [""])[0]
