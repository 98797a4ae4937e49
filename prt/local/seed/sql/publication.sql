-- The publication that Realtime streams. It always has the same tables as supabase_realtime.
-- This script runs after realtime.sql.
--
-- The real server reads the log through wal2json, which ignores row filters, column lists and
-- publish_via_partition_root: rows and columns that supabase_realtime excludes are sent nevertheless, and partitions
-- under their own names. Stored generated columns are sent as well; with them in the publication, an UPDATE under
-- replica identity full is not refused. pgoutput obeys all of these options, so it gets a publication without them.

create or replace function realtime.prt_follow_publication() returns void
language plpgsql security definer set search_path = '' as $$
declare
  theirs pg_catalog.pg_publication;
  ours pg_catalog.pg_publication;
  change text;
begin
  select * into theirs from pg_catalog.pg_publication where pubname = 'supabase_realtime';
  select * into ours from pg_catalog.pg_publication where pubname = 'prt_realtime_changes';
  if ours.puballtables is distinct from coalesce(theirs.puballtables, false) then
    drop publication if exists prt_realtime_changes;
    if theirs.puballtables then
      create publication prt_realtime_changes for all tables;
    else
      create publication prt_realtime_changes;
    end if;
    select * into ours from pg_catalog.pg_publication where pubname = 'prt_realtime_changes';
  end if;
  for change in
    select pg_catalog.format('add table only %s', prrelid::pg_catalog.regclass) from (
      select prrelid from pg_catalog.pg_publication_rel where prpubid = theirs.oid
      except select prrelid from pg_catalog.pg_publication_rel where prpubid = ours.oid) as missing
    union all
    select pg_catalog.format('drop table only %s', prrelid::pg_catalog.regclass) from (
      select prrelid from pg_catalog.pg_publication_rel where prpubid = ours.oid
      except select prrelid from pg_catalog.pg_publication_rel where prpubid = theirs.oid) as left_over
    union all
    select pg_catalog.format('add tables in schema %s', pnnspid::pg_catalog.regnamespace) from (
      select pnnspid from pg_catalog.pg_publication_namespace where pnpubid = theirs.oid
      except select pnnspid from pg_catalog.pg_publication_namespace where pnpubid = ours.oid) as missing
    union all
    select pg_catalog.format('drop tables in schema %s', pnnspid::pg_catalog.regnamespace) from (
      select pnnspid from pg_catalog.pg_publication_namespace where pnpubid = ours.oid
      except select pnnspid from pg_catalog.pg_publication_namespace where pnpubid = theirs.oid) as left_over
    union all
    select pg_catalog.format('set (publish = %L)', pg_catalog.concat_ws(', ',
      case when theirs.pubinsert then 'insert' end, case when theirs.pubupdate then 'update' end,
      case when theirs.pubdelete then 'delete' end))
    where (theirs.pubinsert, theirs.pubupdate, theirs.pubdelete)
      <> (ours.pubinsert, ours.pubupdate, ours.pubdelete)
  loop
    execute 'alter publication prt_realtime_changes ' || change;
  end loop;
  if pg_catalog.current_setting('server_version_num')::int >= 180000 then
    for change in
      execute $query$
        select pubname from pg_catalog.pg_publication
        where pubname in ('supabase_realtime', 'prt_realtime_changes') and pubgencols <> 's'
      $query$
    loop
      execute pg_catalog.format('alter publication %I set (publish_generated_columns = stored)', change);
    end loop;
  end if;
end $$;
revoke all on function realtime.prt_follow_publication() from public;

create or replace function realtime.prt_publication_changed() returns event_trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- This trigger also fires for the changes that it makes itself, which the setting marks.
  if pg_catalog.current_setting('prt.follows_publication', true) is distinct from 'yes' then
    perform pg_catalog.set_config('prt.follows_publication', 'yes', true);
    perform realtime.prt_follow_publication();
    perform pg_catalog.set_config('prt.follows_publication', 'no', true);
  end if;
end $$;
revoke all on function realtime.prt_publication_changed() from public;

select realtime.prt_follow_publication();

do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'prt_publication_changed') then
    create event trigger prt_publication_changed on ddl_command_end
      when tag in ('CREATE PUBLICATION', 'ALTER PUBLICATION', 'DROP PUBLICATION')
      execute function realtime.prt_publication_changed();
  end if;
end $$;
