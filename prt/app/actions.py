"""Actions that an event causes besides being shown: the terminal's bell, a command that gets its JSON.

The command is split as a shell would and started without one; it sees our environment and no more.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from prt.config.environment import environment
from prt.config.terminal import is_terminal
from prt.errors import UsageError
from prt.events import Event
from prt.inputs import Input
from prt.processes import Program
from prt.views.sinks import ndjson
from prt.views.sinks.output import Output, Passing
from prt.views.sinks.stderr import notice

AT_ONCE = 4
WAITING = 100
"""Events for which the command could not be started yet; what comes on top of them is dropped, and told."""
FINISH_SECONDS = 5.0
"""How long commands may go on after the last event."""
KILL_SECONDS = 1.0
"""Between SIGTERM and SIGKILL."""
NOTES = 3
LINES_SHOWN = 5
BYTES_SHOWN = 4096
BELL = b"\a"


def command_of(text: str) -> list[str]:
    """A program and its arguments. UsageError where the quotes don't match, or nothing is found to start."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise UsageError(
            f"{Input.COMMAND} can't be split into words: {exc}", "quote it as for a shell"
        ) from exc
    if not words or shutil.which(words[0]) is None:
        named = f"no program {words[0]}" if words else "no program"
        raise UsageError(
            f"{Input.COMMAND} names {named}", f"no shell reads it; {Input.COMMAND} 'sh -c \"…\"' has one"
        )
    return words


class Actions:
    """`async with` kills at its end what still runs; `finish` waits for it before.

    `wanted` says which events of `around` count. What the commands say goes to `tell` and into `notes`,
    which a view shows, the newest last.
    """

    def __init__(
        self,
        *,
        bell: bool = False,
        command: str | None = None,
        wanted: Callable[[Event], bool] = lambda _: True,
        tell: Callable[[str], None] | None = notice,
    ) -> None:
        """`tell` None only takes notes: a view stands where they would be told. Raises UsageError."""
        self.notes: deque[str] = deque(maxlen=NOTES)
        self._bell = bell
        self._command = None if command is None else command_of(command)
        self._wanted = wanted
        self._tell = tell
        self._waiting: deque[bytes] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._dropped = 0

    def __bool__(self) -> bool:
        """Whether anything is to be done at all."""
        return self._bell or self._command is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def around(self, output: Output) -> Output:
        """Return an output that also carries out these actions for every event that passes the filters."""
        return _ActingOutput(output, self, self._wanted) if self else output

    def on(self, line: bytes) -> None:
        """One event as JSON. Never waits; must be called from a running loop where there is a command."""
        if self._bell:
            ring()
        if self._command is None:
            return
        if len(self._running) < AT_ONCE:
            self._start(self._command, line)
        elif len(self._waiting) < WAITING:
            self._waiting.append(line)
        else:
            self._dropped += 1
            if self._dropped == 1:
                self._say(
                    f"it is slower than the events: with {WAITING} waiting, what comes on top is left out"
                )

    async def finish(self, seconds: float = FINISH_SECONDS) -> None:
        """Waits for the commands that run and those that wait, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(self._running)
        left = len(self._running) + len(self._waiting)
        if left:
            self._say(f"{left} of its runs were not over at the end")
        if self._dropped:
            self._say(f"left out for {self._dropped} events")

    def _start(self, command: list[str], line: bytes) -> None:
        task = asyncio.create_task(self._run(command, line))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and self._command is not None and not task.cancelled():
            self._start(self._command, self._waiting.popleft())

    async def _run(self, command: list[str], line: bytes) -> None:
        try:
            # Files, not pipes: nothing is waited for when the command is over but what it started goes on.
            with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
                given.write(line)
                given.seek(0)
                program = Program(
                    command, environment=environment(), stdin=given, output=said, has_own_group=True
                )
                try:
                    code = await program.wait()
                finally:
                    await program.end(KILL_SECONDS)
                self._report(code, _lines(said))
        except OSError as exc:
            self._say(f"can't be started: {exc.strerror or exc}")

    def _report(self, code: int, lines: list[str]) -> None:
        for line in lines[:-1] if code else lines:
            self._say(line)
        if code:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
            self._say(how + (f": {lines[-1]}" if lines else ""))

    def _say(self, what: str) -> None:
        text = f"{Input.COMMAND} {Path(self._command[0]).name if self._command else ''}: {what}"
        self.notes.append(text)
        if self._tell is not None:
            self._tell(text)


def ring() -> None:
    """The bell of the terminal that one of our outputs is; without one there is nobody to hear it."""
    for stream in (sys.stderr, sys.stdout):
        if stream is not None and is_terminal(stream):
            with suppress(OSError):
                os.write(stream.fileno(), BELL)
            return


def _lines(said: IO[bytes]) -> list[str]:
    """The last lines of what a command wrote."""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(size - BYTES_SHOWN, 0))
    lines = said.read(BYTES_SHOWN).decode(errors="replace").splitlines()
    return [line for line in lines if line.strip()][-LINES_SHOWN:]


class _ActingOutput(Passing):
    """Hands over what it is given."""

    def __init__(self, output: Output, actions: Actions, wanted: Callable[[Event], bool]) -> None:
        super().__init__(output)
        self._actions = actions
        self._wanted = wanted

    def write(self, event: Event) -> None:
        super().write(event)
        if self._wanted(event):
            self._actions.on(ndjson.encode(event))
