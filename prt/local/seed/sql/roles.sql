-- The roles of a Supabase project, with the rights that clients and migrations rely on.
-- Roles belong to the whole cluster, so this script must be able to run again after a reset.

do $$
declare
  name text;
begin
  foreach name in array array[
    'postgres', 'anon', 'authenticated', 'service_role', 'authenticator', 'dashboard_user',
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
-- Migrations name these roles in `owner to` and `alter default privileges`; nobody logs in as one of them.
alter role supabase_storage_admin noinherit createrole;
alter role dashboard_user createdb createrole replication;

-- Auth and Realtime run triggers and policies of the user. There `reset role` leads to the role that logged in,
-- so that role is not a superuser.
alter role supabase_auth_admin noinherit createrole login;
alter role supabase_realtime_admin login bypassrls;
-- Realtime's streams, which run nothing of the user, log in as supabase_replication_admin. Before 18.6 a role that
-- may replicate can have the server load any library as a decoder, so no SQL of the user runs as such a role.
alter role supabase_replication_admin login replication;

-- The superuser is supabase_admin, which created the cluster. Nobody else may create event triggers: they would
-- run for the statements of the superuser too, with its rights.

-- REST logs in as authenticator and changes to the role of the token.
alter role authenticator noinherit login;
-- The timeouts of a hosted project: no request occupies a connection for longer.
alter role authenticator set statement_timeout = '8s';
alter role authenticated set statement_timeout = '8s';
alter role anon set statement_timeout = '3s';
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to supabase_storage_admin;
-- Through authenticator, so that Realtime becomes whatever roles a user grants to it.
grant authenticator, pg_read_all_data to supabase_realtime_admin;

-- The user's own role, which runs migrations: what it may do in a hosted project, and no superuser.
-- There an extension lets it have policies on the tables of Auth, Realtime and Storage; here it is a member
-- of their owners.
alter role postgres nosuperuser createdb replication bypassrls login;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant set on parameter session_replication_role,
  pgrst.db_aggregates_enabled, pgrst.db_extra_search_path, pgrst.db_max_rows, pgrst.db_plan_enabled,
  pgrst.db_pre_request, pgrst.db_schemas, pgrst.db_tx_end, pgrst.openapi_mode to postgres;
do $$
begin
  -- Up to version 15 whoever creates roles may also grant himself the roles that read files and run programs.
  if current_setting('server_version_num')::int >= 160000 then
    alter role postgres createrole;
    grant pg_create_subscription to postgres;
  else
    alter role postgres nocreaterole;
    alter role supabase_auth_admin nocreaterole;
    alter role supabase_storage_admin nocreaterole;
  end if;
  if current_setting('server_version_num')::int < 180006 then
    alter role postgres noreplication;
  end if;
  execute format('alter database %I owner to postgres', current_database());
end $$;
