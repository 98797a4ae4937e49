"""Conversion of database URLs, as people have them in their environment, to URLs for libpq."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"\s*(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
"""The scheme, also in the forms of SQLAlchemy (postgresql+psycopg2) and Java (jdbc:postgresql)."""
_OF_OTHERS: Final = frozenset(
    (
        *("pgbouncer", "connection_limit", "pool_timeout", "pool_size", "schema", "socket_timeout"),
        *("statement_cache_size", "prepared_statement_cache_size", "sslaccept", "sslidentity", "supa"),
        *("prepareThreshold", "currentSchema", "workaround", "uselibpqcompat", "max_connections"),
    )
)
"""Parameters of ORMs and poolers that don't affect how the database is reached.

They are those of Prisma, SQLAlchemy's asyncpg, JDBC and Supabase's pooler.
"""


def libpq_url(text: str) -> str:
    """Return the URL without what only an ORM understands; any other text is returned unchanged."""
    match = _SCHEME.match(text)
    if match is None:
        return text
    address, mark, query = text[match.end() :].strip().partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in _OF_OTHERS]
    return f"postgresql://{address}{mark if kept else ''}{'&'.join(kept)}"


def parameters_of(text: str) -> list[str]:
    """Return the names of the query parameters of a URL that `libpq_url` has returned."""
    if not text.startswith("postgresql://"):
        return []
    return [part.partition("=")[0] for part in text.partition("?")[2].split("&") if part]
