-- uuid-ossp and pgcrypto are installed in every hosted project. The wheel of PostgreSQL has them not, but
-- prt/local/postgres/extensions brings both in SQL. See also `schema.bootstrap`. They are the user's own role's,
-- which may move and drop them.

do $$
declare
  extension name;
begin
  perform set_config('role', 'postgres', true);
  for extension in select name from pg_available_extensions where name in ('uuid-ossp', 'pgcrypto') loop
    execute format('create extension if not exists %I with schema extensions', extension);
  end loop;
  perform set_config('role', 'none', true);
end $$;
