"""A cluster of PostgreSQL in one file, which is copied in a tenth of the time that initdb takes.

The watchdog uses it, so it needs nothing but the standard library. What PostgreSQL makes anew is left out,
such as the maps of free space and of visible rows, which are a third of a cluster's files. The zeros at the
end of a file are left out too: they are most of the WAL.
"""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

MAGIC = b"prt-cluster-1\n"
LENGTH_BYTES = 8
MADE_ANEW = re.compile(r"\d+_(?:fsm|vm)|postmaster\.(?:pid|opts)|pg_internal\.init")
EMPTIED = {"pg_dynshmem", "pg_replslot", "pg_stat_tmp"}

Owner = tuple[int, int]
"""A user and a group."""

Note = dict[str, str]
"""What is kept beside a cluster; whoever packs it decides what."""


class Head(TypedDict):
    """What a file holds. Of each file of the cluster: its name, its size, and how much of it is stored."""

    note: Note
    folders: list[str]
    files: list[tuple[str, int, int]]


def pack(data: Path, target: Path, note: Note) -> None:
    """Write the cluster of a stopped server to `target`, whole or not at all, for nobody else to read.

    Raises OSError if it can't be written, ValueError if there is a link in the cluster.
    """
    draft = target.with_name(f"{target.name}.{os.urandom(4).hex()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            folders: list[str] = []
            files: list[tuple[str, int, int]] = []
            for path in sorted(data.rglob("*")):
                relative = path.relative_to(data)
                name = str(relative)
                found = path.lstat()
                if relative.parts[0] in EMPTIED and len(relative.parts) > 1:
                    continue
                if stat.S_ISDIR(found.st_mode):
                    folders.append(name)
                elif not stat.S_ISREG(found.st_mode):
                    raise ValueError(f"{name} is not a file")
                elif not MADE_ANEW.fullmatch(path.name):
                    content = path.read_bytes()
                    stored = content.rstrip(b"\0")
                    file.write(stored)
                    files.append((name, len(content), len(stored)))
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
    """Write the cluster in `source` to the new folder `data` and return its note. None is our own user.

    Raises:
        OSError: There is no such file, or it can't be copied.
        ValueError: It is not such a file, or others may have written it.
    """
    archive = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(archive)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ValueError(f"{source} is not a file of ours alone")
        head = _head(archive, found.st_size)
        folder = _made(data, owner)
        try:
            for name in head["folders"]:
                os.mkdir(_checked(name), 0o700, dir_fd=folder)
                if owner is not None:
                    os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
            offset = 0
            for name, size, stored in head["files"]:
                content = os.pread(archive, stored, offset)
                offset += stored
                _write(folder, _checked(name), content, size, owner)
        finally:
            os.close(folder)
        note: Note = head["note"]
        return note
    finally:
        os.close(archive)


def _head(archive: int, size: int) -> Head:
    """Return what stands at the end of the file. Raises ValueError unless the whole file is there."""
    end = os.pread(archive, LENGTH_BYTES + len(MAGIC), max(0, size - LENGTH_BYTES - len(MAGIC)))
    if not end.endswith(MAGIC):
        raise ValueError("it is not a cluster")
    length = int.from_bytes(end[:LENGTH_BYTES], "big")
    start = size - len(end) - length
    head: Head = json.loads(os.pread(archive, length, max(0, start)))
    if sum(stored for _, _, stored in head["files"]) != start:
        raise ValueError("a part of the cluster is missing")
    return head


def _made(data: Path, owner: Owner | None) -> int:
    """Return a descriptor of the new folder."""
    data.mkdir(0o700)
    if owner is not None:
        os.chown(data, *owner)
    return os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _checked(name: str) -> str:
    """Return the name unless it leads out of the folder, which raises ValueError."""
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name} leads out of the cluster")
    return name


def _write(folder: int, name: str, content: bytes, size: int, owner: Owner | None) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        if os.write(file, content) != len(content):
            raise OSError(f"{name} was not written whole")
        if size > len(content):
            os.truncate(file, size)
        if owner is not None:
            os.chown(file, *owner)
    finally:
        os.close(file)
