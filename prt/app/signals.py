"""Signals as an orderly end: where SystemExit out of the middle of a task would leave others half done."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopping() -> Iterator[list[int]]:
    """A first signal cancels the task in good order, and is told in the list; a second one acts at once."""
    loop, runner = asyncio.get_running_loop(), asyncio.current_task()
    assert runner is not None  # noqa: S101 - a coroutine runs in a task
    caught: list[int] = []
    handled: list[int] = []

    def restore() -> None:
        while handled:
            loop.remove_signal_handler(handled.pop())

    def stop(number: int) -> None:
        caught.append(number)
        restore()
        runner.cancel()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that was ignored from the start (nohup) stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
            handled.append(number)
    try:
        yield caught
    finally:
        restore()
