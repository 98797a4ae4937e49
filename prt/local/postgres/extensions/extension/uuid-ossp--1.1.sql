-- uuid-ossp in SQL. Functions that call others of this file have bodies of standard SQL, which are bound when
-- they are created, so that the extension can be moved into another schema.

create or replace function uuid_nil() returns uuid language sql immutable parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;

create or replace function uuid_ns_dns() returns uuid language sql immutable parallel safe
return '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

create or replace function uuid_ns_url() returns uuid language sql immutable parallel safe
return '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

create or replace function uuid_ns_oid() returns uuid language sql immutable parallel safe
return '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

create or replace function uuid_ns_x500() returns uuid language sql immutable parallel safe
return '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

-- The time in 100 ns since 1582-10-15, and a random node with the multicast bit, as RFC 9562 has it for
-- whoever does not know a MAC address.
create or replace function uuid_generate_v1mc() returns uuid language plpgsql volatile parallel safe as $$
declare
  random constant text := pg_catalog.gen_random_uuid()::text;
  ticks constant text := lpad(
    to_hex((extract(epoch from clock_timestamp()) * 10000000)::bigint + 122192928000000000), 15, '0'
  );
begin
  return format(
    '%s-%s-1%s-%s-%s%s',
    substr(ticks, 8), substr(ticks, 4, 4), substr(ticks, 1, 3), substr(random, 20, 4),
    lpad(to_hex(('x' || substr(random, 25, 2))::bit(8)::int | 1), 2, '0'), substr(random, 27)
  );
end
$$;

create or replace function uuid_generate_v1() returns uuid language sql volatile parallel safe
return uuid_generate_v1mc();

create or replace function uuid_generate_v4() returns uuid language sql volatile parallel safe
return pg_catalog.gen_random_uuid();

-- FIPS 180-4; the same function stands in pgcrypto.
create or replace function prt_uuid_sha1(data bytea) returns bytea
  language plpgsql immutable strict parallel safe as $$
declare
  mask constant bigint := 4294967295;
  size constant bigint := length(data);
  message constant bytea := data || '\x80'::bytea
    || decode(repeat('00', ((119 - size % 64) % 64)::int), 'hex') || int8send(size * 8);
  h0 bigint := 1732584193; h1 bigint := 4023233417; h2 bigint := 2562383102;
  h3 bigint := 271733878; h4 bigint := 3285377520;
  w bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
begin
  for block in 0 .. length(message) / 64 - 1 loop
    for i in 0 .. 15 loop
      w[i] := ('x' || encode(substr(message, block * 64 + i * 4 + 1, 4), 'hex'))::bit(32)::bigint;
    end loop;
    for i in 16 .. 79 loop
      t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((t << 1) | (t >> 31)) & mask;
    end loop;
    a := h0; b := h1; c := h2; d := h3; e := h4;
    for i in 0 .. 79 loop
      if i < 20 then
        f := (b & c) | (~b & d); k := 1518500249;
      elsif i < 40 then
        f := b # c # d; k := 1859775393;
      elsif i < 60 then
        f := (b & c) | (b & d) | (c & d); k := 2400959708;
      else
        f := b # c # d; k := 3395469782;
      end if;
      t := (((a << 5) | (a >> 27)) & mask) + f + e + k + w[i];
      e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t & mask;
    end loop;
    h0 := (h0 + a) & mask; h1 := (h1 + b) & mask; h2 := (h2 + c) & mask;
    h3 := (h3 + d) & mask; h4 := (h4 + e) & mask;
  end loop;
  return int8send(h0 << 32 | h1) || int8send(h2 << 32 | h3) || substr(int8send(h4), 5);
end
$$;

create or replace function prt_uuid_of(hash bytea, version integer) returns uuid
  language sql immutable strict parallel safe
return encode(
  set_byte(
    set_byte(substr(hash, 1, 16), 6, (get_byte(hash, 6) & 15) | (version << 4)),
    8, (get_byte(hash, 8) & 63) | 128
  ),
  'hex'
)::uuid;

create or replace function uuid_generate_v3(namespace uuid, name text) returns uuid
  language sql immutable strict parallel safe
return prt_uuid_of(decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex'), 3);

create or replace function uuid_generate_v5(namespace uuid, name text) returns uuid
  language sql immutable strict parallel safe
return prt_uuid_of(prt_uuid_sha1(uuid_send(namespace) || convert_to(name, 'UTF8')), 5);
