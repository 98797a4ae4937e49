"""Reading of files that somebody else may have placed.

Reading a FIFO could block forever, and a device such as /dev/zero never ends. So only regular files are read,
opened without blocking, and only up to a limit.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from prt.errors import ConfigError, UsageError

MAX_BYTES: Final = 1024 * 1024
"""The most bytes of a settings file. The largest `supabase/config.toml` in use has some 20 KB."""
DRAFT: Final = ".draft"
"""The suffix of a file that isn't complete yet."""
_PIECE: Final = 64 * 1024
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | os.O_CLOEXEC


def read_bytes(path: Path | str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a regular file; the null device is empty.

    Raises:
        OSError: The file can't be read, isn't regular, or has more than `max_bytes` bytes, as `strerror`
            says.
    """
    descriptor = open_regular(path)
    try:
        return _up_to(descriptor, max_bytes, path)
    finally:
        os.close(descriptor)


def read_text(path: Path | str, *, max_bytes: int = MAX_BYTES) -> str:
    r"""Return the text of a regular file in UTF-8, with `\n` at the end of lines.

    Raises:
        OSError: The file can't be read, as for `read_bytes`.
        UnicodeDecodeError: The file is not UTF-8.
    """
    return read_bytes(path, max_bytes=max_bytes).decode().replace("\r\n", "\n")


def read_settings(path: Path) -> str | None:
    """Return the text of a settings file; None if it doesn't exist.

    Raises:
        ConfigError: The file can't be read.
    """
    try:
        return read_text(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} can't be read: it is not UTF-8", "save it as UTF-8") from exc
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {exc.strerror}", "mend it or move it away") from exc


def read_named(path: Path | str, *, max_bytes: int) -> bytes:
    """Return the content of a file that the user names, which may be a pipe (`<(…)`, /dev/stdin).

    Raises:
        OSError: The file can't be read, or has more than `max_bytes` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _up_to(descriptor, max_bytes, path)
    finally:
        os.close(descriptor)


def open_regular(path: Path | str) -> int:
    """Open a regular file or the null device, and return the descriptor.

    Raises:
        OSError: The file can't be opened, or is of another type.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode) and not _is_null(found):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file completely or not at all, and never through a link that somebody else has placed.

    Args:
        path: The file. A link in its place is replaced, and its target stays as it is.
        content: The content.
        mode: The permissions, of which the user's mask is taken away.

    Raises:
        OSError: The file can't be written.
    """
    draft = path.with_name(f"{path.name}{DRAFT}")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def require_readable(path: str, what: str) -> None:
    """Check that a library can open a file; `what` names it in the error.

    Raises:
        UsageError: The file can't be read.
    """
    try:
        os.close(open_regular(path))
    except OSError as error:
        raise UsageError(
            f"can't read {what}: {path}: {error.strerror}", "name a file, or unset it"
        ) from error


def _is_null(found: os.stat_result) -> bool:
    """Return whether a file is the null device, which containers mount over a file to hide it."""
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116


def _up_to(descriptor: int, max_bytes: int, path: Path | str) -> bytes:
    pieces, size = [], 0
    while piece := os.read(descriptor, _PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise OSError(errno.EFBIG, f"it holds more than {max_bytes >> 10:,} KB", str(path))
    return b"".join(pieces)
