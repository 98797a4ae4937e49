-- uuid-ossp and pgcrypto are installed in every hosted project. The wheel of PostgreSQL has them not, but
-- prt/local/postgres/extensions brings both in SQL. See also `schema.bootstrap`.

do $$
declare
  extension name;
begin
  for extension in select name from pg_available_extensions where name in ('uuid-ossp', 'pgcrypto') loop
    execute format('create extension if not exists %I with schema extensions', extension);
  end loop;
end $$;
