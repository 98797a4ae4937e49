-- The users of prt/local/seed/people.py, who can sign in with a password.
-- The setting `prt.people` is a JSON list of objects with id, email, name and hash.

create temporary table people on commit drop as
  select * from jsonb_to_recordset(current_setting('prt.people')::jsonb)
    as person (id uuid, email text, name text, hash text);

insert into auth.users
  (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
   raw_user_meta_data, created_at, updated_at)
select id, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', email, hash, now(),
  '{"provider": "email", "providers": ["email"]}', jsonb_build_object('name', name), now(), now()
from people;

insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
select id::text, id, jsonb_build_object('sub', id, 'email', email, 'email_verified', true), 'email', now(), now()
from people;

-- The session of `PRT_TOKEN` (prt/local/project/variables.py): Auth refuses a token if its session does not exist.
insert into auth.sessions (id, user_id, created_at, updated_at, aal)
select '5eed0000-0000-4000-8000-0000000000c3', id, now(), now(), 'aal1'
from people where id = '5eed0000-0000-4000-8000-0000000000a1';
