"""A data folder whose first start failed, and one in which somebody else has put links."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prt.errors import UsageError
from prt.local.postgres import folders
from prt.local.postgres.folders import data_folder
from prt.local.postgres.programs import find, service_user
from prt.local.postgres.server import launched, running
from tests.running import PATIENCE

RUN = [sys.executable, "-m", "prt", "local", "run", "--port", "0", "--no-seed", "--data-dir"]
KEY = "SUPABASE_ANON_KEY"


def run(folder: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a project that prints a key. No file may become longer than `limit` bytes: a disk that is full."""

    def fill_the_disk() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [*RUN, str(folder), "--", "sh", "-c", f"echo ${KEY}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=fill_the_disk,
    )


def test_a_data_folder_is_of_use_after_a_disk_that_was_full_at_its_first_start(open_folder: Path) -> None:
    """The disk is full for the password, for PostgreSQL's files, and has room again."""
    folder = open_folder / "kept"
    for limit in (0, 64 * 1024):
        failed = run(folder, limit)
        assert failed.returncode in {2, 4}, failed.stderr
        first, second = failed.stderr.splitlines()
        assert first.startswith("prt: ")
        assert str(folder) in first or "initdb failed" in first
        assert second.startswith("hint: ")
    assert not (folder / "data").exists()
    done = run(folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert run(folder).stdout == done.stdout


def test_an_empty_password_is_what_a_full_disk_left(open_folder: Path) -> None:
    """As earlier versions wrote it."""
    folder = open_folder / "kept"
    folder.mkdir()
    (folder / "password").touch()
    assert folders.secret(folder / "password")
    assert (folder / "password").read_text() == folders.secret(folder / "password")


def test_a_draft_is_no_reason_to_refuse_a_folder(open_folder: Path) -> None:
    (open_folder / "password.draft").touch()
    assert data_folder(open_folder, None, find()) == open_folder
    (open_folder / "thesis.txt").touch()
    with pytest.raises(UsageError, match="not a data folder of prt"):
        data_folder(open_folder, None, find())


needs_root = pytest.mark.skipif(service_user() is None, reason="only root writes for another user")


def linked(target: Path, path: Path) -> None:
    """A link of PostgreSQL's user."""
    user = service_user()
    assert user is not None
    path.symlink_to(target)
    os.chown(path, user.uid, user.gid, follow_symlinks=False)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of root's that is not to be touched."""
    path = tmp_path_factory.mktemp("victim") / "shadow"
    path.write_text("untouched")
    return path


@needs_root
@pytest.mark.parametrize(
    "made",
    [
        lambda folder, victim: linked(victim, folder / "lock"),
        lambda folder, victim: linked(victim, folder / "postgres.log"),
        lambda folder, victim: linked(victim.parent, folder / "programs"),
        lambda folder, victim: linked(victim.parent, folder / "data"),
        lambda folder, victim: (folder / "password.new").hardlink_to(victim),
    ],
    ids=["the lock", "the log", "the copies", "the cluster", "a second name"],
)
def test_root_follows_no_link_of_another_user(
    made: Callable[[Path, Path], None], victim: Path, open_folder: Path
) -> None:
    folder = open_folder / "kept"
    folder.mkdir()
    (folder / "password").write_text("of an earlier start")
    user = service_user()
    assert user is not None
    os.chown(folder, user.uid, user.gid)
    before = sorted(victim.parent.iterdir())
    made(folder, victim)
    try:
        with pytest.raises(UsageError, match="is a link that somebody else may have made"), launched(folder):
            pytest.fail("started")
    finally:
        (folder / "password.new").unlink(missing_ok=True)
    assert victim.read_text() == "untouched"
    assert sorted(victim.parent.iterdir()) == before
    # PostgreSQL's user can put no further link there.
    assert folder.stat().st_uid == os.geteuid()
    assert folder.stat().st_mode & 0o777 == 0o711


@needs_root
def test_a_folder_and_its_link_of_root_stay_of_use(open_folder: Path) -> None:
    """Root may keep `data` on another disk; PostgreSQL's user may have put a FIFO where its note was."""
    folder = open_folder / "kept"
    with running(folder):
        pass
    (folder / "data").rename(open_folder / "elsewhere")
    (folder / "data").symlink_to(open_folder / "elsewhere")
    os.mkfifo(folder / "data" / "postmaster.pid")
    with running(folder) as postgres:
        assert postgres.port
    assert {path.lstat().st_uid for path in folder.iterdir()} == {os.geteuid()}
