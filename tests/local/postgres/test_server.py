"""PostgreSQL of our own: what it is, what is left of it, and what it survives."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from prt.errors import UsageError
from prt.local.postgres import cluster, folders, programs, watchdog
from prt.local.postgres import server as postgres_module
from prt.local.postgres.server import Postgres, launched, running
from tests.local.processes import descendants, kill_together, parent_of, wait_for_end
from tests.running import PATIENCE

OWNER = """
import sys
from pathlib import Path
from prt.local.postgres.server import running
with running(Path(sys.argv[1]) if sys.argv[1:] else None) as postgres:
    print(postgres.pid, postgres.conninfo(), flush=True)
    sys.stdin.read()
"""


class Owner:
    """A process that holds a PostgreSQL, to be killed."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        pid, _, self.conninfo = self.process.stdout.readline().strip().partition(" ")
        self.pid = int(pid)
        self.watchdog = parent_of(self.pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def fetch(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def execute(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def temporary(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where ephemeral folders are made, for us and for our children."""
    monkeypatch.setenv("TMPDIR", str(open_folder))
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    return open_folder


def test_superuser_with_a_password_over_tcp(postgres: Postgres) -> None:
    assert fetch(postgres.conninfo(), "select current_user || current_setting('is_superuser')") == (
        "supabase_adminon"
    )
    assert fetch(postgres.conninfo(), "select current_database()") == "postgres"
    assert fetch(postgres.conninfo(), "select host(inet_server_addr())") == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.conninfo(password="guessed"))


def test_settings_for_streaming(postgres: Postgres) -> None:
    assert fetch(postgres.conninfo(), "select current_setting('wal_level')") == "logical"
    assert fetch(postgres.conninfo(), "select current_setting('synchronous_commit')") == "on"
    assert fetch(postgres.conninfo(), "select current_setting('unix_socket_directories')") == ""
    assert fetch(postgres.conninfo(), "select upper('æ')") == "Æ"


def test_the_password_is_not_shown(postgres: Postgres) -> None:
    assert postgres.password not in repr(postgres)
    assert postgres.owner_password not in repr(postgres)


def test_two_at_once_and_nothing_left(temporary: Path) -> None:
    with running() as one, running() as other:
        execute(one.conninfo(), "create table mine (id int)")
        assert fetch(other.conninfo(), "select to_regclass('mine')") is None
        assert len(list(temporary.iterdir())) == 2
        processes = [one.pid, other.pid, *descendants(one.pid), *descendants(other.pid)]
    assert list(temporary.iterdir()) == []
    assert [pid for pid in processes if watchdog.is_alive(pid)] == []


def test_our_environment_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_of_another_project")
    with running() as server:
        assert fetch(server.conninfo(), "select 1") == 1
        # It may run as another user, who has no business with our variables.
        assert b"sb_secret" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_killed_owner_leaves_nothing(temporary: Path) -> None:
    owner = Owner()
    processes = [owner.pid, owner.watchdog, *descendants(owner.pid)]
    owner.kill()
    wait_for_end(*processes)
    assert list(temporary.iterdir()) == []


def test_killed_watchdog_leaves_nothing(temporary: Path) -> None:
    with launched() as launch:
        server = launch.ready()
        dog = next(pid for pid in descendants(os.getpid()) if server.pid in descendants(pid))
        os.kill(dog, signal.SIGKILL)
        ended, _, _ = select.select([launch.ended], [], [], PATIENCE)
        assert ended
    wait_for_end(server.pid)
    assert list(temporary.iterdir()) == []


def test_what_two_kills_left_is_removed_by_the_next(temporary: Path) -> None:
    owner = Owner()
    processes = [owner.pid, owner.watchdog, *descendants(owner.pid)]
    os.kill(owner.watchdog, signal.SIGKILL)
    owner.kill()
    wait_for_end(*processes)
    (left,) = temporary.iterdir()
    with running():
        # Young: its watchdog may be about to take the lock.
        assert left.exists()
    long_ago = time.time() - 2 * folders.ABANDONED_SECONDS
    os.utime(left, (long_ago, long_ago))
    with running() as alive:
        assert not left.exists()
        (folder,) = temporary.iterdir()
        os.utime(folder, (long_ago, long_ago))
        with running():
            assert fetch(alive.conninfo(), "select 1") == 1


def test_data_folder_persists(open_folder: Path) -> None:
    folder = open_folder / "kept"
    with running(folder) as first:
        execute(first.conninfo(), "create table notes as select 'kept' as text")
    with running(folder) as second:
        assert second.password == first.password
        assert fetch(second.conninfo(), "select text from notes") == "kept"
        assert fetch(second.conninfo(), "select current_setting('fsync')") == "on"
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
    # PostgreSQL's own user passes through a folder of root's, and can neither list it nor write into it.
    assert folder.stat().st_mode & 0o777 == (0o700 if programs.service_user() is None else 0o711)
    assert folder.stat().st_uid == os.geteuid()


def test_data_folder_recovers_from_a_kill_of_everything(open_folder: Path) -> None:
    owner = Owner(str(open_folder / "kept"))
    execute(owner.conninfo, "create table notes as select 'kept' as text")
    processes = [owner.watchdog, owner.process.pid, owner.pid, *descendants(owner.pid)]
    kill_together(*processes)
    owner.process.communicate()
    assert (open_folder / "kept" / "data" / "postmaster.pid").exists()
    with running(open_folder / "kept") as server:
        assert fetch(server.conninfo(), "select text from notes") == "kept"


def test_an_orphan_of_the_data_folder_is_ended(open_folder: Path) -> None:
    owner = Owner(str(open_folder / "kept"))
    execute(owner.conninfo, "create table notes as select 'kept' as text")
    # Stopped, it heeds neither the kernel's word nor a polite one.
    os.kill(owner.pid, signal.SIGSTOP)
    os.kill(owner.watchdog, signal.SIGKILL)
    owner.kill()
    with running(open_folder / "kept") as server:
        assert server.pid != owner.pid
        assert fetch(server.conninfo(), "select text from notes") == "kept"
    wait_for_end(owner.pid)


def test_a_stale_pid_file_with_the_number_of_another_process(open_folder: Path) -> None:
    with running(open_folder / "kept"):
        pass
    user = programs.service_user()
    # PostgreSQL takes a live process of its own user for another PostgreSQL.
    bystander = subprocess.Popen(["sleep", "600"], user=None if user is None else user.uid, cwd="/")
    try:
        note = open_folder / "kept" / "data" / "postmaster.pid"
        note.write_text(f"{bystander.pid}\n{note.parent}\n1\n5432\n\n127.0.0.1\n0 0\nready\n")
        with running(open_folder / "kept") as server:
            assert fetch(server.conninfo(), "select 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_an_interrupted_initdb_is_begun_again(open_folder: Path) -> None:
    with running(open_folder / "kept"):
        pass
    shutil.rmtree(open_folder / "kept" / "data" / "base")
    (open_folder / "kept" / "data").rename(open_folder / "kept" / "data.new")
    with running(open_folder / "kept") as server:
        assert fetch(server.conninfo(), "select 1") == 1


def test_a_data_folder_in_use(open_folder: Path) -> None:
    with (
        running(open_folder / "kept") as first,
        pytest.raises(UsageError, match="in use by another embedded project"),
        running(open_folder / "kept"),
    ):
        pytest.fail("started twice")
    assert not watchdog.is_alive(first.pid)
    assert (open_folder / "kept" / "data" / "PG_VERSION").exists()


def test_a_data_folder_out_of_reach(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir()
    closed.chmod(0o000 if os.geteuid() else 0o700)
    with pytest.raises(UsageError) as caught, running(closed / "kept"):
        pytest.fail("started")
    assert str(closed / "kept") in caught.value.message
    assert caught.value.hint is not None
    closed.chmod(0o700)
    assert list(closed.iterdir()) == []


def test_a_folder_of_somebody_else_stays_as_it_is(open_folder: Path) -> None:
    (open_folder / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a data folder of prt"), running(open_folder):
        pytest.fail("started")
    assert [path.name for path in open_folder.iterdir()] == ["thesis.txt"]
    assert open_folder.stat().st_uid == os.geteuid()


def test_a_data_folder_of_another_version(open_folder: Path) -> None:
    with running(open_folder / "kept"):
        pass
    (open_folder / "kept" / "data" / "PG_VERSION").write_text("13\n")
    with pytest.raises(UsageError, match="made by PostgreSQL 13"), running(open_folder / "kept"):
        pytest.fail("started")


def test_a_data_folder_of_an_older_prt(open_folder: Path) -> None:
    """Its `postgres` made the cluster, and stays a superuser for ever."""
    with running(open_folder / "kept"):
        pass
    (open_folder / "kept" / "owner_password").unlink()
    with pytest.raises(UsageError, match="made by an older prt"), running(open_folder / "kept"):
        pytest.fail("started")
    assert (open_folder / "kept" / "data" / "PG_VERSION").exists()


def test_an_environment_in_a_closed_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a venv below `/root`: only its owner can read the wheel."""
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = programs.of_wheel()
    assert wheel is not None
    for source, target in wheel.copies():
        shutil.copytree(source, closed / target, symlinks=True)
    folder = closed / wheel.copied_folder()
    parts = tuple(closed / target for _, target in wheel.copies())
    moved = programs.Programs(folder=folder, major=wheel.major, parts=parts)
    monkeypatch.setattr(postgres_module, "find", lambda _: moved)
    with running() as server:
        assert fetch(server.conninfo(), "select 1") == 1


def test_a_port_that_another_took_meanwhile(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = programs.service_user()
    if user is not None:
        os.chown(open_folder, user.uid, user.gid)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = watchdog.free_port()
        ports = iter([taken, taken, free])
        monkeypatch.setattr(watchdog, "free_port", lambda: next(ports))
        order = postgres_module._order(open_folder, True, programs.find(), user)
        cluster.prepared(order)
        server, port = watchdog.started(order)
        try:
            assert port == free
        finally:
            watchdog.stop(server, order)


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(programs, "of_wheel", lambda: None)
    return


@pytest.mark.usefixtures("no_wheel")
def test_no_postgres_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError) as caught:
        programs.find()
    assert caught.value.hint == "pip install 'prt-realtime[local]'"


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize(
    ("version", "major"),
    [
        ("postgres (PostgreSQL) 17.2 (Debian 17.2-1)", 17),
        ("postgres (PostgreSQL) 19beta1", 19),
        ("postgres (PostgreSQL) 14.9", None),
        ("", None),
    ],
)
def test_postgres_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, major: int | None
) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    if major is None:
        with pytest.raises(UsageError):
            programs.find()
        with pytest.raises(UsageError, match="PRT_POSTGRES_BIN"):
            programs.find(str(tmp_path))
    else:
        assert programs.find().major == major
        assert programs.find(str(tmp_path)).folder == tmp_path
