"""Signals as an orderly end: where SystemExit out of the middle of a task would leave others half done."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


def heed(number: int, handler: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    """Let the running loop handle a signal; return what puts the former handler back.

    The loop's own `remove_signal_handler` would leave SIGTERM to the system: a second one would end us
    where we are, with the terminal as a view left it and the programs of --exec still running.
    """
    loop, former = asyncio.get_running_loop(), signal.getsignal(number)
    loop.add_signal_handler(number, handler, *arguments)

    def restore() -> None:
        loop.remove_signal_handler(number)
        # For SIGINT that is KeyboardInterrupt. asyncio's handler there counts on nobody else to cancel.
        if number != signal.SIGINT:
            signal.signal(number, former)

    return restore


@contextmanager
def stopping() -> Iterator[list[int]]:
    """A first signal cancels the task in good order, and is told in the list; a second one acts at once."""
    runner = asyncio.current_task()
    assert runner is not None  # noqa: S101 - a coroutine runs in a task
    caught: list[int] = []
    handled = ExitStack()

    def stop(number: int) -> None:
        caught.append(number)
        handled.close()
        runner.cancel()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that was ignored from the start (nohup) stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            handled.callback(heed(number, stop, number))
    try:
        yield caught
    finally:
        handled.close()
