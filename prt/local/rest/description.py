"""The answer to `/rest/v1/`: the tables that the caller may read, as PostgREST's OpenAPI 2.0 document."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg import AsyncConnection
from starlette.responses import Response

from prt.local.rest.sql import execute, quote

JSON_TYPE_OF = {"B": "boolean", "N": "number", "A": "array"}
INTEGERS = {"smallint", "integer", "bigint"}

READABLE_COLUMNS = """
select c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
  t.typcategory::text, a.attnotnull
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_catalog.pg_type t on t.oid = a.atttypid
where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and pg_catalog.has_table_privilege(c.oid, 'select')
order by c.relname, a.attnum
"""


async def answer(connection: AsyncConnection[Any], schema: str) -> Response:
    """Answer with the OpenAPI document of the tables in a schema that the current role may read."""
    cursor = await execute(connection, READABLE_COLUMNS, (quote(schema),))
    definitions: dict[str, dict[str, Any]] = {}
    for table, column, type_name, category, is_required in await cursor.fetchall():
        definition = definitions.setdefault(table, {"type": "object", "required": [], "properties": {}})
        kind = "integer" if type_name in INTEGERS else JSON_TYPE_OF.get(category, "string")
        definition["properties"][column] = {"format": type_name, "type": kind}
        if is_required:
            definition["required"].append(column)
    document = {
        "swagger": "2.0",
        "info": {"title": "standard public schema", "version": "prt-local"},
        "basePath": "/",
        "schemes": ["http"],
        "paths": {f"/{table}": {"get": {"tags": [table], "responses": {"200": {}}}} for table in definitions},
        "definitions": definitions,
    }
    return Response(
        msgspec.json.encode(document), headers={"Content-Type": "application/openapi+json; charset=utf-8"}
    )
