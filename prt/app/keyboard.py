"""The keys of a live view: read one by one while it lives, and the terminal given back as it was.

Ctrl-C and Ctrl-Z stay what they are. Where standard input is no terminal, or another program has it, there
are no keys.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

try:
    import termios
except ImportError:  # no such terminals here
    termios = None  # type: ignore[assignment]

_LOCAL_FLAGS = 3


class Keyboard:
    """`actions` by character. `attend` now and then; `release` before the process stops."""

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        self._actions = actions
        self._fd = -1
        self._former: list[Any] | None = None
        self._is_held = False

    def __enter__(self) -> Keyboard:
        if termios is not None and sys.stdin is not None and sys.stdin.isatty():
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
        """Takes the keys, once the terminal is ours: from the background that would stop the process."""
        if self._fd < 0 or self._is_held or not self._is_in_foreground():
            return
        try:
            present = termios.tcgetattr(self._fd)
            if self._former is None:
                self._former = present
            single = [*present]
            single[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._fd, termios.TCSANOW, single)
        except termios.error:  # it is gone
            self._fd = -1
            return
        self._is_held = True
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def release(self) -> None:
        """The terminal as it was; again and again does no harm."""
        if not self._is_held or self._former is None:
            return
        self.forget()
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._former)
        except termios.error:  # it is gone, and nothing is left to restore
            self._fd = -1

    def forget(self) -> None:
        """The process was stopped, and whoever has the terminal now has set it: it is taken anew."""
        if self._is_held:
            self._is_held = False
            try:
                asyncio.get_running_loop().remove_reader(self._fd)
            except RuntimeError:  # at exit no loop is left
                return

    def _read(self) -> None:
        if not self._is_in_foreground():
            self.forget()
            return
        try:
            typed = os.read(self._fd, 1024)
        except OSError:
            typed = b""
        if not typed:
            self.release()
            self._fd = -1
            return
        for key in typed.decode(errors="replace"):
            if key in self._actions:
                self._actions[key]()

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:  # not our controlling terminal: nobody else's job control has it
            return True
