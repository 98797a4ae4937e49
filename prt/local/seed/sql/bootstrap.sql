-- What every Supabase project has before its own first migration. Runs after roles.sql and auth.sql.
-- https://supabase.com/docs/guides/database/postgres/roles

create schema if not exists extensions;
create schema if not exists realtime;

-- Unqualified names of extensions' functions resolve, as in a hosted project.
do $$
begin
  execute format('alter database %I set search_path to "$user", public, extensions', current_database());
end $$;
set search_path to "$user", public, extensions;

-- The claims of the request: PostgREST of today sets one JSON, that of old one setting a claim.
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

-- Supabase's default grants. New objects get theirs when postgres or supabase_admin makes them.
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
    execute format('alter default privileges for role %I in schema public grant all on routines '
      'to postgres, anon, authenticated, service_role', maker);
    execute format('alter default privileges for role %I in schema public grant all on sequences '
      'to postgres, anon, authenticated, service_role', maker);
  end loop;
end $$;

-- Realtime streams this publication, and it stays while a reset drops the tables in it.
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end $$;
