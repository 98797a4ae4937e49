"""SQL statements with numbered parameters (`$1`).

All names are quoted, and all values are parameters. psycopg's raw cursor doesn't change the text, so a `%` in
a name has no special meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor

from prt.local.rest.errors import RestError


class Parameters:
    """The values of one statement; `bind` adds a value and returns its placeholder."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def bind(self, value: str) -> str:
        """Add a value and return its placeholder (`$1`, …). Raise RestError if it contains a NUL."""
        if "\0" in value:
            raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
        self.values.append(value)
        return f"${len(self.values)}"


def quote(name: str) -> str:
    """Return a quoted identifier. Raise RestError if the name is empty or contains a NUL."""
    if not name or "\0" in name:
        raise RestError(400, "42602", "invalid name syntax")
    return '"' + name.replace('"', '""') + '"'


def array_literal(values: Sequence[str]) -> str:
    """Return the text form of an array, in which every element is quoted: `{"a","b"}`."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


async def execute(
    connection: AsyncConnection[Any], text: str, values: Sequence[Any], *, is_of_catalog: bool = False
) -> AsyncRawCursor[Any]:
    """Execute a statement and return its cursor.

    Args:
        connection: The connection.
        text: The SQL, with placeholders such as `$1`.
        values: The values of the placeholders.
        is_of_catalog: Whether the statement reads only the catalog. Other statements are not prepared,
            because a prepared statement would keep types that DDL has changed since.
    """
    cursor: AsyncRawCursor[Any] = AsyncRawCursor(connection)
    await cursor.execute(text.encode(), values, prepare=is_of_catalog)
    return cursor
