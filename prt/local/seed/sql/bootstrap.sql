-- The objects that every Supabase project has before its first migration.
-- This script runs after roles.sql and auth.sql.
-- https://supabase.com/docs/guides/database/postgres/roles

create schema if not exists extensions;
create schema if not exists realtime;

-- Functions of extensions can be called without their schema, as in a hosted project.
do $$
begin
  execute format('alter database %I set search_path to "$user", public, extensions', current_database());
end $$;

-- The claims of the request: PostgREST sets them as one JSON object; old versions set one setting per claim.
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create or replace function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

-- Supabase's default grants, also for the objects that postgres or supabase_admin will create.
grant usage on schema public, auth, realtime, extensions to postgres, anon, authenticated, service_role;
grant usage on schema auth, realtime to postgres with grant option;
grant all on schema extensions to postgres;
grant all on schema auth, realtime, extensions to dashboard_user, supabase_admin;
grant create on schema public to postgres, supabase_admin;
grant all on all tables in schema public to postgres, anon, authenticated, service_role;
grant all on all routines in schema public to postgres, anon, authenticated, service_role;
grant all on all sequences in schema public to postgres, anon, authenticated, service_role;

do $$
declare
  maker text;
begin
  foreach maker in array array['postgres', 'supabase_admin'] loop
    execute format('alter default privileges for role %I in schema public grant all on tables '
      'to postgres, anon, authenticated, service_role', maker);
    execute format('alter default privileges for role %I in schema public grant all on sequences '
      'to postgres, anon, authenticated, service_role', maker);
  end loop;
end $$;
-- Not of supabase_admin: everybody may call its functions anyway, except those of extensions that are withdrawn
-- from all, such as dblink_connect_u, which signs in elsewhere as the user of the server.
alter default privileges for role postgres in schema public grant all on routines
  to postgres, anon, authenticated, service_role;

-- Realtime streams the tables of this publication. A reset drops the tables, but not the publication.
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end $$;

-- Every publication streams stored generated columns, as wal2json does in a hosted project. Without this option,
-- PostgreSQL 18 refuses each UPDATE of a table that has such a column and the replica identity FULL. Migrations
-- create `supabase_realtime` again, so an event trigger sets the option. Older servers don't have it.
do $$
declare
  publication name;
begin
  if current_setting('server_version_num')::int < 180000 then
    return;
  end if;
  for publication in select pubname from pg_publication where pubgencols <> 's' loop
    execute format('alter publication %I set (publish_generated_columns = stored)', publication);
  end loop;
  create or replace function realtime.publish_generated_columns() returns event_trigger
    language plpgsql security definer set search_path = '' as $body$
    declare
      publication name;
    begin
      for publication in
        select p.pubname from pg_catalog.pg_event_trigger_ddl_commands() as made
        join pg_catalog.pg_publication p on p.oid = made.objid
        where made.classid = 'pg_catalog.pg_publication'::regclass and p.pubgencols <> 's'
      loop
        execute format('alter publication %I set (publish_generated_columns = stored)', publication);
      end loop;
    end
  $body$;
  if not exists (select from pg_event_trigger where evtname = 'prt_publish_generated_columns') then
    create event trigger prt_publish_generated_columns on ddl_command_end when tag in ('CREATE PUBLICATION')
      execute function realtime.publish_generated_columns();
  end if;
end $$;
