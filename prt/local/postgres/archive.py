"""A cluster of PostgreSQL in one file, an archive, which is copied in a tenth of the time that initdb takes.

The watchdog imports this module, so it needs nothing but the standard library. The archive leaves out what
PostgreSQL makes anew, such as the maps of free space and of visible rows, which are a third of a cluster's
files. It also leaves out the zeros at the end of each file, which are most of the write-ahead log (WAL).
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

MAGIC = b"prt-cluster-1\n"
LENGTH_BYTES = 8
MADE_ANEW = re.compile(r"\d+_(?:fsm|vm)|postmaster\.(?:pid|opts)|pg_internal\.init")
EMPTIED = {"pg_dynshmem", "pg_replslot", "pg_stat_tmp"}

Owner = tuple[int, int]
"""The ids of a user and a group."""

Note = dict[str, str]
"""Words that the caller of `pack` stores in the archive, and that `unpack` returns."""


class Head(TypedDict):
    """The table of contents of an archive, with each file's name, size and number of stored bytes."""

    note: Note
    folders: list[str]
    files: list[tuple[str, int, int]]


def pack(data: Path, target: Path, note: Note) -> None:
    """Write the cluster of a stopped server to `target`, whole or not at all, readable by us alone.

    Nothing outside the cluster is read, whatever its owner does to its folders meanwhile.

    Raises:
        OSError: The file can't be written.
        ValueError: There is a link in the cluster, or something else that is not a file.
    """
    draft = target.with_name(f"{target.name}.{os.urandom(4).hex()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            folders: list[str] = []
            files: list[tuple[str, int, int]] = []
            for place, inner, names, folder in _walk(data):
                folders += [str(place / name) for name in inner]
                for name in names:
                    content = _content(folder, name)
                    stored = content.rstrip(b"\0")
                    file.write(stored)
                    files.append((str(place / name), len(content), len(stored)))
            head = json.dumps({"note": note, "folders": folders, "files": files}).encode()
            file.write(head + len(head).to_bytes(LENGTH_BYTES, "big") + MAGIC)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def unpack(source: Path, data: Path, owner: Owner | None) -> Note:
    """Write the cluster in `source` to the new folder `data`, and return its note.

    Args:
        source: The archive.
        data: The folder to make. If it fails, a part of the cluster may be in it.
        owner: The user who gets the folder; None if that is our own.

    Raises:
        OSError: There is no such file, or it can't be copied.
        ValueError: It is not an archive, or others may have written it.
    """
    archive = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(archive)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ValueError(f"{source} is not a file of ours alone")
        head = _head(archive, found.st_size)
        data.mkdir(0o700)
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for name in head["folders"]:
                os.mkdir(_checked(name), 0o700, dir_fd=folder)
            offset = 0
            for name, size, stored in head["files"]:
                content = os.pread(archive, stored, offset)
                if len(content) != stored:
                    raise ValueError(f"{name} is not there whole")
                offset += stored
                _write(folder, _checked(name), content, size)
            if owner is not None:
                _give(folder, [*head["folders"], *(name for name, _, _ in head["files"])], owner)
        finally:
            os.close(folder)
        note: Note = head["note"]
        return note
    finally:
        os.close(archive)


def _head(archive: int, size: int) -> Head:
    """Return the table of contents at the end of an archive. Raise ValueError unless the archive is whole."""
    end = os.pread(archive, LENGTH_BYTES + len(MAGIC), max(0, size - LENGTH_BYTES - len(MAGIC)))
    if not end.endswith(MAGIC):
        raise ValueError("it is not a cluster")
    length = int.from_bytes(end[:LENGTH_BYTES], "big")
    start = size - len(end) - length
    head: Head = json.loads(os.pread(archive, length, max(0, start)))
    if sum(stored for _, _, stored in head["files"]) != start:
        raise ValueError("a part of the cluster is missing")
    return head


def _walk(data: Path) -> Iterator[tuple[Path, list[str], list[str], int]]:
    """Yield each folder of a cluster: its path in it, its folders, its files to keep, and a descriptor."""

    def fail(error: OSError) -> None:
        raise error

    for parent, inner, names, descriptor in os.fwalk(data, onerror=fail, follow_symlinks=False):
        place = Path(parent).relative_to(data)
        if str(place) in EMPTIED:
            inner.clear()
            continue
        for name in inner:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=descriptor).st_mode):
                raise ValueError(f"{place / name} is a link")
        yield place, inner, [name for name in names if not MADE_ANEW.fullmatch(name)], descriptor


def _content(folder: int, name: str) -> bytes:
    """Return the content of a file. Raise ValueError unless it is one, and the only name of its content."""
    if not stat.S_ISREG(os.lstat(name, dir_fd=folder).st_mode):
        raise ValueError(f"{name} is not a file")
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise ValueError(f"{name} is not a file, or a second name of one")
        return file.read()


def _give(folder: int, names: Iterable[str], owner: Owner) -> None:
    """Give a folder and what is in it to another user, who can enter it only when all is done."""
    for name in names:
        os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
    os.fchown(folder, *owner)


def _checked(name: str) -> str:
    """Return a name. Raise ValueError if it leads out of the folder."""
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name} leads out of the cluster")
    return name


def _write(folder: int, name: str, content: bytes, size: int) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        if os.write(file, content) != len(content):
            raise OSError(f"{name} was not written whole")
        if size > len(content):
            os.truncate(file, size)
    finally:
        os.close(file)
