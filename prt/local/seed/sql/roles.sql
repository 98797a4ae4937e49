-- The roles of a Supabase project, with the rights that clients and migrations count on.
-- Roles belong to the cluster, so this runs again after a reset: safe to repeat.

do $$
declare
  name text;
begin
  foreach name in array array[
    'anon', 'authenticated', 'service_role', 'authenticator', 'dashboard_user', 'supabase_admin',
    'supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin', 'supabase_replication_admin',
    'supabase_read_only_user', 'supabase_etl_admin', 'pgbouncer'
  ] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
  end loop;
end $$;

alter role anon noinherit;
alter role authenticated noinherit;
alter role service_role noinherit bypassrls;
-- Nobody logs in as the administrators: they are here for `owner to` and `alter default privileges for role`.
alter role supabase_admin superuser createdb createrole replication bypassrls;
alter role supabase_auth_admin noinherit createrole;
alter role supabase_storage_admin noinherit createrole;
alter role dashboard_user createdb createrole replication;
alter role supabase_replication_admin replication;

-- REST signs in as authenticator and becomes the role of the token.
alter role authenticator noinherit login;
-- As at a hosted project: no request keeps a connection, and whoever waits for it, for longer.
alter role authenticator set statement_timeout = '8s';
alter role authenticated set statement_timeout = '8s';
alter role anon set statement_timeout = '3s';
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to supabase_storage_admin, supabase_realtime_admin;
