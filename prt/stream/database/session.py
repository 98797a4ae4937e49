"""A connection to a project's database that is opened again after it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

T = TypeVar("T")
CONNECT_SECONDS = 10
"""How long opening a connection may take."""
STATEMENT_MS = 5_000
"""How long a statement may take, in milliseconds."""

# The text of a value must not depend on settings of the role or the database.
_TEXT_FORMS = (
    "-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex"
)


async def connect(url: str, name: str, **keywords: str) -> AsyncConnection[Any]:
    """Open a connection with our settings.

    Args:
        url: The connection URL.
        name: The name of the connection in pg_stat_activity.
        **keywords: Further parameters of libpq.

    Raises:
        psycopg.OperationalError: If there is no answer, or the server refuses.
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
    """A connection that does one piece of work at a time."""

    def __init__(self, url: str, name: str) -> None:
        """Prepare the connection; `name` is its name in pg_stat_activity."""
        self.url = url
        self._name = name
        self._lock = asyncio.Lock()
        self._connection: AsyncConnection[Any] | None = None

    async def run(self, work: Callable[[AsyncConnection[Any]], Awaitable[T]]) -> T:
        """Call `work` with the connection, which is opened first if it is not open.

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
                # The server may execute psycopg's request to cancel only during the next query.
                await self._connection.close()
                raise

    async def close(self) -> None:
        """Close the connection if it is open."""
        if self._connection is not None:
            await self._connection.close()


def first_line(error: BaseException) -> str:
    """Return the first line of an error message of PostgreSQL or libpq."""
    return (str(error).strip().splitlines() or [""])[0]
