"""The time for which an embedded project runs: until a signal, until a command or a pipe has ended."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from prt.errors import UnreachableError, UsageError
from prt.local.project.embedded import Project
from prt.processes import Program, has_terminal, is_in_foreground
from prt.signals import SIGNALLED, heeded

END_SECONDS = 3.0
"""How long a command may take to end what it started, if the project fails while it runs."""


def hold(project: Project, announce: Callable[[], None], *, life: int | None = None) -> int:
    """Serve the project until a signal comes or a pipe ends.

    Args:
        project: The prepared project.
        announce: The function that is called when the project answers.
        life: The descriptor of the pipe; None waits for a signal only.

    Returns:
        The signal that ended it, or 0 if the pipe ended.

    Raises:
        UnreachableError: PostgreSQL has ended.
    """
    return asyncio.run(_hold(project, announce, life))


def _collect_seldom() -> None:
    """Let the collector look for cycles a hundred times less often.

    It would look at a client's large frame again and again while that is read: half of the time it takes.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _hold(project: Project, announce: Callable[[], None], life: int | None) -> int:
    loop = asyncio.get_running_loop()
    end: asyncio.Future[int] = loop.create_future()

    def ended(why: int) -> None:
        if not end.done():
            end.set_result(why)

    def postgres_died() -> None:
        loop.remove_reader(project.launch.ended)
        if not end.done():
            end.set_exception(UnreachableError("PostgreSQL of the embedded project ended", "start it again"))

    for number in heeded():
        loop.add_signal_handler(number, ended, int(number))
    async with _services(project):
        loop.add_reader(project.launch.ended, postgres_died)
        if life is not None:
            # Nothing is ever written into this pipe: readable means closed.
            loop.add_reader(life, ended, 0)
        announce()
        try:
            return await end
        finally:
            loop.remove_reader(project.launch.ended)
            if life is not None:
                loop.remove_reader(life)


def run(project: Project, command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command while the project is served.

    Args:
        project: The prepared project.
        command: The program and its arguments.
        environment: The environment of the command.

    Returns:
        The command's exit code, or 128 + n if the signal n ended it, as in a shell.

    Raises:
        UsageError: The command can't be started.
    """
    return asyncio.run(_run(project, command, environment))


async def _run(project: Project, command: Sequence[str], environment: dict[str, str]) -> int:
    loop = asyncio.get_running_loop()
    signals = _Signals()
    for number in heeded():
        loop.add_signal_handler(number, signals.heard, number)
    async with _services(project):
        if signals.early:
            return SIGNALLED + signals.early[0]
        program = _started(command, environment)
        try:
            project.launch.take_along(program.target)
            signals.go_to(program)
            code = await program.wait()
            project.launch.take_along(0)
        finally:
            await program.end(END_SECONDS)
    return code if code >= 0 else SIGNALLED - code


class _Signals:
    """The signals that we receive, kept until the command runs and then passed on to it."""

    def __init__(self) -> None:
        self.early: list[signal.Signals] = []
        self._program: Program | None = None

    def heard(self, number: signal.Signals) -> None:
        if self._program is None:
            self.early.append(number)
        else:
            _forward(self._program, number)

    def go_to(self, program: Program) -> None:
        self._program = program
        for number in self.early:
            _forward(program, number)


def _started(command: Sequence[str], environment: dict[str, str]) -> Program:
    """Start the command: at a terminal in our process group, elsewhere in its own, which ends as a whole."""
    try:
        return Program(command, environment=environment, has_own_group=not has_terminal())
    except OSError as error:
        raise UsageError(
            f"can't run {command[0]}: {error.strerror}", "what follows `--` is a program and its arguments"
        ) from error


def _forward(program: Program, number: signal.Signals) -> None:
    """Pass a signal on, unless the terminal has sent it to the command itself, as with Ctrl-C and Ctrl-\\."""
    has_its_keys = not program.has_own_group and is_in_foreground()
    if number in (signal.SIGINT, signal.SIGQUIT) and has_its_keys:
        return
    program.send_signal(number)


def _services(project: Project) -> AbstractAsyncContextManager[None]:
    from prt.local.serving.services import (  # noqa: PLC0415 - heavy, and loaded while PostgreSQL started
        serving,
    )

    _collect_seldom()
    return serving(project)
