"""SQL texts with numbered parameters.

Names are quoted and values are parameters, without exception. psycopg's raw cursor leaves the text alone
(`$1`, and a `%` in a name means nothing).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor

from prt.local.rest.errors import RestError


class Parameters:
    """Collects the values of one statement; `bind` gives the placeholder that stands for one."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def bind(self, value: str) -> str:
        """Add a value and return its placeholder. Raise RestError if PostgreSQL can't store it."""
        if "\0" in value:
            raise RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
        self.values.append(value)
        return f"${len(self.values)}"


def quote(name: str) -> str:
    """A quoted identifier. PostgreSQL has no identifier with a NUL or without a character."""
    if not name or "\0" in name:
        raise RestError(400, "42602", "invalid name syntax")
    return '"' + name.replace('"', '""') + '"'


def array_literal(values: Sequence[str]) -> str:
    """`{"a","b"}`: the text form of an array, every element quoted."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


async def execute(
    connection: AsyncConnection[Any], text: str, values: Sequence[Any], *, is_of_catalog: bool = False
) -> AsyncRawCursor[Any]:
    """Only what reads the catalog is prepared: a prepared statement keeps types that DDL has changed."""
    cursor: AsyncRawCursor[Any] = AsyncRawCursor(connection)
    await cursor.execute(text.encode(), values, prepare=is_of_catalog)
    return cursor
