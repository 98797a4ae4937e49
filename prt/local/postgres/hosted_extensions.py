"""The extensions of a hosted project that the embedded PostgreSQL may lack, with their schemas and functions.

https://supabase.com/docs/guides/database/extensions
"""

from __future__ import annotations

import re
from collections.abc import Collection

PREINSTALLED = frozenset({"pgcrypto", "uuid-ossp"})
"""The extensions that every project has before its first migration."""

HOSTED = frozenset(
    {
        "address_standardizer", "address_standardizer_data_us", "http", "hypopg", "index_advisor",
        "pg_cron", "pg_graphql", "pg_hashids", "pg_jsonschema", "pg_net", "pg_partman", "pg_repack",
        "pg_stat_monitor", "pg_tle", "pgaudit", "pgjwt", "pgmq", "pgroonga", "pgroonga_database",
        "pgrouting", "pgsodium", "pgtap", "plcoffee", "pljava", "plls", "plpgsql_check", "plv8",
        "postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder", "postgis_topology",
        "rum", "sslinfo", "supabase_vault", "timescaledb", "wrappers", "xml2",
    }
)  # fmt: skip
"""The extensions that are skipped if the server lacks them.

If it lacks another one, that is an error, because a hosted project lacks it too.
"""

_SCHEMAS = {
    "cron": "pg_cron",
    "graphql": "pg_graphql",
    "graphql_public": "pg_graphql",
    "net": "pg_net",
    "pgmq": "pgmq",
    "pgsodium": "pgsodium",
    "supabase_functions": "pg_net",
    "tiger": "postgis_tiger_geocoder",
    "topology": "postgis_topology",
    "vault": "supabase_vault",
}
"""The extensions that have a schema of their own. Database webhooks, in `supabase_functions`, use pg_net."""

_TYPES = {
    **dict.fromkeys(("geometry", "geography", "box2d", "box3d"), "postgis"),
    "raster": "postgis_raster",
    "http_request": "http",
    "http_response": "http",
}
_FUNCTIONS = {
    **dict.fromkeys(("http", "http_get", "http_post", "http_put", "http_delete", "http_header"), "http"),
    **dict.fromkeys(("sign", "verify", "url_encode", "url_decode"), "pgjwt"),
    **dict.fromkeys(("json_matches_schema", "jsonb_matches_schema"), "pg_jsonschema"),
    **dict.fromkeys(("id_encode", "id_decode"), "pg_hashids"),
}

_STATEMENT = re.compile(
    r'(create|alter|drop|comment\s+on)\s+extension\s+(?:if\s+(?:not\s+)?exists\s+)?"?([\w-]+)', re.IGNORECASE
)
_OWN_SCHEMA = re.compile(
    rf'\b({"|".join(_SCHEMAS)})"?\s*\.|\bschema\s+"?({"|".join(_SCHEMAS)})\b', re.IGNORECASE
)
_CALLS = re.compile(
    r"(?:select|call|grant|revoke|alter\s+default\s+privileges|comment\s+on|insert|update|delete"
    r"|create\s+(?:or\s+replace\s+)?trigger)\b",
    re.IGNORECASE,
)
_MISSING_NAME = re.compile(r'(function|relation|type|schema) "?([\w.-]+)')


def named_by(statement: str) -> tuple[str, str] | None:
    """Return the action of a statement and its extension, such as `("comment on", "pgcrypto")`, or None."""
    found = _STATEMENT.match(statement)
    return (" ".join(found[1].lower().split()), found[2].lower()) if found else None


def is_absent(extension: str, available: Collection[str]) -> bool:
    """Return whether a hosted project has an extension that this server lacks."""
    return extension in HOSTED and extension not in available


def called_by(statement: str, available: Collection[str]) -> str | None:
    """Return the absent extension in whose schema a statement calls or grants something, or None.

    Such a statement can be skipped, because no later statement depends on it. Later statements may depend on
    one that creates a table or a function.
    """
    if _CALLS.match(statement) is None or (found := _OWN_SCHEMA.search(statement)) is None:
        return None
    extension = _SCHEMAS[(found[1] or found[2]).lower()]
    return extension if is_absent(extension, available) else None


def missing_by(message: str, available: Collection[str], skipped: Collection[str]) -> str | None:
    """Return the absent extension to which the name in an error of PostgreSQL belongs, or None.

    Args:
        message: PostgreSQL's error.
        available: The extensions that the server has.
        skipped: The extensions that were skipped. The name of a function alone could belong to anything, so
            it counts only if its extension is one of these.
    """
    if (found := _MISSING_NAME.search(message)) is None:
        return None
    kind, name = found[1], found[2].lower()
    schema, _, last = name.rpartition(".")
    by_name = "postgis" if last.startswith("st_") else _FUNCTIONS.get(last)
    extension = {
        "schema": _SCHEMAS.get(last),
        "relation": _SCHEMAS.get(schema),
        "type": _SCHEMAS.get(schema) or _TYPES.get(last),
        "function": _SCHEMAS.get(schema) or (by_name if by_name in skipped else None),
    }[kind]
    return extension if extension is not None and is_absent(extension, available) else None
