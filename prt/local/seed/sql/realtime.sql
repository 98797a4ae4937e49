-- What Realtime keeps in the database: who may use a private topic, and what the database itself broadcasts.
-- Runs after bootstrap.sql. https://supabase.com/docs/guides/realtime/authorization, …/realtime/broadcast

-- Policies on this table decide who joins (SELECT) and who sends (INSERT), by the extension of the row:
-- the server tries a row of each, and takes it back. Rows that stay are broadcasts of the database.
create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  -- UTC whatever the session's time zone, and in the order of sending within a transaction: replay counts on it.
  inserted_at timestamp not null default (clock_timestamp() at time zone 'utc'),
  id uuid not null default gen_random_uuid(),
  primary key (id, inserted_at)
);
-- A project that was made before has the table already. Rows with skip_broadcast were sent when they were
-- written, and are only replayed; expires_at is in UTC, null as long as other messages are kept.
alter table realtime.messages add column if not exists binary_payload bytea;
alter table realtime.messages add column if not exists skip_broadcast boolean not null default false;
alter table realtime.messages add column if not exists expires_at timestamp;
create index if not exists messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic);
alter table realtime.messages enable row level security;
alter table realtime.messages owner to supabase_realtime_admin;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

-- Not the hosted project's name for it: a dump of one makes its own.
do $$
begin
  if not exists (select from pg_publication where pubname = 'prt_realtime_messages') then
    create publication prt_realtime_messages with (publish = 'insert');
  end if;
end $$;
-- A reset dropped the table and kept the publication, which is being streamed.
alter publication prt_realtime_messages set table realtime.messages;

create or replace function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')::text
$$;

-- With the caller's rights, so that policies for INSERT hold here too. It never fails its caller's
-- transaction: whoever writes a row should not lose it because nobody could be told.
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
