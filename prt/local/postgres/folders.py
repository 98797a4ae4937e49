"""The folder of one PostgreSQL: an ephemeral one or the user's own, and the passwords in it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from prt.config.files import open_regular, read_text
from prt.errors import UsageError
from prt.local.postgres import watchdog
from prt.local.postgres.programs import Programs, ServiceUser
from prt.redaction import register

PREFIX = "prt-local-"
ABANDONED_SECONDS = 60.0


def secret(path: Path) -> str:
    """Return the password in a file of the project's folder, a new one if there is none.

    It is kept because the cluster keeps its hash.
    """
    with suppress(FileNotFoundError):
        kept = read_text(path)
        register(kept)
        return kept
    password = secrets.token_urlsafe(24)
    register(password)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)
    return password


def ephemeral_folder(user: ServiceUser | None) -> Path:
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp below
    for parent in candidates:
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            continue
        if user is not None and not user.can_pass(parent):
            continue
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        if user is not None:
            os.chown(folder, user.uid, user.gid)
        return folder
    raise UsageError(
        f"no temporary folder that PostgreSQL can use: {', '.join(map(str, candidates))}",
        "set TMPDIR to a folder that it can reach",
    )


def _remove_abandoned(parent: Path) -> None:
    """What was left when prt and its watchdog were killed together, by us or another of this user."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), os.fdopen(open_regular(folder / watchdog.LOCK), "rb") as lock:
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def data_folder(data_dir: Path, user: ServiceUser | None, programs: Programs) -> Path:
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise UsageError(
            f"can't use the data folder {folder}: {error.strerror}", "choose another folder"
        ) from error
    if not is_empty and not (folder / "password").exists():
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
        os.chown(folder, user.uid, user.gid)
    if (folder / "data").exists() and not (folder / "owner_password").exists():
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
