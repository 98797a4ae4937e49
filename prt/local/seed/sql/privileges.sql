-- What Supabase lets `postgres` do although PostgreSQL asks for a superuser: `prt` calls these functions for
-- the statements of migrations that need them. They put names together and take no SQL. Runs last.

-- Extensions that Supabase lets its users create, and PostgreSQL does not trust by itself. Those that read the
-- server's files or its pages, or load libraries, are not among them, such as postgis_raster and pgroonga.
create or replace function extensions.prt_may_create(name text) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp as $$
  select name = any (array[
    'address_standardizer', 'address_standardizer_data_us', 'autoinc', 'bloom', 'dblink', 'dict_xsyn',
    'earthdistance', 'http', 'hypopg', 'index_advisor', 'insert_username', 'moddatetime', 'pg_cron',
    'pg_graphql', 'pg_hashids', 'pg_jsonschema', 'pg_net', 'pg_stat_monitor', 'pg_stat_statements',
    'pg_walinspect', 'pgaudit', 'pgjwt', 'pgmq', 'pgrouting', 'pgrowlocks', 'pgtap', 'plpgsql_check',
    'postgis', 'postgis_sfcgal', 'postgis_tiger_geocoder', 'postgis_topology', 'postgres_fdw', 'refint',
    'rum', 'sslinfo', 'timescaledb', 'vector'
  ])
$$;

-- `caller_schema` is where the caller's search path creates objects: this function has a path of its own.
create or replace function extensions.prt_create_extension(
  name text, into_schema text, version text, with_cascade boolean, caller_schema text
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not extensions.prt_may_create(name) or into_schema like 'pg\_%' then
    raise insufficient_privilege using message = format('permission denied to create extension "%s"', name);
  end if;
  -- One with a schema of its own creates it.
  if into_schema is null and not exists (
    select from pg_available_extension_versions as known
    where known.name = prt_create_extension.name and (known.schema is not null or known.installed)
  ) then
    if caller_schema is null or caller_schema like 'pg\_%' then
      raise invalid_schema_name using message = 'no schema has been selected to create in';
    end if;
    into_schema := caller_schema;
  end if;
  execute format('create extension if not exists %I', name)
    || case when into_schema is null then '' else format(' schema %I', into_schema) end
    || case when version is null then '' else format(' version %I', version) end
    || case when with_cascade then ' cascade' else '' end;
end $$;

-- Extensions that the user may create, or has created: their functions belong to the superuser in either case.
create or replace function extensions.prt_check_extension(name text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not extensions.prt_may_create(name) and exists (
    select from pg_extension where extname = name and extowner <> 'postgres'::regrole
  ) then
    raise insufficient_privilege using message = format('must be owner of extension %s', name);
  end if;
end $$;

create or replace function extensions.prt_move_extension(name text, into_schema text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform extensions.prt_check_extension(name);
  if into_schema like 'pg\_%' then
    raise insufficient_privilege using message = format('permission denied for schema %s', into_schema);
  end if;
  execute format('alter extension %I set schema %I', name, into_schema);
end $$;

create or replace function extensions.prt_drop_extension(name text, if_exists boolean, with_cascade boolean)
  returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform extensions.prt_check_extension(name);
  execute format('drop extension %s %I %s',
    case when if_exists then 'if exists' end, name, case when with_cascade then 'cascade' end);
end $$;

-- The publication becomes the user's, as in a hosted project. PostgreSQL gives one of all tables to superusers
-- only, so the role is one within this transaction, in which nothing else runs.
create or replace function extensions.prt_publish_all_tables(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create publication %I for all tables', name);
  alter role postgres superuser;
  execute format('alter publication %I owner to postgres', name);
  alter role postgres nosuperuser;
end $$;

do $$
declare
  one regprocedure;
begin
  for one in
    select oid from pg_catalog.pg_proc
    where pronamespace = 'extensions'::regnamespace and proname in (
      'prt_may_create', 'prt_check_extension', 'prt_create_extension', 'prt_move_extension',
      'prt_drop_extension', 'prt_publish_all_tables')
  loop
    execute pg_catalog.format('revoke all on function %s from public', one);
    execute pg_catalog.format('grant execute on function %s to postgres', one);
  end loop;
end $$;
