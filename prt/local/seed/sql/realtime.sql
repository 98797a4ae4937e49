-- Realtime's objects in the database: the rights on private topics, and the broadcasts of the database.
-- This script runs after bootstrap.sql.
-- https://supabase.com/docs/guides/realtime/authorization, …/realtime/broadcast

-- Policies on this table decide who may join (SELECT) and send (INSERT), for each extension: the server tries a row
-- of each and rolls it back. The rows that stay are broadcasts of the database.
create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  -- In UTC, whatever the session's time zone is, and increasing within a transaction: replay relies on both.
  inserted_at timestamp not null default (clock_timestamp() at time zone 'utc'),
  id uuid not null default gen_random_uuid(),
  primary key (id, inserted_at)
);
-- A project of an earlier version has the table without these columns. Rows with skip_broadcast were sent when they
-- were written, and are only replayed. expires_at is in UTC; null keeps the row as long as other messages.
alter table realtime.messages add column if not exists binary_payload bytea;
alter table realtime.messages add column if not exists skip_broadcast boolean not null default false;
alter table realtime.messages add column if not exists expires_at timestamp;
create index if not exists messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic);
alter table realtime.messages enable row level security;
alter table realtime.messages owner to supabase_realtime_admin;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

-- The name differs from the hosted project's publication, because a dump of a hosted project creates that one.
do $$
begin
  if not exists (select from pg_publication where pubname = 'prt_realtime_messages') then
    create publication prt_realtime_messages with (publish = 'insert');
  end if;
end $$;
-- A reset drops the table, but keeps the publication, which is being streamed.
alter publication prt_realtime_messages set table realtime.messages;

create or replace function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')::text
$$;

-- Runs with the caller's rights, so that policies for INSERT apply. An error here does not fail the caller's
-- transaction, because a row should not be lost if its broadcast can't be sent.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language plpgsql as $$
declare
  message uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, topic, extension, event, private, payload)
  values (
    message, topic, 'broadcast', event, private,
    case when payload ? 'id' then payload else jsonb_set(payload, '{id}', to_jsonb(message)) end
  );
exception when others then
  raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end $$;

create or replace function realtime.send_binary(
  payload bytea, event text, topic text, private boolean default true
) returns void language plpgsql as $$
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (topic, extension, event, private, binary_payload)
  values (topic, 'broadcast', event, private, payload);
exception when others then
  raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end $$;

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void language plpgsql as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'schema', table_schema, 'table', table_name, 'operation', operation, 'record', new, 'old_record', old
    ),
    event_name, topic_name
  );
exception when others then
  raise exception 'Failed to process the row: %', sqlerrm;
end $$;
