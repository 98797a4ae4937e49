-- uuid-ossp and pgcrypto are installed in every hosted project and missing from the wheel of PostgreSQL.
-- Where the server lacks them, the functions that need nothing but PostgreSQL itself stand in for them.

do $$
begin
  if exists (select from pg_available_extensions where name = 'uuid-ossp') then
    create extension if not exists "uuid-ossp" with schema extensions;
  else
    create or replace function extensions.uuid_generate_v4() returns uuid language sql volatile parallel safe as
      'select gen_random_uuid()';
    create or replace function extensions.uuid_nil() returns uuid language sql immutable parallel safe as
      'select ''00000000-0000-0000-0000-000000000000''::uuid';
  end if;

  if exists (select from pg_available_extensions where name = 'pgcrypto') then
    create extension if not exists pgcrypto with schema extensions;
  else
    create or replace function extensions.gen_random_uuid() returns uuid language sql volatile parallel safe as
      'select pg_catalog.gen_random_uuid()';
    -- A version 4 UUID has six fixed bits: hashing it leaves none.
    create or replace function extensions.gen_random_bytes(count integer) returns bytea
      language sql volatile parallel safe as $body$
        select substr(string_agg(sha256(uuid_send(pg_catalog.gen_random_uuid())
          || uuid_send(pg_catalog.gen_random_uuid())), ''), 1, count)
        from generate_series(1, (count + 31) / 32)
      $body$;
    create or replace function extensions.digest(data bytea, type text) returns bytea
      language plpgsql immutable strict parallel safe as $body$
        begin
          case lower(type)
            when 'md5' then return decode(md5(data), 'hex');
            when 'sha224' then return sha224(data);
            when 'sha256' then return sha256(data);
            when 'sha384' then return sha384(data);
            when 'sha512' then return sha512(data);
            else raise exception 'the digest "%" needs the real pgcrypto', type;
          end case;
        end
      $body$;
    create or replace function extensions.digest(data text, type text) returns bytea
      language sql immutable strict parallel safe as
      'select extensions.digest(convert_to(data, ''UTF8''), type)';
  end if;
end $$;
