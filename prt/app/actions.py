"""Actions on events besides showing them: the terminal's bell, and a command that gets the event as JSON.

The command is split into words as by a shell, and started without one, in our own environment.
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
"""How many events wait for the command; more are dropped, which is reported."""
FINISH_SECONDS = 5.0
"""How long commands can go on after the last event."""
KILL_SECONDS = 1.0
"""The time between SIGTERM and SIGKILL."""
NOTES = 3
LINES_SHOWN = 5
BYTES_SHOWN = 4096
BELL = b"\a"


def command_of(text: str) -> list[str]:
    """Return the words of a command: a program and its arguments.

    Raises:
        UsageError: The quotes don't match, or there is no such program.
    """
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
    """Rings the bell or runs a command for each event of a watch that asks for it.

    `finish` waits for the commands that still run; leaving `async with` kills them. What a command prints is
    passed to `report` line by line.

    Attributes:
        notes: The latest lines that commands printed, for a view; the newest is the last.
    """

    def __init__(
        self,
        *,
        bell: bool = False,
        command: str | None = None,
        wanted: Callable[[Event], bool] = lambda _: True,
        report: Callable[[str], None] | None = notice,
    ) -> None:
        """Prepare the actions.

        Args:
            bell: Whether to ring the terminal's bell.
            command: The command to run, or None.
            wanted: Returns whether an event causes the actions.
            report: Reports a message; None only adds it to `notes`, for a view.

        Raises:
            UsageError: The command can't be run.
        """
        self.notes: deque[str] = deque(maxlen=NOTES)
        self._bell = bell
        self._command = None if command is None else command_of(command)
        self._wanted = wanted
        self._report = report
        self._waiting: deque[bytes] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._dropped = 0

    def __bool__(self) -> bool:
        """Return whether there is any action."""
        return self._bell or self._command is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting.clear()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def around(self, output: Output) -> Output:
        """Return an output that also performs these actions, for each event that is written to it."""
        return _ActingOutput(output, self, self._wanted) if self else output

    def on(self, line: bytes) -> None:
        """Perform the actions for an event, given as JSON.

        The call never waits. A command needs a running event loop.
        """
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
                self._note(
                    f"it is slower than the events: with {WAITING} waiting, what comes on top is left out"
                )

    async def finish(self, seconds: float = FINISH_SECONDS) -> None:
        """Wait for the commands that run and those that wait, for at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(self._running)
        left = len(self._running) + len(self._waiting)
        if left:
            self._note(f"{left} of its runs were not over at the end")
        if self._dropped:
            self._note(f"left out for {self._dropped} events")

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
            # With files instead of pipes, processes that outlive the command aren't waited for.
            with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
                given.write(line)
                given.seek(0)
                program = Program(
                    command, environment=environment(), stdin=given, output=printed, has_own_group=True
                )
                try:
                    code = await program.wait()
                finally:
                    await program.end(KILL_SECONDS)
                self._report_exit(code, _lines(printed))
        except OSError as exc:
            self._note(f"can't be started: {exc.strerror or exc}")

    def _report_exit(self, code: int, lines: list[str]) -> None:
        for line in lines[:-1] if code else lines:
            self._note(line)
        if code:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
            self._note(how + (f": {lines[-1]}" if lines else ""))

    def _note(self, what: str) -> None:
        text = f"{Input.COMMAND} {Path(self._command[0]).name if self._command else ''}: {what}"
        self.notes.append(text)
        if self._report is not None:
            self._report(text)


def ring() -> None:
    """Send the bell character to the terminal on standard error or output, if there is one."""
    for stream in (sys.stderr, sys.stdout):
        if stream is not None and is_terminal(stream):
            with suppress(OSError):
                os.write(stream.fileno(), BELL)
            return


def _lines(printed: IO[bytes]) -> list[str]:
    """Return the last lines that a command printed."""
    size = printed.seek(0, os.SEEK_END)
    printed.seek(max(size - BYTES_SHOWN, 0))
    lines = printed.read(BYTES_SHOWN).decode(errors="replace").splitlines()
    return [line for line in lines if line.strip()][-LINES_SHOWN:]


class _ActingOutput(Passing):
    """An output that passes events on to another one and performs the actions."""

    def __init__(self, output: Output, actions: Actions, wanted: Callable[[Event], bool]) -> None:
        super().__init__(output)
        self._actions = actions
        self._wanted = wanted

    def write(self, event: Event) -> None:
        super().write(event)
        if self._wanted(event):
            self._actions.on(ndjson.encode(event))
