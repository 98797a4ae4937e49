from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from prt.errors import UsageError
from prt.local.postgres.server import Postgres
from prt.local.seed import schema
from prt.local.seed.people import MEMBER
from tests.local.databases import acting_as, bootstrapped, owning, values


@pytest.fixture
def project(postgres: Postgres) -> Iterator[Connection[Any]]:
    """A connection as the role of a user's own migrations, which is not a superuser."""
    with bootstrapped(postgres, "migrations"), owning(postgres, "migrations") as connection:
        yield connection


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_files_in_the_order_given_folders_in_that_of_their_names(
    project: Connection[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(folder, "20240102_b.sql", "insert into log values ('b');")
    write(folder, "20240101_a.sql", "create table log (line text); insert into log values ('a');")
    write(folder, "notes.txt", "not sql")
    seed = write(tmp_path, "a_seed.sql", "insert into log values ('seed');")
    schema.migrate(project, [folder, seed])
    assert values(project, "select line from log") == ["a", "b", "seed"]


def test_default_grants_hold_for_what_migrations_make(project: Connection[Any], tmp_path: Path) -> None:
    schema.migrate(project, [write(tmp_path, "a.sql", "create table todo (id serial primary key, x text);")])
    with acting_as(project, "anon") as anon:
        anon.execute("insert into todo (x) values ('y')")
        assert values(anon, "select x from todo") == ["y"]


def test_what_a_dump_sets_does_not_reach_the_next_file(project: Connection[Any], tmp_path: Path) -> None:
    dump = write(
        tmp_path,
        "a.sql",
        "\\restrict x1\nset lock_timeout = 9; select pg_catalog.set_config('search_path', '', false);\n"
        "create table public.log (id int, line text);\ncopy public.log (id, line) from stdin;\n"
        "1\tone; 'two'\n2\t\\N\n\\.\nset role anon;\n\\unrestrict x1\n",
    )
    more = write(tmp_path, "b.sql", "\ufeffinsert into log values (3, uuid_generate_v4()::text);")
    schema.migrate(project, [dump, more])
    assert values(project, "select count(*) from log") == [3]
    assert values(project, "select line from log where id < 3 order by id") == ["one; 'two'", None]
    assert values(project, "select current_user::text || current_setting('lock_timeout')") == ["postgres0"]


def test_extensions_of_every_hosted_project_and_of_the_wheel(
    project: Connection[Any], tmp_path: Path
) -> None:
    text = (
        'create extension if not exists "uuid-ossp" with schema extensions;\n'
        "CREATE EXTENSION IF NOT EXISTS pgcrypto;\ncomment on extension \"uuid-ossp\" is 'x';\n"
        "create extension citext;\n"
        "create table t (id uuid default uuid_generate_v4(), b bytea default gen_random_bytes(8), c citext);"
        "insert into t (c) values ('A');"
    )
    schema.migrate(project, [write(tmp_path, "a.sql", text)])
    assert values(project, "select c from t where c = 'a' and id is not null and length(b) = 8") == ["A"]


DUMP = """
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS "pg_graphql" WITH SCHEMA "graphql";
CREATE EXTENSION IF NOT EXISTS "pgcrypto" WITH SCHEMA "extensions";
CREATE EXTENSION IF NOT EXISTS "supabase_vault" WITH SCHEMA "vault";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions";
ALTER SCHEMA "public" OWNER TO "pg_database_owner";
CREATE TYPE "public"."mood" AS ENUM ('good', 'bad');
CREATE TABLE IF NOT EXISTS "public"."profiles" (
    "id" "uuid" NOT NULL,
    "code" "uuid" DEFAULT "extensions"."uuid_generate_v4"() NOT NULL,
    "mood" "public"."mood" DEFAULT 'good'::"public"."mood"
);
ALTER TABLE "public"."profiles" OWNER TO "postgres";
ALTER TABLE ONLY "public"."profiles" ADD CONSTRAINT "profiles_pkey" PRIMARY KEY ("id");
ALTER TABLE ONLY "public"."profiles"
    ADD CONSTRAINT "profiles_id_fkey" FOREIGN KEY ("id") REFERENCES "auth"."users"("id") ON DELETE CASCADE;
CREATE OR REPLACE FUNCTION "public"."handle_new_user"() RETURNS "trigger"
    LANGUAGE "plpgsql" SECURITY DEFINER AS $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
CREATE OR REPLACE TRIGGER "on_auth_user_created" AFTER INSERT ON "auth"."users"
    FOR EACH ROW EXECUTE FUNCTION "public"."handle_new_user"();
ALTER TABLE "public"."profiles" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own" ON "public"."profiles" USING (("auth"."uid"() = "id"));
CREATE POLICY "rooms" ON "realtime"."messages" FOR SELECT TO "authenticated" USING (true);
ALTER PUBLICATION "supabase_realtime" OWNER TO "postgres";
ALTER PUBLICATION "supabase_realtime" ADD TABLE ONLY "public"."profiles";
GRANT USAGE ON SCHEMA "public" TO "anon";
GRANT ALL ON FUNCTION "public"."handle_new_user"() TO "service_role";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON TABLES TO "anon";
RESET ALL;
"""


def test_rooms_and_broadcasts_of_a_users_own(project: Connection[Any], tmp_path: Path) -> None:
    rooms = write(
        tmp_path,
        "rooms.sql",
        """
        set search_path = '';
        create table public.members (room text, member uuid);
        alter table realtime.messages enable row level security;
        create policy "members listen" on realtime.messages for select to authenticated using (
          realtime.messages.extension in ('broadcast', 'presence') and exists (
            select from public.members where room = (select realtime.topic()) and member = (select auth.uid())
          )
        );
        create policy "members speak" on "realtime"."messages" for insert to authenticated with check (true);
        create function public.tell() returns trigger language plpgsql security definer as $$
        begin
          perform realtime.broadcast_changes(
            'rooms:' || coalesce(new.room, old.room), TG_OP, TG_OP, TG_TABLE_NAME, TG_TABLE_SCHEMA, new, old
          );
          perform realtime.send(payload := '{}'::jsonb, event := 'seen', topic := 'all', private := false);
          return coalesce(new, old);
        end;
        $$;
        create trigger tell after insert or update or delete on public.members
          for each row execute function public.tell();
        """,
    )
    schema.migrate(project, [rooms])
    with acting_as(project, "authenticated") as member:
        member.execute("insert into public.members (room) values ('a')")
    project.execute("insert into public.members (room) values ('b')")
    project.execute("delete from public.members")
    assert values(
        project, "select topic || event || private from realtime.messages order by inserted_at"
    ) == [
        "rooms:bINSERTtrue",
        "allseenfalse",
        "rooms:bDELETEtrue",
        "allseenfalse",
    ]


def test_a_dump_of_a_hosted_project_loads(project: Connection[Any], tmp_path: Path) -> None:
    schema.migrate(project, [write(tmp_path, "20240101_remote_schema.sql", DUMP)])
    project.execute("insert into auth.users (id) values (%s)", [MEMBER.id])
    with acting_as(project, "authenticated", MEMBER.id) as member:
        assert values(member, "select mood::text from profiles where code is not null") == ["good"]
    query = "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    assert values(project, query) == ["profiles"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("select 1;\n\ncreate table t (\n  id nope\n);", ':4: type "nope" does not exist', "start again"),
        ("select 1;\nselct 2;", ':2: syntax error at or near "selct"', "start again"),
        (
            "create table t (id int primary key);\ninsert into t\nvalues (1), (1);",
            ':2: duplicate key value violates unique constraint "t_pkey"',
            "Key (id)=(1) already exists",
        ),
        (
            "-- maps\ncreate extension if not exists postgsi;",
            ':2: the extension "postgsi" is not part of the embedded PostgreSQL',
            "PRT_POSTGRES_BIN",
        ),
        (
            "create extension postgis;\ncreate table t (\n  place geometry(point)\n);",
            ':3: type "geometry" does not exist',
            "it is of postgis, which the embedded PostgreSQL lacks",
        ),
        (
            "create extension pgjwt;\nselect sign('{}'::json, 'secret');",
            ":2: function sign(json, unknown) does not exist",
            "it is of pgjwt,",
        ),
        ("select sign('{}'::json, 'secret');", ":1: function sign(json, unknown) does not exist", "argument"),
        (
            "create view v as select * from vault.decrypted_secrets;",
            ':1: relation "vault.decrypted_secrets" does not exist',
            "it is of supabase_vault,",
        ),
        (
            "do $$ begin create extension pg_cron; end $$;",
            ':1: the extension "pg_cron" is not part of the embedded PostgreSQL',
            "PRT_POSTGRES_BIN",
        ),
        (
            "select crypt('x', '$2a$06$DCq7YPn5Rq63x1Lad4cll.');",
            ":1: crypt() of the embedded PostgreSQL can't compute bcrypt hashes",
            "PRT_POSTGRES_BIN",
        ),
        ("begin;\ncreate table t ();", ": a transaction is left open at the end", "commit"),
        ("\\i other.sql", ":1: \\i is a command of psql, not SQL", "write it as SQL"),
        (
            "create table t (a int);\ncopy t from stdin;\nx\n\\.\n",
            ":2: invalid input syntax for type integer",
            "",
        ),
    ],
)
def test_what_fails_is_one_line(
    project: Connection[Any], tmp_path: Path, text: str, message: str, hint: str
) -> None:
    file = write(tmp_path, "a.sql", text)
    with pytest.raises(UsageError) as caught:
        schema.migrate(project, [file])
    assert caught.value.message.startswith(f"{file}{message}")
    assert "\n" not in caught.value.message
    assert hint in (caught.value.hint or "")
    # The connection stays usable, and nothing is left open on it.
    assert values(project, "select 1") == [1]


def test_an_empty_folder_a_missing_file_and_another_encoding(
    project: Connection[Any], tmp_path: Path
) -> None:
    latin = tmp_path / "latin.sql"
    latin.write_bytes("select 'ö'".encode("latin-1"))
    for path, message in (
        (tmp_path / "none.sql", "none.sql: No such file or directory"),
        (latin, "latin.sql: not UTF-8 at byte 8"),
    ):
        with pytest.raises(UsageError, match=message):
            schema.migrate(project, [path])
    latin.unlink()
    with pytest.raises(UsageError, match=r"holds no \.sql file"):
        schema.migrate(project, [tmp_path])


LACKED = ("postgis", "pg_net", "http", "pg_cron", "supabase_vault", "pg_graphql", "pgjwt")


def test_extensions_that_only_a_hosted_project_has_are_skipped_with_a_line(
    project: Connection[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    created = "".join(f'create extension if not exists "{name}" with schema extensions;\n' for name in LACKED)
    settled = (
        "comment on extension pg_net is 'x'; alter extension pg_cron update; drop extension if exists http;"
    )
    file = write(tmp_path, "a.sql", f"{created}{settled}\ncreate table t (id int);")
    schema.migrate(project, [file])
    assert caplog.messages == [
        f"{file}:{line}: the embedded PostgreSQL does not have the extension {name}, so it is skipped"
        for line, name in enumerate(LACKED, 1)
    ]
    assert values(project, "select count(*) from t") == [0]


def test_calls_of_such_an_extension_are_skipped_too(
    project: Connection[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = """
create extension pg_cron;
grant usage on schema cron to postgres;
begin;
create table t (id int);
select cron.schedule('nightly', '0 3 * * *', $$delete from t$$);
create trigger hook after insert on t for each row
  execute function "supabase_functions"."http_request"('http://127.0.0.1', 'POST', '{}', '{}', '1000');
insert into t values (1);
commit;
"""
    file = write(tmp_path, "a.sql", text)
    schema.migrate(project, [file])
    assert [message.removeprefix(f"{file}:") for message in caplog.messages] == [
        "2: the embedded PostgreSQL does not have the extension pg_cron, so it is skipped",
        "3: skipped, because the embedded PostgreSQL does not have pg_cron",
        "6: skipped, because the embedded PostgreSQL does not have pg_cron",
        "7: skipped, because the embedded PostgreSQL does not have pg_net",
    ]
    assert values(project, "select id from t") == [1]


def test_a_schema_of_that_name_is_the_users_own(
    project: Connection[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "create schema net; create table net.nodes (id int); insert into net.nodes values (1);"
    schema.migrate(project, [write(tmp_path, "a.sql", text)])
    assert values(project, "select id from net.nodes") == [1]
    assert not caplog.messages


def test_the_extensions_of_every_hosted_project_may_be_created_moved_and_made_anew(
    project: Connection[Any], tmp_path: Path
) -> None:
    text = (
        'create extension pgcrypto; create extension if not exists "uuid-ossp" with schema extensions;'
        "alter extension pgcrypto set schema extensions; drop extension pgcrypto;"
        "create extension pgcrypto with schema public; select public.gen_salt('bf');"
    )
    schema.migrate(project, [write(tmp_path, "a.sql", text)])
    assert values(project, "select extname from pg_extension where extname <> 'plpgsql' order by 1") == [
        "pgcrypto",
        "uuid-ossp",
    ]
