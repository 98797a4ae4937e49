"""pgcrypto and uuid-ossp in SQL compute what the real ones do, or say that they can't."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from prt.local.auth.passwords import password_matches
from prt.local.postgres import extensions
from prt.local.postgres.server import Postgres, running
from prt.local.seed import schema
from tests.local.databases import bootstrapped, database, values

DATA = ("", "abc", "a" * 55, "a" * 64, "ü" * 500)
KEYS = ("Jefe", "k" * 200)


@pytest.fixture(scope="module")
def extended(postgres: Postgres) -> Iterator[Connection[Any]]:
    """A database that no bootstrap has seen, in which a user created both extensions."""
    with (
        database(postgres, "extended") as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        connection.execute("create role extender; grant create on database extended to extender")
        connection.execute("create schema authorization extender; set role extender")
        try:
            connection.execute(
                'create extension pgcrypto schema extender; create extension "uuid-ossp" schema extender'
            )
            connection.execute("set search_path to extender")
            yield connection
        finally:
            connection.execute("reset role; drop owned by extender cascade; drop role extender")


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha224", "sha256", "sha384", "SHA512"])
def test_digests_and_hmacs(extended: Connection[Any], kind: str) -> None:
    for text in DATA:
        (digest,) = values(extended, "select digest(%s::text, %s)", text, kind)
        assert digest == hashlib.new(kind.lower(), text.encode()).digest()
        for key in KEYS:
            (code,) = values(extended, "select hmac(%s::text, %s::text, %s)", text, key, kind)
            assert code == hmac.digest(key.encode(), text.encode(), kind.lower())


def test_uuids_of_names(extended: Connection[Any]) -> None:
    for name in DATA:
        found = extended.execute(
            "select uuid_generate_v3(uuid_ns_url(), %s), uuid_generate_v5(uuid_ns_url(), %s)", [name, name]
        ).fetchone()
        assert found == (uuid.uuid3(uuid.NAMESPACE_URL, name), uuid.uuid5(uuid.NAMESPACE_URL, name))
    namespaces = extended.execute(
        "select uuid_ns_dns(), uuid_ns_oid(), uuid_ns_x500(), uuid_nil()"
    ).fetchone()
    assert namespaces == (uuid.NAMESPACE_DNS, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500, uuid.UUID(int=0))


@pytest.mark.parametrize("function", ["uuid_generate_v1", "uuid_generate_v1mc"])
def test_uuids_of_the_time(extended: Connection[Any], function: str) -> None:
    found = extended.execute(f"select now(), u, clock_timestamp() from {function}() as u".encode()).fetchone()
    assert found is not None
    before, made, after = found
    assert (made.version, made.variant, made.node >> 40 & 1) == (1, uuid.RFC_4122, 1)
    seconds = (made.time - 0x01B21DD213814000) / 10_000_000
    assert before.timestamp() - 0.001 <= seconds <= after.timestamp() + 0.001
    assert len(set(values(extended, f"select {function}() from generate_series(1, 50)"))) == 50


def test_random_bytes(extended: Connection[Any]) -> None:
    assert values(extended, "select length(gen_random_bytes(n)) from unnest(array[1, 32, 33, 1024]) n") == [
        1, 32, 33, 1024,
    ]  # fmt: skip
    with pytest.raises(psycopg.Error, match="Length not in range"):
        extended.execute("select gen_random_bytes(1025)")


def test_hashes_of_passwords(extended: Connection[Any]) -> None:
    for password in ("secret", "", "ü" * 100):
        (hashed,) = values(extended, "select crypt(%s, gen_salt('bf', 8))", password)
        assert values(extended, "select crypt(%s, %s) = %s", password, hashed, hashed) == [True]
        assert values(extended, "select crypt('other', %s) = %s", hashed, hashed) == [False]
        assert password_matches(password, hashed)
        assert not password_matches("other", hashed)
    assert len(set(values(extended, "select gen_salt('bf') from generate_series(1, 5)"))) == 5


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("crypt('x', '$2a$06$DCq7YPn5Rq63x1Lad4cll.')", "can't compute bcrypt hashes"),
        ("crypt('x', 'ab')", "can't compute hashes of this kind"),
        ("gen_salt('nope')", "gen_salt: Unknown salt algorithm"),
        ("gen_salt('bf', 99)", "gen_salt: Incorrect number of rounds"),
        ("digest('x', 'sha3-256')", 'Cannot use "sha3-256": No such hash algorithm'),
        ("pgp_sym_encrypt('x', 'key')", "pgp_sym_encrypt\\(\\) needs the real pgcrypto"),
        ("pgp_sym_decrypt('x'::bytea, 'key')", "pgp_sym_decrypt\\(\\) needs the real pgcrypto"),
        ("encrypt('x', 'key', 'aes')", "encrypt\\(\\) needs the real pgcrypto"),
    ],
)
def test_what_can_not_be_done(extended: Connection[Any], call: str, sentence: str) -> None:
    with pytest.raises(psycopg.Error, match=sentence) as caught:
        extended.execute(f"select {call}".encode())
    assert "\n" not in (caught.value.diag.message_primary or "")


@pytest.mark.parametrize("extension", ["pgcrypto", "uuid-ossp"])
def test_it_moves_and_goes(extended: Connection[Any], extension: str) -> None:
    name = sql.Identifier(extension)
    call = {
        "pgcrypto": "select elsewhere.hmac('a', elsewhere.gen_salt('bf'), 'sha1') is not null",
        "uuid-ossp": "select elsewhere.uuid_generate_v5(elsewhere.uuid_nil(), 'x') is not null",
    }[extension]
    with extended.transaction(force_rollback=True):
        extended.execute("reset role; create schema elsewhere; set local search_path to pg_catalog")
        extended.execute(sql.SQL("alter extension {} set schema elsewhere").format(name))
        assert values(extended, call) == [True]
        extended.execute(sql.SQL("drop extension {}").format(name))
        assert values(
            extended, "select count(*) from pg_proc where pronamespace = 'elsewhere'::regnamespace"
        ) == [0]


def test_from_a_folder_that_only_we_can_read(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(extensions, "FOLDER", shutil.copytree(extensions.FOLDER, closed / "extensions"))
    with running() as server, psycopg.connect(server.conninfo(), autocommit=True) as connection:
        (path,) = values(connection, "select current_setting('extension_control_path')")
        assert (str(closed) in path) == (os.geteuid() != 0)
        connection.execute("create extension pgcrypto")
        assert values(connection, "select encode(digest('abc', 'sha1'), 'hex')") == [
            hashlib.sha1(b"abc").hexdigest()
        ]


def test_a_server_that_can_not_be_given_extensions_has_their_functions(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one before version 18 without contrib. A migration that creates them goes through as well."""
    monkeypatch.setattr(extensions, "FOLDER", open_folder)
    text = """
      create extension if not exists pgcrypto with schema extensions; create extension "uuid-ossp";
      comment on extension pgcrypto is 'x'; alter extension pgcrypto set schema extensions;
      create table users (id uuid default uuid_generate_v5(uuid_ns_url(), 'x'), hash text);
      insert into users (hash) values (extensions.crypt('secret', gen_salt('bf')));
    """
    (open_folder / "a.sql").write_text(text)
    with running() as server, bootstrapped(server, "older") as connection:
        for name in ("pgcrypto", "uuid-ossp"):
            assert not values(connection, "select 1 from pg_available_extensions where name = %s", name)
        schema.migrate(connection, [open_folder / "a.sql"])
        schema._stand_in(connection)  # as a reset does
        (found,) = connection.execute("select id, hash from users").fetchall()
        assert found[0] == uuid.uuid5(uuid.NAMESPACE_URL, "x")
        assert password_matches("secret", found[1])
