"""A PostgreSQL of our own, on 127.0.0.1, for as long as a `with` block lasts.

psycopg is not needed here: the server is started by `prt.local.postgres.watchdog` and spoken to by others.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from prt.config.environment import LIBPQ, withdraw
from prt.config.files import DRAFT, open_regular, read_text, write_whole
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input
from prt.local.postgres import extensions, watchdog
from prt.local.postgres.programs import COPIES, Programs, ServiceUser, find, service_user
from prt.local.postgres.watchdog import Order
from prt.redaction import register

PREFIX = "prt-local-"
ABANDONED_SECONDS = 60.0
STOP_SECONDS = 20.0
EXTENSIONS = "extensions"
"""The copy of `extensions.FOLDER` in a project's folder, if PostgreSQL's user can't read the original."""
PASSWORD = "password"  # noqa: S105 - the name of a file
PASSABLE = 0o711
"""The mode of a folder that is root's, and in which another user runs PostgreSQL."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No Unix socket: its path holds 107 bytes, and a temporary folder's may not.
    "unix_socket_directories": "",
    "wal_level": "logical",
    # `off` would delay decoding by 180 ms.
    "synchronous_commit": "on",
    "shared_buffers": "16MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "max_connections": "60",
    # Left in /dev/shm by a kill otherwise.
    "dynamic_shared_memory_type": "mmap",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    # What a client did wrong is told to the client; the log is for starts and crashes.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}

# Nothing of an ephemeral one outlives a crash of the machine, so nothing has to reach the disk.
# With a data folder it does: killed processes lose nothing either way, but a power cut would.
EPHEMERAL_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """Superuser `postgres`, database `postgres`; `pid` is the postmaster's."""

    port: int
    password: str = field(repr=False)
    pid: int
    host: str = "127.0.0.1"

    def conninfo(
        self, user: str = "postgres", dbname: str = "postgres", *, password: str | None = None
    ) -> str:
        """Return libpq's keywords, over TCP, with the superuser's password if no other is given.

        They also answer what libpq would ask the environment or a file in the user's home; see also
        `prt.config.environment.LIBPQ`.
        """
        return (
            f"host={self.host} port={self.port} user={_quoted(user)} dbname={_quoted(dbname)} "
            f"password={_quoted(password or self.password)} "
            "passfile=/dev/null sslmode=disable gssencmode=disable client_encoding=utf8"
        )

    @property
    def url(self) -> str:
        """Return the URL of the database, with the password of `postgres`."""
        return f"postgresql://postgres:{quote(self.password, safe='')}@{self.host}:{self.port}/postgres"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Launch:
    """A PostgreSQL that is being started; meanwhile its caller does what else takes time."""

    def __init__(self, order: Order, password: str) -> None:
        self._order = order
        self._password = password
        self._postgres: Postgres | None = None
        self._watchdog = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self._to_watchdog = cast("IO[bytes]", self._watchdog.stdin)
        self._from_watchdog = cast("IO[bytes]", self._watchdog.stdout)
        self._say(json.dumps(asdict(order)))

    def ready(self) -> Postgres:
        """Waits for PostgreSQL to take connections. Raises UnreachableError with its last words."""
        if self._postgres is None:
            answer = json.loads(
                self._from_watchdog.readline() or '{"error": "the watchdog of PostgreSQL died"}'
            )
            if answer.get("is_in_use"):
                raise UsageError(
                    answer["error"], f"see `prt local status`, or choose another {Input.DATA_DIR}"
                )
            if "error" in answer:
                raise UnreachableError(answer["error"], "the embedded project can't run without PostgreSQL")
            self._postgres = Postgres(port=answer["port"], password=self._password, pid=answer["pid"])
        return self._postgres

    def take_along(self, pid: int) -> None:
        """This process ends too when we are killed."""
        self._say(f"guard {pid}")

    @property
    def ended(self) -> int:
        """A file descriptor that becomes readable, at its end, when PostgreSQL is gone."""
        return self._from_watchdog.fileno()

    def stop(self) -> None:
        """Returns when processes and, of an ephemeral one, files are gone."""
        with suppress(OSError):
            self._to_watchdog.close()
        try:
            self._watchdog.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()
        self._from_watchdog.close()
        if self._watchdog.returncode < 0:
            # It was killed, so the kernel stops PostgreSQL, and the files are ours to remove.
            self._clean_up_after_it()

    def _clean_up_after_it(self) -> None:
        watchdog.end_orphan(self._order.data)
        if self._order.ephemeral:
            shutil.rmtree(self._order.folder, ignore_errors=True)

    def _say(self, line: str) -> None:
        with suppress(OSError):
            self._to_watchdog.write(line.encode() + b"\n")
            self._to_watchdog.flush()


@contextmanager
def launched(
    data_dir: Path | None = None,
    *,
    programs_folder: str | None = None,
    port: int | None = None,
    password: str | None = None,
) -> Iterator[Launch]:
    """Start a PostgreSQL that is stopped at the end of the block.

    Args:
        data_dir: The folder of its data; without one it is ephemeral, and no file of it survives.
        programs_folder: The folder of PostgreSQL's programs; None takes those of the wheel.
        port: The port that it listens on; None takes a free one.
        password: The password of the role `postgres`; None takes the folder's, or a random one.

    Raises:
        UsageError: A folder can't serve, or its password is another.
    """
    withdraw(LIBPQ)
    programs = find(programs_folder)
    user = service_user()
    folder = _ephemeral_folder(user) if data_dir is None else _data_folder(data_dir, user, programs)
    if password is not None:
        _choose_password(folder, password)
    order = replace(_order(folder, data_dir is None, programs, user), port=port)
    launch = Launch(order, _password(folder))
    try:
        yield launch
    finally:
        launch.stop()


@contextmanager
def running(data_dir: Path | None = None) -> Iterator[Postgres]:
    """PostgreSQL, ready, until the block's end. Raises UsageError, UnreachableError."""
    with launched(data_dir) as launch:
        yield launch.ready()


def _order(folder: Path, ephemeral: bool, programs: Programs, user: ServiceUser | None) -> Order:
    is_readable = user is None or user.can_enter(programs.folder)
    if not is_readable and not programs.parts:
        raise UsageError(
            f"PostgreSQL can't run as root, and the user in its place can't read {programs.folder}",
            "name a PostgreSQL that all can read, or run prt as an ordinary user",
        )
    initdb = [
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--auth-host=scram-sha-256",
        "--auth-local=reject",
        "--no-instructions",
    ]
    settings = dict(SETTINGS)
    can_extend = user is None or user.can_enter(extensions.FOLDER)
    if programs.major >= 17:
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if programs.major >= 18:
        # The workers of the new kind are three processes more, for discs that we don't wait for.
        settings["io_method"] = "sync"
        settings["extension_control_path"] = (
            f"$system:{extensions.FOLDER if can_extend else folder / EXTENSIONS}"
        )
    if ephemeral:
        initdb += ["--no-sync"]
        settings |= EPHEMERAL_SETTINGS
    return Order(
        folder=str(folder),
        ephemeral=ephemeral,
        programs=str(programs.folder) if is_readable else programs.copied_folder(),
        password=_password(folder),
        initdb=initdb,
        settings=settings,
        copies=[
            *([] if is_readable else programs.copies()),
            *([] if can_extend else [(str(extensions.FOLDER), EXTENSIONS)]),
        ],
        uid=None if user is None else user.uid,
        gid=None if user is None else user.gid,
    )


def _password(folder: Path) -> str:
    """The superuser's; kept in the folder, because the cluster keeps its hash."""
    path = folder / PASSWORD
    with suppress(FileNotFoundError):
        kept = read_text(path)
        if kept:  # an empty one is what a full disk left of the first start
            register(kept)
            return kept
    password = secrets.token_urlsafe(24)
    register(password)
    _write(path, password)
    return password


def _choose_password(folder: Path, password: str) -> None:
    path = folder / "password"
    with suppress(FileNotFoundError):
        if read_text(path) != password:
            raise UsageError(
                f"{folder} was made with a password of its own",
                f"choose a new {Input.DATA_DIR}, or leave out {Input.LIKE_CLI}",
            )
        return
    _write(path, password)


def _write(path: Path, text: str) -> None:
    """Write a file of the project's folder. Raise UsageError if there is no room for it."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"can't write {path}: {error.strerror}", "make room on the disk, or choose another data folder"
        ) from error


def _ephemeral_folder(user: ServiceUser | None) -> Path:
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
    """Remove what was left when prt and its watchdog were killed together, by us or by this user."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), os.fdopen(open_regular(folder / watchdog.LOCK), "rb") as lock:
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _data_folder(data_dir: Path, user: ServiceUser | None, programs: Programs) -> Path:
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = all(path.name == f"{PASSWORD}{DRAFT}" for path in folder.iterdir())
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
    # What a former version has copied here for PostgreSQL's user is copied anew.
    programs = folder / COPIES
    if programs.is_dir() and not programs.is_symlink():
        shutil.rmtree(programs)
