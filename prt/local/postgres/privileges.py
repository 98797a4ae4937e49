"""The statements that Supabase lets `postgres` run although PostgreSQL requires a superuser.

`privileges.sql` has functions of the superuser that do the same. They take names and no SQL, so a statement
with any other part is run as it stands, and PostgreSQL refuses it.
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
MOVE = re.compile(rf"alter\s+extension\s+(?P<name>{NAME})\s+set\s+schema\s+(?P<schema>{NAME})", re.IGNORECASE)
DROP = re.compile(
    rf"drop\s+extension\s+(?P<exists>if\s+exists\s+)?(?P<name>{NAME})"
    r"(?:\s+restrict|(?P<cascade>\s+cascade))?",
    re.IGNORECASE,
)
ALL_TABLES = re.compile(rf"create\s+publication\s+(?P<name>{NAME})\s+for\s+all\s+tables", re.IGNORECASE)


class Call(NamedTuple):
    """A query that calls a function, and its parameters, as psycopg takes them."""

    query: bytes
    arguments: tuple[str | bool | None, ...]


def call_of(statement: str, untrusted: frozenset[str]) -> Call | None:
    """Return the call that replaces a statement, or None if the statement is run as it stands.

    Args:
        statement: One SQL statement without its semicolon.
        untrusted: The extensions of the server that only a superuser may create.
    """
    if found := EXTENSION.fullmatch(statement):
        name = _unquoted(found["name"])
        if name not in untrusted:
            return None
        schema, version = (found[part] and _unquoted(found[part]) for part in ("schema", "version"))
        return Call(
            b"select extensions.prt_create_extension(%s, %s, %s, %s, current_schema())",
            (name, schema, version, found["cascade"] is not None),
        )
    if found := MOVE.fullmatch(statement):
        return Call(
            b"select extensions.prt_move_extension(%s, %s)",
            (_unquoted(found["name"]), _unquoted(found["schema"])),
        )
    if found := DROP.fullmatch(statement):
        return Call(
            b"select extensions.prt_drop_extension(%s, %s, %s)",
            (_unquoted(found["name"]), found["exists"] is not None, found["cascade"] is not None),
        )
    if found := ALL_TABLES.fullmatch(statement):
        return Call(b"select extensions.prt_publish_all_tables(%s)", (_unquoted(found["name"]),))
    return None


def _unquoted(name: str) -> str:
    """Return a name without its quotes, or in lower case if it is not quoted, as PostgreSQL reads it."""
    return name[1:-1] if name[0] in "\"'" else name.lower()
