"""A PostgreSQL of our own, on 127.0.0.1, for as long as a `with` block lasts.

psycopg is not needed here: the server is started by `prt.local.postgres.watchdog` and spoken to by others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from prt.config.environment import LIBPQ, withdraw
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input
from prt.local.postgres import archive, cluster_cache, extensions, watchdog
from prt.local.postgres.folders import OWNER_PASSWORD, PASSWORD, data_folder, ephemeral_folder, secret
from prt.local.postgres.order import Order
from prt.local.postgres.programs import Programs, ServiceUser, find, service_user

STOP_SECONDS = 20.0
EXTENSIONS = "extensions"
"""The copy of `extensions.FOLDER` in a project's folder, if PostgreSQL's user can't read the original."""

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
        """Return the user's own URL of the database, as `OWNER`."""
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
        self.note: archive.Note | None = None
        """What was kept beside the cluster that this one copies; once it is ready, None for a new one."""
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
        self._say(json.dumps(order._asdict()))

    def ready(self) -> Postgres:
        """Waits for PostgreSQL to take connections. Raises UnreachableError with its last words."""
        if self._postgres is None:
            self._postgres = self._answered()
        return self._postgres

    @property
    def keeps(self) -> bool:
        """Whether the cluster is a new one, and is to be kept once it is filled."""
        self.ready()
        return self._order.archive is not None and self.note is None

    def keep(self, note: archive.Note) -> Postgres:
        """Keep the cluster for other starts, and wait for PostgreSQL to be up again, on another port.

        Raises UnreachableError if PostgreSQL does not start again.
        """
        self._say(json.dumps(note))
        self._postgres = self._answered()
        if self._order.archive is not None:
            cluster_cache.prune(Path(self._order.archive))
        return self._postgres

    def _answered(self) -> Postgres:
        answer = json.loads(self._from_watchdog.readline() or '{"error": "the watchdog of PostgreSQL died"}')
        if answer.get("is_in_use"):
            raise UsageError(answer["error"], f"see `prt local status`, or choose another {Input.DATA_DIR}")
        if "error" in answer:
            raise UnreachableError(answer["error"], "the embedded project can't run without PostgreSQL")
        self.note = answer.get("note")
        return Postgres(
            port=answer["port"],
            password=self._order.password,
            owner_password=secret(self._order.root / OWNER_PASSWORD),
            pid=answer["pid"],
        )

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
    filling: Sequence[bytes] | None = None,
    port: int | None = None,
    password: str | None = None,
) -> Iterator[Launch]:
    """Start a PostgreSQL that is stopped at the end of the block.

    Args:
        data_dir: The folder of its data; without one it is ephemeral, and no file of it survives.
        programs_folder: The folder of PostgreSQL's programs; None takes those of the wheel.
        filling: What the caller fills an ephemeral cluster with, as bytes that change with it: the cluster
            is copied from the cache if one of that filling is there. None takes a new one.
        port: The port that it listens on; None takes a free one.
        password: The password of `OWNER`; None takes the folder's, or a random one.

    Raises:
        UsageError: A folder can't serve, or its password is another.
    """
    withdraw(LIBPQ)
    programs = find(programs_folder)
    user = service_user()
    folder = ephemeral_folder(user) if data_dir is None else data_folder(data_dir, user, programs)
    # A chosen password is public: it must never be the superuser's.
    secret(folder / OWNER_PASSWORD, password)
    order = _order(folder, data_dir is None, programs, user)._replace(port=port)
    if data_dir is None and filling is not None:
        kept = cluster_cache.path_of(programs, [*(text.encode() for text in order.initdb), *filling])
        if kept is not None and (kept.exists() or cluster_cache.can_keep(kept)):
            order = order._replace(archive=str(kept))
    launch = Launch(order)
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
        password=secret(folder / PASSWORD),
        initdb=initdb,
        settings=settings,
        copies=[
            *([] if is_readable else programs.copies()),
            *([] if can_extend else [(str(extensions.FOLDER), EXTENSIONS)]),
        ],
        uid=None if user is None else user.uid,
        gid=None if user is None else user.gid,
    )
