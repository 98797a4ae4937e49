"""Names inside of SQL with placeholders: psycopg quotes them, but takes a percent sign for a placeholder."""

from __future__ import annotations

from psycopg import sql


def identifier(*parts: str) -> sql.SQL:
    """`"schema"."table"`, say."""
    return _plain(sql.Identifier(*parts).as_string(None))


def type_name(name: str) -> sql.SQL:
    """A type as `regtype` or `format_type` prints it, which quotes what must be quoted."""
    return _plain(name)


def _plain(text: str) -> sql.SQL:
    return sql.SQL(text.replace("%", "%%"))
