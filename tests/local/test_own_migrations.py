"""`prt local up` in a folder with `supabase/migrations`: offered, asked for, and never run by itself."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest
from typer.main import get_command

from prt.cli.commands.local import app
from prt.local.postgres.watchdog import is_alive
from tests.local.commands import local
from tests.local.processes import descendants
from tests.running import Terminal, clean_environment, ran

MIGRATIONS = {
    "20240101000000_extensions.sql": (
        'create extension if not exists "uuid-ossp" with schema extensions;\n'
        "create extension if not exists pgcrypto with schema extensions;\n"
        "create extension if not exists citext with schema extensions;\n"
        "create extension if not exists moddatetime with schema extensions;\n"
    ),
    "20240102000000_profiles.sql": (
        "create table public.profiles (\n"
        "  id uuid primary key references auth.users (id) on delete cascade,\n"
        "  name extensions.citext not null, updated_at timestamptz default now(),\n"
        "  code uuid not null default uuid_generate_v4(),\n"
        "  token text not null default encode(gen_random_bytes(16), 'hex')\n"
        ");\n"
    ),
    "20240103000000_triggers.sql": (
        "create function public.handle_new_user() returns trigger language plpgsql\n"
        "  security definer set search_path = '' as $$\n"
        "begin\n"
        "  insert into public.profiles (id, name) values (new.id, new.raw_user_meta_data ->> 'name');\n"
        "  return new;\n"
        "end $$;\n"
        "create trigger on_auth_user_created after insert on auth.users\n"
        "  for each row execute function public.handle_new_user();\n"
        "create trigger touch before update on public.profiles\n"
        "  for each row execute procedure extensions.moddatetime (updated_at);\n"
    ),
    "20240104000000_policies.sql": (
        "alter table public.profiles enable row level security;\n"
        "create policy own on public.profiles for all to authenticated using (id = (select auth.uid()));\n"
        "create policy listen on realtime.messages for select to authenticated using (true);\n"
        "create policy files on storage.objects for select to authenticated using (bucket_id = 'faces');\n"
        "insert into storage.buckets (id, name) values ('faces', 'faces');\n"
    ),
    "20240105000000_publication.sql": (
        "begin;\ndrop publication if exists supabase_realtime;\n"
        "create publication supabase_realtime;\ncommit;\n"
        "alter publication supabase_realtime add table public.profiles;\n"
    ),
}
SEED = """
set session_replication_role = default;
insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
  raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
values ('00000000-0000-0000-0000-000000000000', '11111111-1111-1111-1111-111111111111',
  'authenticated', 'authenticated', 'ada@example.com', crypt('correct horse', gen_salt('bf')), now(),
  '{"provider": "email", "providers": ["email"]}', '{"name": "Ada"}', now(), now());
"""

STATE = """
select (select count(*) from pg_tables where schemaname = 'public' and tablename = 'project_tasks'),
  (select count(*) from pg_tables where schemaname = 'public' and tablename = 'profiles')
"""
"""How many tables there are of the built-in seed and of the migrations: one of either kind is looked for."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    migrations = tmp_path / "app" / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    for name, text in MIGRATIONS.items():
        (migrations / name).write_text(text)
    (migrations.parent / "seed.sql").write_text(SEED)
    return tmp_path / "app"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """With a registry of the test's own, in which `prt local` of this process looks too."""
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(tmp_path / "runtime"))
    return clean_environment(PRT_RUNTIME_DIR=str(tmp_path / "runtime"))


def state(query: str = STATE) -> tuple[object, ...]:
    environment = json.loads(local("env", "--format", "json").stdout)
    with psycopg.connect(environment["SUPABASE_DB_URL"]) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize(("answer", "found"), [(b"y\r", (0, 1)), (b"\r", (1, 0))])
def test_somebody_at_a_terminal_is_asked(
    folder: Path, environment: dict[str, str], answer: bytes, found: tuple[int, int]
) -> None:
    with Terminal(
        [sys.executable, "-m", "prt", "local", "up", "--port", "0"], environment, 100, 24, folder
    ) as up:
        up.until(lambda text: "Run supabase/migrations and its seeds" in text)
        up.send(answer)
        up.until(lambda text: "is up at" in text and "Ctrl-C" in text)
        assert state() == found
        up.process.send_signal(signal.SIGTERM)
        assert up.finish() == 143


def test_an_interrupted_question_starts_nothing(folder: Path, environment: dict[str, str]) -> None:
    with Terminal(
        [sys.executable, "-m", "prt", "local", "up", "--port", "0"], environment, 100, 24, folder
    ) as up:
        up.until(lambda text: "Run supabase/migrations" in text)
        started = descendants(up.process.pid)
        up.send(b"\x03")
        assert up.finish() == 130
    assert [pid for pid in started if is_alive(pid)] == []


def test_a_seeded_user_signs_in_and_sees_changes(folder: Path, environment: dict[str, str]) -> None:
    script = (
        "import os, subprocess, sys, psycopg\n"
        "command = [sys.executable, '-m', 'prt', 'watch', 'profiles', '--as', 'ada@example.com']\n"
        "command += ['--json', '--count', '1', '--timeout', '60']\n"
        "watch = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
        "for line in watch.stdout:\n"
        "    if '\"READY\"' in line:\n"
        "        with psycopg.connect(os.environ['SUPABASE_DB_URL']) as connection:\n"
        "            connection.execute(\"update profiles set name = 'Ada L.'\")\n"
        "    print(line, end='')\n"
        "sys.exit(watch.wait())\n"
    )
    run = ran(
        *("local", "run", "--migrations", "--", sys.executable, "-c", script),
        environment={**environment, "PRT_PASSWORD": "correct horse"},
        folder=folder,
    )
    assert run.returncode == 0, run.stderr
    assert "prt: " not in run.stderr
    (change,) = [line for line in map(json.loads, run.stdout.splitlines()) if line["type"] == "change"]
    assert (change["eventType"], change["table"], change["new"]["name"]) == ("UPDATE", "profiles", "Ada L.")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        # What follows the program's name is its own, also without `--`.
        (("local", "run", "test", "x", "=", "x", "-o", "--migrations"), 0),
        (("watch", "--local", "--quiet", "--count", "1", "--timeout", "1ms", "--json"), 124),
    ],
    ids=["local run", "watch --local"],
)
def test_nothing_else_runs_them_or_asks(
    folder: Path, environment: dict[str, str], command: tuple[str, ...], code: int
) -> None:
    (folder / "supabase" / "migrations" / "1_wrong.sql").write_text("selekt 1;")
    run = ran(*command, environment=environment, folder=folder)
    assert run.returncode == code, run.stderr
    assert "migrations" not in run.stderr


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (["--migrations"], ["supabase/migrations"]),
        (["--migrations", "--port", "0"], ["supabase/migrations"]),
        (["--port", "0", "--migrations", "--migrations", "b.sql"], ["supabase/migrations", "b.sql"]),
        (["--migrations=a.sql"], ["a.sql"]),
        (["--data-dir", "--migrations"], []),
    ],
)
def test_the_option_may_stand_without_a_value(given: list[str], parsed: list[str]) -> None:
    up = get_command(app).commands["up"]  # type: ignore[attr-defined]
    context = up.make_context("up", given)
    assert list(map(str, context.params["migrations"])) == parsed


def test_a_pipe_is_told_and_not_asked(folder: Path, environment: dict[str, str]) -> None:
    (folder / "supabase" / "migrations" / "1_wrong.sql").write_text("selekt 1;")
    taken = os.devnull
    run = ran("local", "up", "--port", "0", "--data-dir", taken, environment=environment, folder=folder)
    assert run.returncode == 2
    assert "supabase/migrations is not run; --migrations runs it" in run.stderr


def test_a_migration_that_fails_is_one_line(folder: Path, environment: dict[str, str]) -> None:
    wrong = folder / "supabase" / "migrations" / "20240106000000_wrong.sql"
    wrong.write_text("create table public.lines (line text);\n\ncopy public.lines\nfrom program 'id';\n")
    run = ran("local", "up", "--port", "0", "--migrations", environment=environment, folder=folder)
    assert run.returncode == 2
    first, hint = run.stderr.splitlines()
    assert first == f"prt: {wrong}:3: permission denied to COPY to or from an external program"
    assert hint == (
        "hint: your SQL runs as the role postgres, which is not a superuser, as in a hosted project"
    )
