"""The cache of prepared clusters in the user's cache folder: one archive for each kind of cluster.

The name of an archive is a hash of all that the cluster depends on, so an archive never becomes outdated: a
start that needs something else looks for another name. If there is no folder to which we alone can write,
every start makes its cluster anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prt.local.postgres.programs import Programs

KEPT = 6
"""How many archives are kept at most: those of a few versions, with the seed's tables and without."""

PATTERN = "*.cluster"


def path_of(programs: Programs, parts: Sequence[bytes]) -> Path | None:
    """Return the path of an archive, which need not exist yet. Return None if there is no folder to trust.

    Args:
        programs: The PostgreSQL whose cluster it is.
        parts: All else that the cluster depends on. Their order and their limits count.
    """
    folder = _folder()
    if folder is None:
        return None
    digest = hashlib.sha256()
    for part in (*_identity(programs), *parts):
        digest.update(len(part).to_bytes(8, "big") + part)
    return folder / f"{digest.hexdigest()[:32]}.cluster"


def can_keep(path: Path) -> bool:
    """Return whether an archive can be written to a path."""
    return os.access(path.parent, os.W_OK | os.X_OK)


def prune(path: Path) -> None:
    """Remove all but the `KEPT` newest archives beside `path`, and the drafts of interrupted starts."""
    with suppress(OSError):
        found = sorted(path.parent.glob(PATTERN), key=lambda each: each.lstat().st_mtime, reverse=True)
        drafts = [each for each in path.parent.glob("*.draft") if not _is_young(each, found)]
        for each in (*found[KEPT:], *drafts):
            each.unlink(missing_ok=True)


def _is_young(draft: Path, clusters: Sequence[Path]) -> bool:
    """Return whether another start may still write a draft, at most 60 s older than the newest archive."""
    return not clusters or draft.lstat().st_mtime >= clusters[0].lstat().st_mtime - 60


def _identity(programs: Programs) -> Iterator[bytes]:
    """Yield what distinguishes one PostgreSQL from another, and the states of their folders of extensions."""
    yield platform.machine().encode()
    yield str(programs.major).encode()
    program = (programs.folder / "postgres").stat()
    yield f"{program.st_size} {program.st_mtime_ns}".encode()
    for folder in (programs.folder.parent / "share", Path("/usr/share/postgresql") / str(programs.major)):
        for extensions in sorted(folder.glob("**/extension")):
            yield f"{extensions} {extensions.stat().st_mtime_ns}".encode()


def _folder() -> Path | None:
    import platformdirs  # noqa: PLC0415 - only where a project starts

    own = platformdirs.user_cache_path("prt", appauthor=False)
    folder = own / "clusters"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if all(_is_ours(each, mask) for each, mask in ((own, 0o022), (folder, 0o077))):
            return folder
    return None


def _is_ours(folder: Path, mask: int) -> bool:
    """Return whether a path is a folder of ours, not a link, and others don't have the rights in `mask`."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & mask
