"""The address of a database as people have it in their environment, made one that libpq reads."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(r"\s*(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
"""As SQLAlchemy (postgresql+psycopg2) and Java (jdbc:postgresql) write it."""
_OF_OTHERS: Final = frozenset(
    (
        *("pgbouncer", "connection_limit", "pool_timeout", "pool_size", "schema", "socket_timeout"),
        *("statement_cache_size", "prepared_statement_cache_size", "sslaccept", "sslidentity", "supa"),
        *("prepareThreshold", "currentSchema", "workaround", "uselibpqcompat", "max_connections"),
    )
)
"""Parameters of ORMs and poolers (Prisma, SQLAlchemy's asyncpg, JDBC, Supabase's pooler) that say nothing of
how the database is reached."""


def libpq_url(text: str) -> str:
    """Return the address without what only an ORM understands; another text stays as it is."""
    match = _SCHEME.match(text)
    if match is None:
        return text
    address, mark, query = text[match.end() :].strip().partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in _OF_OTHERS]
    return f"postgresql://{address}{mark if kept else ''}{'&'.join(kept)}"


def parameters_of(text: str) -> list[str]:
    """Return the names of the query's parameters, of an address that `libpq_url` has returned."""
    if not text.startswith("postgresql://"):
        return []
    return [part.partition("=")[0] for part in text.partition("?")[2].split("&") if part]
