"""The program `prt` as a child process that writes one JSON object a line."""

# ruff: noqa: S603 - the program is ours, or the one that the user named

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Line = dict[str, Any]

STOP_SECONDS: Final = 10.0
OWN: Final = ("SUPABASE_", "PRT_")
"""The prefixes of the environment variables that choose a project."""
PYTHON: Final = (sys.executable, "-P")
"""Our interpreter without the tests' folder in its search path: a `types.py` there would be run."""


class Program:
    """The `prt` program to run, by default the one of this Python environment."""

    def __init__(self, path: str | None = None) -> None:
        self.command = [path] if path else [*PYTHON, "-m", "prt"]

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start a command, and return it with its lines being read in the background."""
        return Child([*self.command, *arguments], environment)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> Child:
        """Run a command until it ends, but stop it after `seconds`."""
        child = self.start(arguments, environment)
        child.wait_for(lambda: False, seconds)
        child.stop()
        return child


class Child:
    """A running command. A thread reads its output lines into `lines`, which only grows."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.lines: list[Line] = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=dict(environment),
        )
        self._reader = threading.Thread(target=self._read, name="prt lines", daemon=True)
        self._reader.start()
        self.errors = ""

    def wait_for(self, is_met: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the lines is met, the command ends or `seconds` have passed.

        Return whether the condition is met then.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while not is_met():
                remaining = until - time.monotonic()
                if self._has_ended or remaining <= 0:
                    return is_met()
                self._changed.wait(remaining)
        return True

    @property
    def has_ended(self) -> bool:
        """Return whether the command has written its last line."""
        return self._has_ended

    def stop(self) -> int:
        """End the command if it is still running, release its resources, and return its exit code."""
        process = self._process
        if not self._errors.closed:
            # An embedded project ends when its standard input is closed, even if its parent is gone.
            if process.stdin is not None:
                process.stdin.close()
            if not self._has_ended:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._reader.join()
            if process.stdout is not None:
                process.stdout.close()
            self.errors = self._complaints()
            self._errors.close()
        return process.returncode

    def complaints(self) -> str:
        """Return what the command has written to standard error so far."""
        return self.errors if self._errors.closed else self._complaints()

    def _complaints(self) -> str:
        # `pread` does not move the file position, which the child process shares.
        return os.pread(self._errors.fileno(), 65536, 0).decode(errors="replace").strip()

    def _read(self) -> None:
        stdout = self._process.stdout
        for text in stdout or ():
            line = _decoded(text)
            if line is not None:
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


def _decoded(text: bytes) -> Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def without_project(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that choose a project or hold its keys."""
    return {name: value for name, value in environment.items() if not name.startswith(OWN)}


def only_project(environment: Mapping[str, str]) -> dict[str, str]:
    """Return only the variables that choose a project or hold its keys."""
    return {name: value for name, value in environment.items() if name.startswith(OWN)}
