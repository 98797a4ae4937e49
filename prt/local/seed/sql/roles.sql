-- The roles of a Supabase project, with the rights that clients and migrations rely on.
-- Roles belong to the whole cluster, so this script must be able to run again after a reset.

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
-- Nobody logs in as an administrator: migrations name these roles in `owner to` and `alter default privileges`.
alter role supabase_admin superuser createdb createrole replication bypassrls;
alter role supabase_auth_admin noinherit createrole;
alter role supabase_storage_admin noinherit createrole;
alter role dashboard_user createdb createrole replication;
alter role supabase_replication_admin replication;

-- REST logs in as authenticator and changes to the role of the token.
alter role authenticator noinherit login;
-- The timeouts of a hosted project: no request occupies a connection for longer.
alter role authenticator set statement_timeout = '8s';
alter role authenticated set statement_timeout = '8s';
alter role anon set statement_timeout = '3s';
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to supabase_storage_admin, supabase_realtime_admin;
