"""A PostgreSQL of our own, on 127.0.0.1, for as long as a `with` block lasts.

psycopg is not needed here: the server is started by `prt.local.postgres.watchdog` and spoken to by others.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from prt.config.environment import LIBPQ, withdraw
from prt.config.files import open_regular, read_text
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input
from prt.local.postgres import watchdog
from prt.local.postgres.programs import Programs, ServiceUser, find, service_user
from prt.local.postgres.watchdog import Order
from prt.redaction import register

PREFIX = "prt-local-"
ABANDONED_SECONDS = 60.0
STOP_SECONDS = 20.0

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


SUPERUSER = "supabase_admin"
OWNER = "postgres"
"""The role of the user's own connections and migrations, which is no superuser, as in a hosted project."""


@dataclass(frozen=True)
class Postgres:
    """A running server with the database `postgres`; `pid` is the postmaster's.

    `password` is that of the superuser and of the services' roles, `owner_password` that of `OWNER`.
    """

    port: int
    password: str = field(repr=False)
    owner_password: str = field(repr=False)
    pid: int
    host: str = "127.0.0.1"

    def conninfo(
        self, user: str = SUPERUSER, dbname: str = "postgres", *, password: str | None = None
    ) -> str:
        """Return libpq's keywords, over TCP, with the user's own password if no other is given.

        They also answer what libpq would ask the environment or a file in the user's home; see also
        `prt.config.environment.LIBPQ`.
        """
        return (
            f"host={self.host} port={self.port} user={_quoted(user)} dbname={_quoted(dbname)} "
            f"password={_quoted(password or (self.owner_password if user == OWNER else self.password))} "
            "passfile=/dev/null sslmode=disable gssencmode=disable client_encoding=utf8"
        )

    @property
    def url(self) -> str:
        """The user's own URL of the database, as `OWNER`."""
        password = quote(self.owner_password, safe="")
        return f"postgresql://{OWNER}:{password}@{self.host}:{self.port}/postgres"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Launch:
    """A PostgreSQL that is being started; meanwhile its caller does what else takes time."""

    def __init__(self, order: Order) -> None:
        self._order = order
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
            self._postgres = Postgres(
                port=answer["port"],
                password=self._order.password,
                owner_password=_secret(self._order.root / "owner_password"),
                pid=answer["pid"],
            )
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
def launched(data_dir: Path | None = None, *, programs_folder: str | None = None) -> Iterator[Launch]:
    """A PostgreSQL that starts while the block runs and is stopped at its end.

    `data_dir` None: ephemeral, no file of it survives. Raises UsageError where a folder can't serve.
    """
    withdraw(LIBPQ)
    programs = find(programs_folder)
    user = service_user()
    folder = _ephemeral_folder(user) if data_dir is None else _data_folder(data_dir, user, programs)
    _secret(folder / "owner_password")
    launch = Launch(_order(folder, data_dir is None, programs, user))
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
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C",
        "--auth-host=scram-sha-256",
        "--auth-local=reject",
        "--no-instructions",
    ]
    settings = dict(SETTINGS)
    if programs.major >= 17:
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if programs.major >= 18:
        # The workers of the new kind are three processes more, for discs that we don't wait for.
        settings["io_method"] = "sync"
    if ephemeral:
        initdb += ["--no-sync"]
        settings |= EPHEMERAL_SETTINGS
    return Order(
        folder=str(folder),
        ephemeral=ephemeral,
        programs=str(programs.folder) if is_readable else programs.copied_folder(),
        password=_secret(folder / "password"),
        initdb=initdb,
        settings=settings,
        copies=[] if is_readable else programs.copies(),
        uid=None if user is None else user.uid,
        gid=None if user is None else user.gid,
    )


def _secret(path: Path) -> str:
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


def _data_folder(data_dir: Path, user: ServiceUser | None, programs: Programs) -> Path:
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
