"""Child processes: every one is ended, and our own Python starts without the working folder's modules."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

POLL_SECONDS = 0.01
LAST_SECONDS = 1.0
"""How long to wait after SIGKILL. A process that waits for a disc can't be ended."""


def own_python(*arguments: str) -> list[str]:
    """Return a command line that starts our interpreter without the working folder in its search path.

    `-m` and `-c` put that folder first, and a file there with the name of any module would then be run.
    """
    return [sys.executable, "-P", *arguments]


def has_terminal() -> bool:
    """Return whether we belong to a terminal, in the foreground or not.

    A program that we start must then stay in our process group: only the group in the foreground may read
    from the terminal, and receives its Ctrl-C and its end.
    """
    return _of_terminal(lambda _: True)


def is_in_foreground() -> bool:
    """Return whether the keys of a terminal, such as Ctrl-C, reach our process group."""
    return _of_terminal(lambda terminal: os.tcgetpgrp(terminal) == os.getpgrp())


def _of_terminal(holds: Callable[[int], bool]) -> bool:
    """Return whether something holds for our terminal; False if we have none."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return holds(terminal)
    except OSError:
        return False
    finally:
        os.close(terminal)


class Program:
    """A running program. Creating the object starts it, so no cancellation can come between start and `end`.

    `asyncio.create_subprocess_exec` can't be used: if it is cancelled before it returns, it kills only the
    program itself, and the process group that remains is unknown. `end` must be called in a `finally`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: IO[bytes] | None = None,
        output: IO[bytes] | None = None,
        has_own_group: bool,
    ) -> None:
        """Start the program.

        Args:
            command: The program and its arguments.
            environment: The whole environment of the program.
            stdin: Its standard input; None inherits ours.
            output: Its standard output and standard error; None inherits ours.
            has_own_group: Whether it leads a process group, which `end` ends as a whole. Otherwise it stays
                in our group, so that it can read from the terminal and receives Ctrl-C.

        Raises:
            OSError: The program can't be started.
        """
        self.has_own_group = has_own_group
        self._is_signalled = False
        problems: list[OSError | ValueError] = []

        def start() -> None:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                    command,
                    stdin=stdin,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    process_group=0 if has_own_group else None,
                )
                _running.add(self)
            except (OSError, ValueError) as problem:
                problems.append(problem)

        # A signal's handler can raise anywhere in the main thread, also when the program has just begun.
        starting = threading.Thread(target=start, name="start")
        starting.start()
        starting.join()
        if problems:
            raise problems[0]

    @property
    def pid(self) -> int:
        """Return the id of the process, which is also the id of its group if it has its own."""
        return self._process.pid

    @property
    def target(self) -> int:
        """Return the number by which `os.kill` reaches the program, or its whole group if it has its own."""
        return -self.pid if self.has_own_group else self.pid

    async def wait(self) -> int:
        """Wait for the program to end, and return its exit code, which is negative if a signal ended it.

        Its child processes may still be running.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def resolve() -> None:
            if not ended.done():
                ended.set_result(None)

        def watch() -> None:
            self._process.wait()
            # The loop may be closed already if no task waits for the program.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(resolve)

        threading.Thread(target=watch, name=f"wait-{self.pid}", daemon=True).start()
        await ended
        if not self._is_signalled:
            _running.discard(self)
        return self._process.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program, or to its whole group if it has its own.

        Do nothing if the program has ended.
        """
        self._is_signalled = True
        # EPERM comes from a member that has become another user, and on macOS from one that is a zombie.
        with suppress(ProcessLookupError, PermissionError):
            if self.has_own_group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)

    async def end(self, seconds: float) -> None:
        """End whatever still runs: with SIGTERM, then with SIGKILL after `seconds` or on a cancellation.

        It does nothing after `wait` has returned, unless we had sent a signal: then what the program started
        has to end with it.
        """
        if self not in _running:
            return
        try:
            self.send_signal(signal.SIGTERM)
            await _until_not(self._is_alive, seconds)
        finally:
            if self._is_alive():
                self.send_signal(signal.SIGKILL)
            _running.discard(self)
        await _until_not(self._is_itself_alive, LAST_SECONDS)

    def _is_itself_alive(self) -> bool:
        return self._process.poll() is None

    def _is_alive(self) -> bool:
        """Return whether the program or a member of its group exists, be it an unreaped zombie."""
        if self._is_itself_alive() or not self.has_own_group:
            return self._is_itself_alive()
        try:
            os.killpg(self.pid, 0)
        except OSError:
            return False
        return True


async def _until_not(is_alive: Callable[[], bool], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            # No event reports the end of a group's last member.
            while is_alive():  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)


_running: set[Program] = set()


@atexit.register
def _kill_all() -> None:
    """Kill the programs that run when an exit left no time for `end`, as after a second SIGTERM."""
    for program in _running:
        program.send_signal(signal.SIGKILL)
