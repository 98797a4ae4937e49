"""The registry of the embedded projects that this user runs: one file each, locked while its owner lives.

A process id can become stale. A lock can't, because the kernel drops it however its owner ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from prt.config.files import open_regular, read_bytes
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input

SUFFIX = ".json"
PRIVATE_SUFFIX = ".run"
"""The suffix of the entry of a `prt local run`, which only the commands inside it find."""
RUN = "PRT_LOCAL_RUN"
"""The variable that leads the commands inside a `prt local run` to its entry."""


class Entry(Struct, frozen=True, kw_only=True):
    """A running `prt local up` or `run`.

    Its `environment` has the variables that `prt local env` prints. They are secrets: no message shows them.
    """

    pid: int
    port: int
    url: str
    started_at: float
    environment: dict[str, str]
    data_dir: str | None = None
    folder: str | None = None
    """The working directory in which it was started."""
    signing: tuple[dict[str, str], ...] = ()
    """The project's signing keys, which are secrets too."""
    path: str = ""

    def __repr__(self) -> str:
        return f"Entry({self.url}, pid={self.pid})"

    @property
    def what(self) -> str:
        """Return one line that describes the project to people."""
        return f"{self.url} (pid {self.pid}, {self.data_dir or 'ephemeral'})"


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the entries, which exists while there is an entry.

    It is not below TMPDIR, because the terminals of one user may differ in that variable and have to find
    each other's projects.
    """
    chosen = environ.get("PRT_RUNTIME_DIR")
    return Path(chosen) if chosen else Path("/tmp") / f"prt-{os.getuid()}"  # noqa: S108 - judged below


def _judge(folder: Path) -> None:
    """Raise UsageError unless the folder is ours alone, because its content is trusted and secret."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UsageError(f"{folder} is not a folder that only you can enter", "set PRT_RUNTIME_DIR to one")


class Slot:
    """The place of one project in the registry, empty until it is announced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._descriptor = -1

    def announce(self, entry: Entry, *, is_private: bool = False) -> Path:
        """Write the entry, and return its path.

        It has another name until it is written and locked, so that nobody sees a part of it.

        Args:
            entry: The entry.
            is_private: Whether the entry is found by its path alone.

        Raises:
            UsageError: The folder can't be used.
        """
        name = f"{entry.port}-{secrets.token_hex(4)}"
        draft = self._folder / f"{name}.draft"
        try:
            self._descriptor = self._create(draft)
        except OSError as error:
            raise UsageError(
                f"can't use {self._folder}: {error.strerror}", "set PRT_RUNTIME_DIR to a folder of yours"
            ) from error
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(self._descriptor, msgspec.json.encode(entry))
        self._path = (self._folder / f"{name}{PRIVATE_SUFFIX if is_private else SUFFIX}").absolute()
        draft.rename(self._path)
        return self._path

    def _create(self, draft: Path) -> int:
        while True:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _judge(self._folder)
            # Whoever leaves last removes the folder, perhaps right now.
            with suppress(FileNotFoundError):
                return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def leave(self) -> None:
        """Remove the entry."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._path = None
            with suppress(OSError):
                self._folder.rmdir()


@contextmanager
def slot(folder: Path) -> Iterator[Slot]:
    """Yield a slot for one project, and remove its entry at the end of the block.

    The entry has to go last, because `prt local stop` takes the project for stopped when it has gone.
    """
    place = Slot(folder)
    try:
        yield place
    finally:
        place.leave()


def visible(environ: Mapping[str, str]) -> list[Entry]:
    """Return the projects that a command may use: all public ones; inside `prt local run` only its own."""
    own = environ.get(RUN)
    if not own:
        return running(runtime_folder(environ))
    path = Path(own)
    with suppress(OSError):
        if is_running(path):
            _judge(path.parent)
            return _read([path])
    return []


def nothing_runs(environ: Mapping[str, str]) -> UnreachableError:
    """Return the error that there is no project that a command may use."""
    if environ.get(RUN):
        return UnreachableError(
            "the embedded project of this `prt local run` has ended",
            f"unset {RUN} to reach the others that run",
        )
    return UnreachableError("no embedded project runs", "start one with `prt local up`")


def running(folder: Path) -> list[Entry]:
    """Return the public entries whose owner lives, in the order of ports, and remove those of dead owners."""
    if not folder.exists():
        return []
    _judge(folder)
    for path in [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*{PRIVATE_SUFFIX}")]:
        with suppress(OSError):
            if not is_running(path):
                path.unlink(missing_ok=True)
    return sorted(_read(folder.glob(f"*{SUFFIX}")), key=lambda entry: entry.port)


def _read(paths: Iterable[Path]) -> list[Entry]:
    entries = []
    for path in paths:
        with suppress(OSError, msgspec.DecodeError):
            entry = msgspec.json.decode(read_bytes(path), type=Entry)
            entries.append(msgspec.structs.replace(entry, path=str(path)))
    return entries


def is_running(path: Path) -> bool:
    """Return whether the owner of an entry lives. Nobody else can have its lock."""
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def the_one(
    environ: Mapping[str, str],
    *,
    port: int | None = None,
    data_dir: Path | None = None,
    hint: str | None = None,
) -> Entry | None:
    """Return the one project that a command uses, None if none runs.

    Args:
        environ: The environment of the command.
        port: The port of the project, if one was chosen.
        data_dir: The data folder of the project, if one was chosen.
        hint: How to choose one of several projects; None names the options for that.

    Raises:
        UsageError: Several projects remain.
    """
    entries = visible(environ)
    if port is not None:
        entries = [entry for entry in entries if entry.port == port]
    if data_dir is not None:
        wanted = str(data_dir.expanduser().absolute())
        entries = [entry for entry in entries if entry.data_dir == wanted]
    if len(entries) > 1:
        raise UsageError(
            f"{len(entries)} embedded projects run: {', '.join(entry.what for entry in entries)}",
            hint or f"choose one with {Input.PORT} or {Input.DATA_DIR}",
        )
    return entries[0] if entries else None
