"""Handling of the signals that end a process, and their exit codes. No other module handles them.

A signal that was ignored from the start (nohup, a script's background job) stays ignored everywhere.
"""

# ruff: noqa: PLC0415 - the help must not pay for asyncio

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, Final

SIGNALLED: Final = 128
"""The number that is added to a signal's number to make the exit code, as shells do."""
INTERRUPTED: Final = SIGNALLED + signal.SIGINT
ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""The names of the signals that end a process in good order; not every system has all of them."""

PATIENCE_SECONDS: Final = 1.0
"""How long the event loop may take to come to a signal before another one acts at once."""


def heeded(names: tuple[str, ...] = ENDING) -> list[signal.Signals]:
    """Return the signals of these names that the system has and that are not ignored."""
    found = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    return [number for number in found if signal.getsignal(number) is not signal.SIG_IGN]


def exit_on_signals() -> None:
    """Let SIGTERM, SIGHUP and SIGQUIT unwind the stack as Ctrl-C does, so that open resources are closed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(SIGNALLED + number)

    for number in heeded(ENDING[1:]):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)


def heed(number: int, handler: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    """Let the running event loop handle a signal; return a function that restores the former handler.

    The loop's own `remove_signal_handler` would restore the system's default for SIGTERM. A second SIGTERM
    would then end the process at once, without restoring the terminal and without ending the programs of
    --exec.
    """
    import asyncio

    loop, former = asyncio.get_running_loop(), signal.getsignal(number)
    loop.add_signal_handler(number, handler, *arguments)

    def restore() -> None:
        loop.remove_signal_handler(number)
        # SIGINT keeps Python's handler, which raises KeyboardInterrupt: asyncio's own handler of SIGINT
        # assumes that only it cancels the main task.
        if number != signal.SIGINT:
            signal.signal(number, former)

    return restore


class _Impatience:
    """Ends a process whose event loop handles no signal: at a second signal, wherever the code is.

    The second must not come too soon: a program that starts us may send on the Ctrl-C that we have received
    from the terminal, too.
    """

    def __init__(self) -> None:
        self._waiting_since: float | None = None

    def watch(self, number: int) -> None:
        """Note every arrival of a signal that the event loop handles already."""
        # The loop learns of a signal from its file descriptor, and puts no work into Python's own handler.
        signal.signal(number, self._arrived)
        signal.siginterrupt(number, False)

    def handled(self) -> None:
        """Note that the event loop has handled a signal."""
        self._waiting_since = None

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        elif now - self._waiting_since >= PATIENCE_SECONDS:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(SIGNALLED + number)


@contextmanager
def stopping(others: Mapping[str, Callable[[], None]] | None = None) -> Iterator[list[int]]:
    """Let a first signal cancel the current task in good order, and a second one act at once.

    SystemExit from the middle of a task would leave the other tasks half done. The second one also acts if
    the event loop has not come to the first, because something computes for long.

    Args:
        others: Handlers of further signals, by name. Like the handlers of the ending signals they are in
            force until the first ending signal or the end of the block.

    Yields:
        A list to which the number of the first signal is added.
    """
    import asyncio

    runner = asyncio.current_task()
    assert runner is not None  # noqa: S101 - a coroutine runs in a task
    caught: list[int] = []
    handled = ExitStack()
    impatience = _Impatience()

    def stop(number: int) -> None:
        impatience.handled()
        caught.append(number)
        handled.close()
        runner.cancel()

    for number in heeded():
        handled.callback(heed(number, stop, int(number)))
        impatience.watch(number)
    for name, handler in (others or {}).items():
        for number in heeded((name,)):
            handled.callback(heed(number, handler))
    try:
        yield caught
    finally:
        handled.close()
