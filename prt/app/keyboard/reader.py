"""The reader of keys in a live view, which also restores the terminal.

Ctrl-C and Ctrl-Z keep their meaning, and the mouse is never used. There are no keys if standard input is not
a terminal, or while another program has it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from prt.app.keyboard.decoder import Decoder, Key
from prt.config.terminal import is_terminal

try:
    import termios
except ImportError:  # this system has no such terminals
    termios = None  # type: ignore[assignment]

_LOCAL_FLAGS = 3
ESCAPE_SECONDS = 0.05
"""How long an Esc waits for the rest of a sequence, which a slow connection can split."""


class Keyboard:
    """Reads keys and passes them to `press`.

    Call `attend` regularly, and `release` before the process is stopped.
    """

    def __init__(self, press: Callable[[list[Key]], None]) -> None:
        self._press = press
        self._decoder = Decoder()
        self._waiting: asyncio.TimerHandle | None = None
        self._fd = -1
        self._former: list[Any] | None = None
        self._is_held = False

    def __enter__(self) -> Keyboard:
        if termios is not None and is_terminal(sys.stdin):
            self._fd = sys.stdin.fileno()
            atexit.register(self.release)
            self.attend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
        atexit.unregister(self.release)
        self._fd = -1

    def attend(self) -> None:
        """Start reading keys once the process is in the foreground.

        In the background that would stop the process.
        """
        if self._fd < 0 or self._is_held or not self._is_in_foreground():
            return
        try:
            present = termios.tcgetattr(self._fd)
            if self._former is None:
                self._former = present
            single = [*present]
            single[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._fd, termios.TCSANOW, single)
        except termios.error:  # the terminal is gone
            self._fd = -1
            return
        self._is_held = True
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def release(self) -> None:
        """Restore the terminal. Further calls have no effect."""
        if not self._is_held or self._former is None:
            return
        self.forget()
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._former)
        except termios.error:  # the terminal is gone, and nothing is left to restore
            self._fd = -1

    def forget(self) -> None:
        """Stop reading without restoring the terminal; the next `attend` sets the terminal again.

        This is for a process that was stopped or in the background while other programs set the terminal.
        """
        self._stop_waiting()
        self._decoder = Decoder()
        if self._is_held:
            self._is_held = False
            try:
                asyncio.get_running_loop().remove_reader(self._fd)
            except RuntimeError:  # at exit there is no event loop
                return

    def _read(self) -> None:
        if not self._is_in_foreground():
            self.forget()
            return
        try:
            typed = os.read(self._fd, 4096)
        except OSError:
            typed = b""
        if not typed:
            self.release()
            self._fd = -1
            return
        self._stop_waiting()
        self._hand_over(self._decoder.feed(typed))
        if self._decoder.is_waiting:
            self._waiting = asyncio.get_running_loop().call_later(ESCAPE_SECONDS, self._end_waiting)

    def _end_waiting(self) -> None:
        self._waiting = None
        self._hand_over(self._decoder.end())

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    def _hand_over(self, keys: list[Key]) -> None:
        if keys:
            self._press(keys)

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:  # it's not our controlling terminal, so there is no job control
            return True
