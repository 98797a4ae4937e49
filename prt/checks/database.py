"""A direct connection to the project's database, for checks that read its catalog.

psycopg, PostgreSQL's client, is installed with the extra `local`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from prt.config.database_url import parameters_of
from prt.errors import RefusedError, UnreachableError, UsageError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CONNECT_SECONDS = 10
PUBLICATION: Final = "supabase_realtime"
_ESCAPE = (
    "write a password's special characters as a URL does, @ as %40 and % as %25: "
    "python3 -c 'import urllib.parse as u, getpass as g; print(u.quote(g.getpass(), safe=str()))'"
)
_CONNECT_AS_OWNER = "put the URL of the user postgres into SUPABASE_DB_URL (dashboard: Connect)"


def is_installed() -> bool:
    """Return whether psycopg, which is an extra, is installed, so that the database can be asked at all."""
    return find_spec("psycopg") is not None


@asynccontextmanager
async def connected(conninfo: str, *, application: str) -> AsyncIterator[AsyncConnection[Any]]:
    """Open a connection that commits each statement, and close it at the end of the block.

    Raises:
        UsageError: The address is not the address of a database.
        UnreachableError: No database answers.
        RefusedError: The database refused a statement inside the block.
    """
    import psycopg  # noqa: PLC0415

    _check(conninfo)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await psycopg.AsyncConnection.connect(
                conninfo,
                autocommit=True,
                # A pooler may hand each transaction to another backend, without our prepared statements.
                prepare_threshold=None,
                application_name=application,
                connect_timeout=CONNECT_SECONDS,
            )
    except (TimeoutError, psycopg.Error) as exc:
        raise UnreachableError(first_line(exc) or f"no answer in {CONNECT_SECONDS} s") from exc
    async with connection:
        try:
            yield connection
        except psycopg.Error as exc:
            raise RefusedError(first_line(exc), _CONNECT_AS_OWNER) from exc


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, which may be empty."""
    return (str(error).strip().splitlines() or [""])[0]


def _check(conninfo: str) -> None:
    """Raise UsageError if libpq would split a database's address in another way than the user meant.

    If a password contains characters that a URL must escape, libpq reads parts of it as a host, a port or a
    database, and its errors would print them. The message here therefore contains neither libpq's error nor
    its cause.
    """
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    from psycopg.pq import Conninfo  # noqa: PLC0415

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    unknown = [name for name in parameters_of(conninfo) if name.isidentifier() and name not in known]
    if unknown:
        raise UsageError(f"it has a parameter that libpq does not know: {unknown[0]}", "leave it out")
    try:
        found = conninfo_to_dict(conninfo)
    except ProgrammingError:
        found = {"host": "@"}
    hosts, port, name = (str(found.get(one) or "") for one in ("host", "port", "dbname"))
    if "@" in hosts + name or not re.fullmatch(r"[\d,]*", port):
        raise UsageError("it is not a database's address, or its password is not escaped", _ESCAPE) from None
