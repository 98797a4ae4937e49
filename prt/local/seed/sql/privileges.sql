-- What Supabase lets `postgres` do although PostgreSQL asks for a superuser: `prt` calls these functions for
-- the statements of migrations that need them. They put names together and take no SQL. Runs last.

-- Those that Supabase lets its users create, and PostgreSQL does not trust by itself. Extensions that read
-- the server's files or its pages are not among them.
create or replace function extensions.prt_create_extension(
  name text, into_schema text, version text, with_cascade boolean
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if name <> all (array[
    'address_standardizer', 'address_standardizer_data_us', 'autoinc', 'bloom', 'dblink', 'dict_xsyn',
    'earthdistance', 'http', 'hypopg', 'index_advisor', 'insert_username', 'moddatetime', 'pg_cron',
    'pg_graphql', 'pg_hashids', 'pg_jsonschema', 'pg_net', 'pg_stat_monitor', 'pg_stat_statements',
    'pg_walinspect', 'pgaudit', 'pgjwt', 'pgmq', 'pgroonga', 'pgrouting', 'pgrowlocks', 'pgtap',
    'plpgsql_check', 'postgis', 'postgis_raster', 'postgis_sfcgal', 'postgis_tiger_geocoder',
    'postgis_topology', 'postgres_fdw', 'refint', 'rum', 'sslinfo', 'timescaledb', 'vector'
  ]) then
    raise insufficient_privilege using message = format('permission denied to create extension "%s"', name);
  end if;
  execute format('create extension if not exists %I', name)
    || case when into_schema is null then '' else format(' schema %I', into_schema) end
    || case when version is null then '' else format(' version %I', version) end
    || case when with_cascade then ' cascade' else '' end;
end $$;

create or replace function extensions.prt_publish_all_tables(name text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create publication %I for all tables', name);
end $$;

revoke all on function extensions.prt_create_extension, extensions.prt_publish_all_tables from public;
grant execute on function extensions.prt_create_extension, extensions.prt_publish_all_tables to postgres;
