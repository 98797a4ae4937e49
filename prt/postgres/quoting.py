"""Names in SQL that has placeholders: psycopg quotes them, but would read a percent sign as a placeholder."""

from __future__ import annotations

from psycopg import sql


def identifier(*parts: str) -> sql.SQL:
    """Return a name quoted as SQL, such as `"schema"."table"`, with percent signs doubled."""
    return _plain(sql.Identifier(*parts).as_string(None))


def type_name(name: str) -> sql.SQL:
    """Return the name of a type, as `regtype` or `format_type` prints it, as SQL.

    PostgreSQL has already quoted the name if that is necessary.
    """
    return _plain(name)


def _plain(text: str) -> sql.SQL:
    return sql.SQL(text.replace("%", "%%"))
