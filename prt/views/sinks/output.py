"""The interface of everything that events are written to, and its simple forms.

    for event in batch:
        output.write(event)        # never blocks
    await settled(output)          # writes; waits for a slow reader without holding up the loop

`ReaderGoneError` comes out of `drain`, `settled` and `close` when the reader of our pipe went away; `drain`
notices it also when nothing is to be written, so call it now and then. An output that can't be written
for another reason (a full disk) is a PrtError.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import stat
from collections.abc import Callable, Iterable
from typing import Protocol

from prt.errors import PrtError, ReaderGoneError
from prt.events import Change, End, Event
from prt.views.sinks import ndjson

STALLED_MS = 2_000
"""How long `close` waits for a reader that takes nothing."""

_SAFE_WRITE = getattr(select, "PIPE_BUF", 512)  # what a pipe that polls as writable takes without blocking

_GONE = {errno.EPIPE, errno.ECONNRESET, errno.EIO}  # EIO: a terminal that was closed


class KeyHandler(Protocol):
    """Takes the keys of a terminal."""

    def press(self, name: str, *, is_text: bool = False) -> bool:
        """Do what a key asks; `is_text` is what was pasted. Return False if it is not this screen's."""
        ...

    def answer(self) -> None:
        """Show what the keys did."""
        ...


class Output(Protocol):
    """A sink of events. `write` only takes note; `drain` and `flush` do the work."""

    def write(self, event: Event) -> None:
        """Take an event."""
        ...

    def drain(self) -> bool:
        """Write what can be written without waiting; False when something is left."""
        ...

    def flush(self) -> None:
        """Write everything, waiting for the reader as long as it takes."""
        ...

    def close(self, end: End) -> None:
        """The last event; everything is written and, where there is one, the terminal restored."""
        ...

    def suspend(self) -> None:
        """The process is about to stop: the terminal, where it was taken, is given back."""
        ...

    def resume(self) -> None:
        """The process goes on: the next `drain` takes the terminal again, once it is ours."""
        ...

    @property
    def pending(self) -> int:
        """How many bytes, or things to draw, wait."""
        ...

    @property
    def keys(self) -> KeyHandler | None:
        """Return what takes the keys; None if there is no screen that they could act on."""
        ...

    def fileno(self) -> int:
        """Return the descriptor that is written to, -1 if there is none."""
        ...


class LineOutput:
    """Bytes of each kept event to a file descriptor, which stays open. `only` None keeps every type."""

    def __init__(
        self, fd: int, encode: Callable[[Event], bytes], *, only: Iterable[str] | None = None
    ) -> None:
        self._fd = fd
        self._encode = encode
        wanted = None if only is None else {*only, "end"}
        self._kept = {cls for cls, name in ndjson.TYPE_OF.items() if wanted is None or name in wanted}
        self._lines: list[bytes] = []
        self._pending = 0
        # Only these are polled: a file is always ready, and macOS polls no device.
        kind = os.fstat(fd).st_mode
        self._poll: select.poll | None = None
        self._is_pipe = os.name == "posix" and (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind))

    @property
    def pending(self) -> int:
        """Return how many bytes wait."""
        return self._pending

    @property
    def keys(self) -> None:
        """Lines go on."""
        return None

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._fd

    def write(self, event: Event) -> None:
        """Encode an event if its type is kept."""
        if type(event) in self._kept:
            line = self._encode(event)
            self._lines.append(line)
            self._pending += len(line)

    def note(self, change: Change) -> None:
        """Lines count nothing."""

    def show(self, event: Event) -> None:
        """Write an event, which nothing has to be counted for."""
        self.write(event)

    def drain(self) -> bool:
        """Write what the reader takes without waiting."""
        return self._write_out(timeout_ms=0)

    def flush(self) -> None:
        """Write everything, however long the reader takes."""
        self._write_out(timeout_ms=None)

    def close(self, end: End) -> None:
        """Write the end, waiting for a reader that takes nothing at most STALLED_MS."""
        self.write(end)
        self._write_out(timeout_ms=STALLED_MS)

    def suspend(self) -> None:
        """Lines take nothing that would have to be given back."""

    def resume(self) -> None:
        """Nor do they take it again."""

    def _write_out(self, *, timeout_ms: int | None) -> bool:
        """Write until done, or until the reader took nothing for `timeout_ms`."""
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
                except BlockingIOError:  # the descriptor is somebody's non-blocking one
                    select.select([], [self._fd], [])
        except OSError as exc:
            if exc.errno not in _GONE:
                raise PrtError(f"the output can't be written: {exc.strerror}") from exc
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
    """NDJSON."""

    def __init__(self, fd: int, *, only: Iterable[str] | None = None) -> None:
        super().__init__(fd, ndjson.encode, only=only)


class NoOutput:
    """An Output that writes nothing, for a command whose standard output is another program's."""

    pending = 0
    keys = None

    def fileno(self) -> int:
        """Return -1: nothing is written."""
        return -1

    def write(self, event: Event) -> None:
        """Nothing is written."""

    def drain(self) -> bool:
        """Return True: nothing waits."""
        return True

    def flush(self) -> None:
        """Nothing is left to write."""

    def close(self, end: End) -> None:
        """Nothing is open."""

    def suspend(self) -> None:
        """No terminal was taken."""

    def resume(self) -> None:
        """Nor is one taken again."""


class Passing:
    """An Output that passes on to another one; who does more with what comes extends it."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @property
    def pending(self) -> int:
        """Return what waits in the output behind this one."""
        return self._output.pending

    @property
    def keys(self) -> KeyHandler | None:
        """Return what takes the keys of the output behind this one."""
        return self._output.keys

    def fileno(self) -> int:
        """Return the descriptor of the output behind this one."""
        return self._output.fileno()

    def write(self, event: Event) -> None:
        """Pass an event on."""
        self._output.write(event)

    def drain(self) -> bool:
        """Drain the output behind this one."""
        return self._output.drain()

    def flush(self) -> None:
        """Flush the output behind this one."""
        self._output.flush()

    def close(self, end: End) -> None:
        """Close the output behind this one."""
        self._output.close(end)

    def suspend(self) -> None:
        """Suspend the output behind this one."""
        self._output.suspend()

    def resume(self) -> None:
        """Resume the output behind this one."""
        self._output.resume()


async def settled(output: Output) -> None:
    """Return when everything is written; a reader that is slow holds up the caller, not the loop."""
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
