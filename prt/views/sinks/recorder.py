"""The recording for `--record FILE`: all events as lines, which `prt replay` can play again.

Whole batches are written as they arrive, so a program that is killed loses no event that was shown.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from prt import __version__
from prt.errors import PrtError, UsageError
from prt.events import Event
from prt.stream.binding import Binding
from prt.stream.recording.file import VERSION, Header
from prt.views.drawing.escaping import escaped_line
from prt.views.sinks.ndjson import encode, timestamp

if TYPE_CHECKING:
    from prt.stream.topic import TopicSettings

_LARGE = 1 << 20
"""The size in bytes from which recorded lines are written without waiting for the end of their batch."""


def header_of(
    host: str,
    at: int,
    *,
    bindings: Sequence[Binding] = (),
    topics: Sequence[TopicSettings] = (),
    keys: dict[tuple[str, str], tuple[str, ...]] | None = None,
    command: str = "watch",
) -> Header:
    """Return the header of a recording.

    Args:
        host: The project's host.
        at: When the recording begins (µs since the epoch).
        bindings: The tables that are watched.
        topics: The topics that are watched.
        keys: The key columns by (schema, table).
        command: The command that records.
    """
    return Header(
        version=VERSION,
        prt=__version__,
        at=timestamp(at),
        host=host,
        bindings=[binding.to_wire() for binding in bindings],
        rooms=[_topic_to_json(topic) for topic in topics],
        keys={".".join(table): list(columns) for table, columns in (keys or {}).items()},
        command=command,
    )


class Recorder:
    """A recording in a file: `consume` adds an event, and `flush` follows each batch.

    The first time that the file can't be written, `on_failure` is called; later events are not recorded.
    """

    def __init__(self, path: Path, header: Header, on_failure: Callable[[PrtError], None]) -> None:
        """Create the file. A file that has content is never overwritten.

        Raises:
            UsageError: The file can't be created, or has content.
        """
        self._path = path
        self._on_failure = on_failure
        self._lines: list[bytes] = []
        self._size = 0
        self._fd = _opened(path)
        self._write(escaped_line(msgspec.json.encode(header)) + b"\n")

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.flush()
        self._close()

    def consume(self, event: Event) -> None:
        """Record an event."""
        line = encode(event)
        self._lines.append(line)
        self._size += len(line)
        if self._size > _LARGE:
            self.flush()

    def flush(self) -> None:
        """Write the recorded events to the file."""
        lines, self._lines, self._size = self._lines, [], 0
        self._write(b"".join(lines))

    def _write(self, text: bytes) -> None:
        left = memoryview(text)
        try:
            while left and self._fd is not None:
                left = left[os.write(self._fd, left) :]
        except OSError as exc:
            self._close()
            self._on_failure(
                PrtError(
                    f"the recording {self._path} ends here: {exc.strerror}",
                    "the watch goes on without it; what is in the file can be played",
                )
            )

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _opened(path: Path) -> int | None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as exc:
        raise UsageError(
            f"{path} can't be recorded to: {exc.strerror}", "name a file in a folder of yours"
        ) from exc
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_size:
        os.close(fd)
        raise UsageError(f"{path} exists", "name another file for the recording, or remove it")
    return fd


def _topic_to_json(topic: TopicSettings) -> dict[str, Any]:
    return {
        "topic": topic.topic,
        "events": list(topic.events),
        "private": topic.is_private,
        "presence": topic.receives_presence,
    }
