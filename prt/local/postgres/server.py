"""A PostgreSQL of our own on 127.0.0.1 that runs as long as a `with` block.

`prt.local.postgres.watchdog` starts the server, and other modules connect to it, so psycopg is not imported.
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
"""The folder of a project's copy of `extensions.FOLDER`, if PostgreSQL's user can't read the original."""

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
    # Clients receive their own errors; the log is for starts and crashes.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}

# An ephemeral cluster is of no use after a crash of the machine, so nothing has to reach the disk. That of a
# data folder must survive a power cut. If only processes are killed, neither loses anything.
EPHEMERAL_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


SUPERUSER = "supabase_admin"
OWNER = "postgres"
"""The role of the user's connections and migrations. As in a hosted project it is not a superuser."""


@dataclass(frozen=True)
class Postgres:
    """A running server with the database `postgres`.

    Attributes:
        port: The port that it listens on.
        password: The password of the superuser and of the roles of the services.
        owner_password: The password of `OWNER`.
        pid: The process id of the postmaster.
        host: The address that it listens on.
    """

    port: int
    password: str = field(repr=False)
    owner_password: str = field(repr=False)
    pid: int
    host: str = "127.0.0.1"

    def conninfo(
        self, user: str = SUPERUSER, dbname: str = "postgres", *, password: str | None = None
    ) -> str:
        """Return libpq's keywords for a connection over TCP.

        They include those that libpq would otherwise read from the environment or from a file in the user's
        home; see also `prt.config.environment.LIBPQ`.

        Args:
            user: The role that signs in.
            dbname: The database.
            password: The password; None takes that of the role.
        """
        return (
            f"host={self.host} port={self.port} user={_quoted(user)} dbname={_quoted(dbname)} "
            f"password={_quoted(password or (self.owner_password if user == OWNER else self.password))} "
            "passfile=/dev/null sslmode=disable gssencmode=disable client_encoding=utf8"
        )

    @property
    def url(self) -> str:
        """Return the URL by which the user connects to the database, as `OWNER`."""
        password = quote(self.owner_password, safe="")
        return f"postgresql://{OWNER}:{password}@{self.host}:{self.port}/postgres"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Launch:
    """A PostgreSQL that is starting, so that its caller can do other slow work meanwhile."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._postgres: Postgres | None = None
        self.note: archive.Note | None = None
        """The note of the archive that was copied, known when PostgreSQL is ready; None for a new cluster."""
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
        """Wait until PostgreSQL accepts connections, and return it.

        Raises:
            UsageError: Another project uses the folder.
            UnreachableError: PostgreSQL did not start; the message says why.
        """
        if self._postgres is None:
            self._postgres = self._answered()
        return self._postgres

    @property
    def keeps(self) -> bool:
        """Return whether the cluster is a new one that `keep` should keep once it is filled."""
        self.ready()
        return self._order.archive is not None and self.note is None

    def keep(self, note: archive.Note) -> Postgres:
        """Keep the cluster for later starts.

        PostgreSQL stops for it and starts again, perhaps on another port.

        Args:
            note: The words that a later start finds in `note`.

        Returns:
            The server after its second start.

        Raises:
            UnreachableError: PostgreSQL did not start again.
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
        """Make the watchdog end this process too if we are killed; a negative number is that of a group."""
        self._say(f"guard {pid}")

    @property
    def ended(self) -> int:
        """Return a file descriptor that becomes readable when PostgreSQL has ended."""
        return self._from_watchdog.fileno()

    def stop(self) -> None:
        """Stop PostgreSQL, and wait until it has ended and an ephemeral folder has been removed."""
        with suppress(OSError):
            self._to_watchdog.close()
        try:
            self._watchdog.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()
        self._from_watchdog.close()
        if self._watchdog.returncode < 0:
            # The watchdog was killed, so the kernel stops PostgreSQL, and we have to remove the files.
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
        data_dir: The folder of its data; without one it is ephemeral, and none of its files stays.
        programs_folder: The folder of PostgreSQL's programs; None takes those of the wheel.
        filling: The content with which the caller will fill an ephemeral cluster, as bytes. If the cache has
            a cluster with the same content, it is copied. None makes a new cluster.
        port: The port that it listens on; None takes a free one.
        password: The password of `OWNER`; None takes that of the folder, or a random one.

    Raises:
        UsageError: A folder can't be used, or it has another password.
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
    """Run PostgreSQL until the end of the block.

    Args:
        data_dir: The folder of its data; without one it is ephemeral.

    Raises:
        UsageError: The folder can't be used.
        UnreachableError: PostgreSQL did not start.
    """
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
