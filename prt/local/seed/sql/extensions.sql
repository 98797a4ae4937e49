-- uuid-ossp and pgcrypto are installed in every hosted project. The wheel of PostgreSQL does not contain them, but
-- prt/local/postgres/extensions has both as SQL (see also `schema.bootstrap`). The user's role owns them, so that
-- it may move and drop them.

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
