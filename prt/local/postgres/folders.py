"""The folder in which a PostgreSQL runs, an ephemeral one or the user's own, and the passwords in it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from prt.config.files import DRAFT, open_regular, read_text, write_whole
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.postgres import watchdog
from prt.local.postgres.programs import COPIES, Programs, ServiceUser
from prt.redaction import register

PREFIX = "prt-local-"
ABANDONED_SECONDS = 60.0
PASSWORD = "password"  # noqa: S105 - the name of a file
OWNER_PASSWORD = "owner_password"  # noqa: S105 - the name of a file
FIRST = {f"{PASSWORD}{DRAFT}", OWNER_PASSWORD, f"{OWNER_PASSWORD}{DRAFT}"}
"""The files that an interrupted first start may have left before it wrote the superuser's password."""
PASSABLE = 0o711
"""The mode of a folder that is root's, and in which another user runs PostgreSQL."""


def secret(path: Path, chosen: str | None = None) -> str:
    """Return the password in a file of the project's folder, and write the file if there is none.

    The folder keeps the password because the cluster has only its hash.

    Args:
        path: The file.
        chosen: The password to write; None writes a random one.

    Raises:
        UsageError: The file has another password than the chosen one, or can't be written.
    """
    with suppress(FileNotFoundError):
        kept = read_text(path)
        if kept:  # an empty one is what a full disk left of the first start
            register(kept)
            if chosen not in (None, kept):
                raise UsageError(
                    f"{path.parent} was made with a password of its own",
                    f"choose a new {Input.DATA_DIR}, or leave out {Input.LIKE_CLI}",
                )
            return kept
    password = chosen or secrets.token_urlsafe(24)
    register(password)
    _write(path, password)
    return password


def _write(path: Path, text: str) -> None:
    """Write a file of the project's folder. Raise UsageError if that fails, for example on a full disk."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"can't write {path}: {error.strerror}", "make room on the disk, or choose another data folder"
        ) from error


def ephemeral_folder(user: ServiceUser | None) -> Path:
    """Make a temporary folder. Raise UsageError if PostgreSQL's user can reach none of the usual places."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp below
    for parent in candidates:
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            continue
        if user is not None and not user.can_pass(parent):
            continue
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        if user is not None:
            folder.chmod(PASSABLE)
        return folder
    raise UsageError(
        f"no temporary folder that PostgreSQL can use: {', '.join(map(str, candidates))}",
        "set TMPDIR to a folder that it can reach",
    )


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of earlier starts, if prt and its watchdog were killed together."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), os.fdopen(open_regular(folder / watchdog.LOCK), "rb") as lock:
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def data_folder(data_dir: Path, user: ServiceUser | None, programs: Programs) -> Path:
    """Make or check the user's own data folder, and return its absolute path.

    Args:
        data_dir: The folder.
        user: The user who runs PostgreSQL; None if that is our own.
        programs: PostgreSQL's programs, whose version must be that of the folder.

    Raises:
        UsageError: The folder can't be used: it holds something else, PostgreSQL's user can't reach it, or
            another version has made it.
    """
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = all(path.name in FIRST for path in folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"can't use the data folder {folder}: {error.strerror}", "choose another folder"
        ) from error
    if not is_empty and not (folder / PASSWORD).exists():
        raise UsageError(
            f"{folder} is not empty and is not a data folder of prt", "choose an empty or a new folder"
        )
    if user is not None:
        if not user.can_pass(folder.parent):
            with suppress(OSError):
                folder.rmdir()
            raise UsageError(
                f"PostgreSQL runs as `{user.name}` here, which can't reach {folder}",
                "choose a folder whose parents are open to all, or run prt as an ordinary user",
            )
        _take_over(folder)
    if (folder / "data").exists() and not (folder / OWNER_PASSWORD).exists():
        raise UsageError(
            f"{folder} was made by an older prt, in which migrations run as a superuser",
            "choose a new folder, or keep this one for that prt",
        )
    with suppress(FileNotFoundError):
        version = read_text(folder / "data" / "PG_VERSION").strip()
        if version != str(programs.major):
            raise UsageError(
                f"{folder} was made by PostgreSQL {version}, this one is {programs.major}",
                "choose a new folder, or name the older PostgreSQL with PRT_POSTGRES_BIN",
            )
    return folder


def _take_over(folder: Path) -> None:
    """Make the folder root's alone, so that PostgreSQL's user, who owns `data` in it, can put nothing there.

    Root writes into this folder. Earlier versions gave it to PostgreSQL's user, who may have left links to
    files of others: raise UsageError for a link that is not root's own, and for a second name of a file.
    """
    os.chown(folder, os.getuid(), os.getgid())
    folder.chmod(PASSABLE)
    for path in folder.iterdir():
        found = path.lstat()
        is_foreign_link = stat.S_ISLNK(found.st_mode) and found.st_uid != os.getuid()
        if is_foreign_link or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1):
            raise UsageError(
                f"{path} is a link that somebody else may have made", "remove it, or choose a new folder"
            )
    # The programs that a former version has copied here for PostgreSQL's user are copied anew.
    programs = folder / COPIES
    if programs.is_dir() and not programs.is_symlink():
        shutil.rmtree(programs)
