from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from prt.local.seed.people import MEMBER
from tests.running import clean_environment

JS = Path(__file__).with_name("js")

RULES = """
create table public.e2e_notes (id int generated always as identity primary key, body text);
create function public.e2e_tell() returns trigger security definer language plpgsql as $$ begin
  perform realtime.broadcast_changes(
    'e2e:both', tg_op, tg_op, tg_table_name, tg_table_schema, new, old
  );
  return null;
end $$;
create trigger tell after insert on public.e2e_notes for each row execute function public.e2e_tell();
create policy e2e_read on realtime.messages for select to authenticated
  using (realtime.topic() in ('e2e:both', 'e2e:read') and auth.uid() = '{member}');
create policy e2e_write on realtime.messages for insert to authenticated
  with check (realtime.topic() in ('e2e:both', 'e2e:write') and auth.uid() = '{member}');
"""
GONE = """
drop policy e2e_read on realtime.messages;
drop policy e2e_write on realtime.messages;
drop table public.e2e_notes;
drop function public.e2e_tell();
"""


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of `js/package-lock.json`: installed once a lock, kept in the user's cache."""
    lock = (JS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "prt-tests"
    installed = cache / f"js-{hashlib.sha256(lock).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock_file:
        # Several processes may test at once: one of them installs.
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not installed.exists():
            draft = Path(tempfile.mkdtemp(dir=cache))
            for name in ("package.json", "package-lock.json"):
                shutil.copy(JS / name, draft)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=draft, check=True)
            draft.rename(installed)
    return installed / "node_modules"


@pytest.fixture(scope="session")
def scripts(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of `js/` beside their packages: Node looks for these from the script's own folder."""
    folder = tmp_path_factory.mktemp("js")
    for script in [*JS.glob("*.mjs"), JS / "package.json"]:
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(node_modules, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def node_environment(project: dict[str, str]) -> dict[str, str]:
    """What the scripts read: the project's variables, and a member to sign in as."""
    return clean_environment(
        **{name: value for name, value in project.items() if name.startswith("SUPABASE_")},
        MEMBER_EMAIL=MEMBER.email,
        MEMBER_PASSWORD=MEMBER.password,
    )


@pytest.fixture
def private_topics(project: dict[str, str]) -> Iterator[None]:
    """Topics with rights, as migrations make them: the member may read and write, only read, only write."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(RULES.format(member=MEMBER.id).encode())
        yield
        connection.execute(GONE.encode())
