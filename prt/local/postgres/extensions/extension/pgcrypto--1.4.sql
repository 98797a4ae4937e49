-- pgcrypto in SQL. Functions that call others of this file have bodies of standard SQL, which are bound when
-- they are created, so that the extension can be moved into another schema.

-- FIPS 180-4; the same function stands in uuid-ossp.
create or replace function prt_sha1(data bytea) returns bytea
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

create or replace function prt_no_algorithm(type text) returns bytea
  language plpgsql immutable strict parallel safe as $$
begin
  raise exception 'Cannot use "%": No such hash algorithm', type
    using errcode = 'invalid_parameter_value', hint = 'md5, sha1, sha224, sha256, sha384 and sha512 can be used.';
end
$$;

create or replace function digest(data bytea, type text) returns bytea
  language sql immutable strict parallel safe
return case lower(type)
  when 'md5' then decode(md5(data), 'hex')
  when 'sha1' then prt_sha1(data)
  when 'sha224' then sha224(data)
  when 'sha256' then sha256(data)
  when 'sha384' then sha384(data)
  when 'sha512' then sha512(data)
  else prt_no_algorithm(type)
end;

create or replace function digest(data text, type text) returns bytea
  language sql immutable strict parallel safe
return digest(convert_to(data, 'UTF8'), type);

-- The key of RFC 2104, filled with zeros to a block, each byte combined with `pad`.
create or replace function prt_padded(key bytea, size integer, pad integer) returns bytea
  language plpgsql immutable strict parallel safe as $$
declare
  padded bytea := key || decode(repeat('00', size - length(key)), 'hex');
begin
  for i in 0 .. size - 1 loop
    padded := set_byte(padded, i, get_byte(padded, i) # pad);
  end loop;
  return padded;
end
$$;

create or replace function hmac(data bytea, key bytea, type text) returns bytea
  language sql immutable strict parallel safe
begin atomic
  select digest(prt_padded(short, size, 92) || digest(prt_padded(short, size, 54) || data, type), type)
  from (select case when lower(type) in ('sha384', 'sha512') then 128 else 64 end as size) as sized
  cross join lateral (
    select case when length(key) > size then digest(key, type) else key end as short
  ) as shortened;
end;

create or replace function hmac(data text, key text, type text) returns bytea
  language sql immutable strict parallel safe
return hmac(convert_to(data, 'UTF8'), convert_to(key, 'UTF8'), type);

create or replace function gen_random_uuid() returns uuid language sql volatile parallel safe
return pg_catalog.gen_random_uuid();

-- A UUID of version 4 has six fixed bits: hashing two of them leaves none.
create or replace function gen_random_bytes(count integer) returns bytea
  language plpgsql volatile strict parallel safe as $$
begin
  if count not between 1 and 1024 then
    raise exception 'Length not in range' using errcode = 'external_routine_invocation_exception';
  end if;
  return (
    select substr(string_agg(sha256(uuid_send(pg_catalog.gen_random_uuid())
      || uuid_send(pg_catalog.gen_random_uuid())), ''), 1, count)
    from generate_series(1, (count + 31) / 32)
  );
end
$$;

-- A Blowfish in SQL would take seconds. So a salt of every kind is one of PBKDF2 (RFC 8018), with as many
-- rounds as sign-in's own hashes have: see prt/local/auth/passwords.py.
create or replace function gen_salt(type text, rounds integer) returns text
  language plpgsql volatile strict parallel safe as $$
begin
  if lower(type) not in ('bf', 'md5', 'xdes', 'des', 'sha256crypt', 'sha512crypt') then
    raise exception 'gen_salt: Unknown salt algorithm' using errcode = 'invalid_parameter_value';
  end if;
  if lower(type) = 'bf' and rounds not between 4 and 31 then
    raise exception 'gen_salt: Incorrect number of rounds' using errcode = 'invalid_parameter_value';
  end if;
  return '$pbkdf2-sha256$i=4096$' || rtrim(encode(uuid_send(pg_catalog.gen_random_uuid()), 'base64'), '=');
end
$$;

create or replace function gen_salt(type text) returns text language sql volatile strict parallel safe
return gen_salt(type, 6);

create or replace function crypt(password text, salt text) returns text
  language plpgsql immutable strict parallel safe as $$
declare
  parts constant text[] := regexp_match(salt, '^\$pbkdf2-sha256\$i=(\d{1,7})\$([A-Za-z0-9+/]{22})(?:\$|$)');
  key bytea := convert_to(password, 'UTF8');
  inside bytea;
  outside bytea;
  u bytea;
  sum bit(256);
begin
  if parts is null then
    raise exception 'crypt() of the embedded PostgreSQL can''t compute %, only hashes with a salt of its own gen_salt()',
      case when salt ~ '^\$2[abxy]?\$' then 'bcrypt hashes' else 'hashes of this kind' end
      using errcode = 'feature_not_supported',
      hint = 'Sign-in does verify bcrypt hashes. Else set PRT_POSTGRES_BIN to a PostgreSQL with pgcrypto.';
  end if;
  if length(key) > 64 then
    key := sha256(key);
  end if;
  key := key || decode(repeat('00', 64 - length(key)), 'hex');
  inside := key;
  outside := key;
  for i in 0 .. 63 loop
    inside := set_byte(inside, i, get_byte(key, i) # 54);
    outside := set_byte(outside, i, get_byte(key, i) # 92);
  end loop;
  u := sha256(outside || sha256(inside || decode(parts[2] || '==', 'base64') || '\x00000001'::bytea));
  sum := ('x' || encode(u, 'hex'))::bit(256);
  for i in 2 .. parts[1]::int loop
    u := sha256(outside || sha256(inside || u));
    sum := sum # ('x' || encode(u, 'hex'))::bit(256);
  end loop;
  return format('$pbkdf2-sha256$i=%s$%s$%s', parts[1], parts[2],
    rtrim(encode(substr(bit_send(sum), 5), 'base64'), '='));
end
$$;

create or replace function fips_mode() returns boolean language sql volatile parallel safe
return false;

do $$
declare
  signature text;
  result text;
begin
  for signature, result in
    select s, 'bytea' from unnest(array[
      'encrypt(bytea, bytea, text)', 'decrypt(bytea, bytea, text)',
      'encrypt_iv(bytea, bytea, bytea, text)', 'decrypt_iv(bytea, bytea, bytea, text)',
      'pgp_sym_encrypt(text, text)', 'pgp_sym_encrypt(text, text, text)',
      'pgp_sym_encrypt_bytea(bytea, text)', 'pgp_sym_encrypt_bytea(bytea, text, text)',
      'pgp_sym_decrypt_bytea(bytea, text)', 'pgp_sym_decrypt_bytea(bytea, text, text)',
      'pgp_pub_encrypt(text, bytea)', 'pgp_pub_encrypt(text, bytea, text)',
      'pgp_pub_encrypt_bytea(bytea, bytea)', 'pgp_pub_encrypt_bytea(bytea, bytea, text)',
      'pgp_pub_decrypt_bytea(bytea, bytea)', 'pgp_pub_decrypt_bytea(bytea, bytea, text)',
      'pgp_pub_decrypt_bytea(bytea, bytea, text, text)', 'dearmor(text)'
    ]) as s
    union all
    select s, 'text' from unnest(array[
      'pgp_sym_decrypt(bytea, text)', 'pgp_sym_decrypt(bytea, text, text)',
      'pgp_pub_decrypt(bytea, bytea)', 'pgp_pub_decrypt(bytea, bytea, text)',
      'pgp_pub_decrypt(bytea, bytea, text, text)', 'pgp_key_id(bytea)',
      'armor(bytea)', 'armor(bytea, text[], text[])'
    ]) as s
    union all
    select 'pgp_armor_headers(text, out key text, out value text)', 'setof record'
  loop
    execute format(
      'create or replace function %s returns %s language plpgsql volatile strict parallel safe as %L',
      signature, result, format(
        'begin raise exception %L using errcode = ''feature_not_supported'', hint = %L; end',
        substring(signature from '\w+') || '() needs the real pgcrypto, which the embedded PostgreSQL does not have',
        'Set PRT_POSTGRES_BIN to a PostgreSQL with pgcrypto.'
      )
    );
  end loop;
end
$$;
