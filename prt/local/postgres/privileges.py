"""Statements that Supabase lets `postgres` run although PostgreSQL asks for a superuser.

`privileges.sql` holds the functions of the superuser that do it. They take names and no SQL, so a statement
that has anything else in it is run as it stands, and PostgreSQL refuses it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = r"""(?:"[^"]+"|'[^']+'|[a-z_][\w$.-]*)"""

EXTENSION = re.compile(
    rf"create\s+extension\s+(?:if\s+not\s+exists\s+)?(?P<name>{NAME})"
    rf"(?:\s+with)?(?:\s+schema\s+(?P<schema>{NAME}))?(?:\s+version\s+(?P<version>{NAME}))?(?P<cascade>\s+cascade)?",
    re.IGNORECASE,
)
ALL_TABLES = re.compile(rf"create\s+publication\s+(?P<name>{NAME})\s+for\s+all\s+tables", re.IGNORECASE)


class Call(NamedTuple):
    """A function and its arguments, as psycopg takes them."""

    query: bytes
    arguments: tuple[str | bool | None, ...]


def call_of(statement: str, untrusted: frozenset[str]) -> Call | None:
    """Return the call that stands in for a statement, or None if it is run as it stands.

    Args:
        statement: One SQL statement without its semicolon.
        untrusted: The extensions that the server has, and that it does not let the users create.
    """
    if found := EXTENSION.fullmatch(statement):
        name = _unquoted(found["name"])
        if name not in untrusted:
            return None
        schema, version = (found[part] and _unquoted(found[part]) for part in ("schema", "version"))
        return Call(
            b"select extensions.prt_create_extension(%s, %s, %s, %s)",
            (name, schema, version, found["cascade"] is not None),
        )
    if found := ALL_TABLES.fullmatch(statement):
        return Call(b"select extensions.prt_publish_all_tables(%s)", (_unquoted(found["name"]),))
    return None


def _unquoted(name: str) -> str:
    """Return the name that PostgreSQL understands: one without quotes is in lower case."""
    return name[1:-1] if name[0] in "\"'" else name.lower()
