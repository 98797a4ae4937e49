"""The interface of all outputs, and simple ones: for lines, and for no output at all.

    for event in batch:
        output.write(event)        # never blocks
    await settled(output)          # writes; waits for a slow reader without blocking the event loop

`drain`, `settled` and `close` raise `ReaderGoneError` if the reader of a pipe has gone. `drain` notices it
even if there is nothing to write, so it has to be called now and then. If an output can't be written for
another reason, such as a full disk, they raise an OutputError.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import stat
from collections.abc import Callable, Iterable
from typing import Protocol

from prt.errors import OutputError, ReaderGoneError
from prt.events import Change, End, Event
from prt.views.sinks import ndjson

STALLED_MS = 2_000
"""How long `close` waits for a reader that doesn't read."""

_SAFE_WRITE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe accepts if it polls as writable
_GONE = {errno.EPIPE, errno.ECONNRESET, errno.EIO}  # EIO: a terminal that was closed


class KeyHandler(Protocol):
    """Handles the keys of a terminal."""

    def press(self, name: str, *, is_text: bool = False) -> bool:
        """Handle a key, or text that was pasted if `is_text`.

        Returns:
            False if the key doesn't belong to this screen.
        """
        ...

    def answer(self) -> None:
        """Draw what the keys changed."""
        ...


class Output(Protocol):
    """A destination of events. `write` only queues them; `drain` and `flush` do the work."""

    def write(self, event: Event) -> None:
        """Queue an event."""
        ...

    def drain(self) -> bool:
        """Write as much as possible without waiting. Return False if something is left."""
        ...

    def flush(self) -> None:
        """Write everything, and wait for the reader as long as it takes."""
        ...

    def close(self, end: End) -> None:
        """Write the last event and everything before it, and restore the terminal if it was changed."""
        ...

    def suspend(self) -> None:
        """Restore the terminal, because the process is about to be stopped."""
        ...

    def resume(self) -> None:
        """Prepare to go on.

        The next `drain` uses the terminal again once the process is in the foreground.
        """
        ...

    @property
    def pending(self) -> int:
        """The number of bytes, or of things to draw, that wait."""
        ...

    @property
    def keys(self) -> KeyHandler | None:
        """The handler of keys; None if there is no screen that keys could act on."""
        ...

    def fileno(self) -> int:
        """Return the file descriptor of the output; -1 if there is none."""
        ...


class LineOutput:
    """An output that writes encoded events to a file descriptor, which stays open.

    `only` are the types of events to write; None is all.
    """

    def __init__(
        self, fd: int, encode: Callable[[Event], bytes], *, only: Iterable[str] | None = None
    ) -> None:
        self._fd = fd
        self._encode = encode
        wanted = None if only is None else {*only, "end"}
        self._kept = {cls for cls, name in ndjson.TYPE_OF.items() if wanted is None or name in wanted}
        self._lines: list[bytes] = []
        self._pending = 0
        # Only pipes are polled: a file is always ready, and macOS can't poll devices.
        kind = os.fstat(fd).st_mode
        self._poll: select.poll | None = None
        self._is_pipe = os.name == "posix" and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))

    @property
    def pending(self) -> int:
        """The number of bytes that wait."""
        return self._pending

    @property
    def keys(self) -> None:
        """None, because lines need no keys."""
        return None

    def fileno(self) -> int:
        """Return the file descriptor of the output."""
        return self._fd

    def write(self, event: Event) -> None:
        """Encode and queue an event if its type was asked for."""
        if type(event) in self._kept:
            line = self._encode(event)
            self._lines.append(line)
            self._pending += len(line)

    def note(self, change: Change) -> None:
        """Ignore the change, because lines count nothing."""

    def show(self, event: Event) -> None:
        """Write an event."""
        self.write(event)

    def drain(self) -> bool:
        """Write as much as the reader accepts without waiting."""
        return self._write_out(timeout_ms=0)

    def flush(self) -> None:
        """Write everything, however long the reader takes."""
        self._write_out(timeout_ms=None)

    def close(self, end: End) -> None:
        """Write the end; give up after STALLED_MS if the reader doesn't read."""
        self.write(end)
        self._write_out(timeout_ms=STALLED_MS)

    def suspend(self) -> None:
        """Return at once, because lines change nothing on the terminal."""

    def resume(self) -> None:
        """Return at once, because lines change nothing on the terminal."""

    def _write_out(self, *, timeout_ms: int | None) -> bool:
        """Write until everything is written, or until the reader has read nothing for `timeout_ms`."""
        left = memoryview(b"".join(self._lines))
        self._lines.clear()
        try:
            while left or self._is_pipe:
                if self._is_pipe and not self._is_writable(timeout_ms if left else 0):
                    return not left
                if not left:
                    break
                try:
                    left = left[os.write(self._fd, left[:_SAFE_WRITE] if self._is_pipe else left) :]
                except BlockingIOError:  # another program made the descriptor non-blocking
                    select.select([], [self._fd], [])
        except OSError as exc:
            if exc.errno not in _GONE:
                raise OutputError(exc) from exc
            left = left[:0]
            raise ReaderGoneError from exc
        finally:
            self._pending = len(left)
            if left:
                self._lines.append(bytes(left))
        return True

    def _is_writable(self, timeout_ms: int | None) -> bool:
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLOUT)
        ready = self._poll.poll(timeout_ms)
        if ready and ready[0][1] & select.POLLERR:
            raise ReaderGoneError
        return bool(ready)


class JsonOutput(LineOutput):
    """An output of NDJSON."""

    def __init__(self, fd: int, *, only: Iterable[str] | None = None) -> None:
        super().__init__(fd, ndjson.encode, only=only)


class NoOutput:
    """An output that writes nothing, for a command whose standard output belongs to another program."""

    pending = 0
    keys = None

    def fileno(self) -> int:
        """Return -1, because there is no file."""
        return -1

    def write(self, event: Event) -> None:
        """Discard the event."""

    def drain(self) -> bool:
        """Return True, because nothing waits."""
        return True

    def flush(self) -> None:
        """Return at once, because nothing waits."""

    def close(self, end: End) -> None:
        """Return at once, because nothing is open."""

    def suspend(self) -> None:
        """Return at once, because no terminal is used."""

    def resume(self) -> None:
        """Return at once, because no terminal is used."""


class Passing:
    """An output that passes everything on to another one; the base of outputs that add something."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @property
    def pending(self) -> int:
        """The number of bytes, or of things to draw, that wait in the other output."""
        return self._output.pending

    @property
    def keys(self) -> KeyHandler | None:
        """The handler of keys of the other output."""
        return self._output.keys

    def fileno(self) -> int:
        """Return the file descriptor of the other output."""
        return self._output.fileno()

    def write(self, event: Event) -> None:
        """Pass an event on."""
        self._output.write(event)

    def drain(self) -> bool:
        """Drain the other output."""
        return self._output.drain()

    def flush(self) -> None:
        """Flush the other output."""
        self._output.flush()

    def close(self, end: End) -> None:
        """Close the other output."""
        self._output.close(end)

    def suspend(self) -> None:
        """Suspend the other output."""
        self._output.suspend()

    def resume(self) -> None:
        """Resume the other output."""
        self._output.resume()


async def settled(output: Output) -> None:
    """Wait until everything is written. A slow reader delays the caller, but doesn't block the event loop."""
    while not output.drain():
        await _writable(output.fileno())


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)
