"""The schemas that REST exposes; the first one is the default.

A setting of the project decides, which PostgREST also reads from the database:
`alter role authenticator set pgrst.db_schemas = 'public, api'`. Without the setting, the exposed schemas are
`public` and all of the user's schemas that a role of tokens may use, because the embedded project has no
dashboard in which a schema can be exposed.
https://supabase.com/docs/guides/api/using-custom-schemas
"""

from __future__ import annotations

import time

from prt.local.postgres.pool import Database
from prt.local.rest.errors import RestError

DEFAULT = "public"
KEPT_SECONDS = 1.0
"""How long the list of schemas is cached. It is read again at once if a requested schema is not in it."""

EXPOSED = """
select coalesce(
  (
    select string_to_array(replace(split_part(setting, '=', 2), '"', ''), ',')
    from pg_catalog.pg_db_role_setting s, unnest(s.setconfig) as setting
    where s.setrole = 'authenticator'::regrole and setting like 'pgrst.db\\_schemas=%'
      and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
    order by s.setdatabase desc limit 1
  ),
  array['public'] || array(
    select nspname::text from pg_catalog.pg_namespace n
    where nspname !~ '^(pg_|prt_|supabase_)' and nspname not in (
      'auth', 'cron', 'extensions', 'graphql', 'information_schema', 'net', 'pgmq', 'pgsodium', 'public',
      'realtime', 'storage', 'vault'
    )
    and not exists (select from pg_catalog.pg_extension e where e.extnamespace = n.oid)
    and exists (
      select from pg_catalog.pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role')
        and pg_catalog.has_schema_privilege(r.oid, n.oid, 'usage')
    )
    order by nspname
  )
)
"""


class Schemas:
    """A cache of the exposed schemas."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exposed: tuple[str, ...] = ()
        self._read_at = 0.0

    async def chosen(self, wanted: str | None) -> str:
        """Return the schema that a request names in a header, or the default if `wanted` is None.

        Raises:
            RestError: `PGRST106`: the schema is not exposed.
        """
        is_old = not self._exposed or time.monotonic() - self._read_at > KEPT_SECONDS
        if is_old or (wanted is not None and wanted not in self._exposed):
            self._exposed = await self._read()
            self._read_at = time.monotonic()
        if wanted is None:
            return self._exposed[0]
        if wanted not in self._exposed:
            raise RestError(
                406,
                "PGRST106",
                f"Invalid schema: {wanted}",
                hint=f"Only the following schemas are exposed: {', '.join(self._exposed)}",
            )
        return wanted

    async def _read(self) -> tuple[str, ...]:
        async with self._database.connection() as connection:
            row = await (await connection.execute(EXPOSED.encode())).fetchone()
        names = (name.strip() for name in (row[0] if row else ()))
        return tuple(name for name in names if name) or (DEFAULT,)
