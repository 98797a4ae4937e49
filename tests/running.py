"""The installed `prt` as a person or a script runs it: in a pipe, or in a pseudo-terminal.

How a test waits, on a machine that may be five times slower or stand still for a second:
`until…` names all that is asserted afterwards, and is the only thing that makes a test wait; `PATIENCE` is
the bound of every wait and is never reached. A row is changed or deleted only after its former change was
seen: row security is asked when a change is sent, and shows no row that is gone. That something did not
come is recognised by what comes after it, never by a pause. A length of time that the program is given either
ends the test (`--duration`, `--timeout` where nothing is to come) or has time for a second in which nothing
runs at all.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import IO, Any, Self

import pyte
from jsonschema import Draft202012Validator

from prt.views.sinks.schema.document import json_schema

PRT = str(Path(sys.executable).with_name("prt"))
PATIENCE = 90.0
"""Seconds until a wait counts as failed; nothing sleeps for it. Long, because machines are shared: what takes
50 ms on an idle one may take seconds there, so no test tells by a time what came, or what came first."""

SYNCHRONIZED = 2026 << 5
"""How pyte notes the private mode in which a frame is drawn."""

LINE = Draft202012Validator(json_schema())
JUDGED_LINES = 1_000

_CACHE = TemporaryDirectory(prefix="prt-test-cache-")

PROJECT_VARIABLES = ("SUPABASE_URL", "SUPABASE_ANON_KEY", "PRT_TOKEN")


def read_to_end(file: IO[str]) -> str:
    """What comes until nobody is left that could write. A timeout can interrupt it, other than a thread."""
    text, until = b"", monotonic() + PATIENCE
    while select.select([file], [], [], max(until - monotonic(), 0))[0]:
        piece = os.read(file.fileno(), 4096)
        if not piece:
            return text.decode()
        text += piece
    raise AssertionError(f"somebody is left that could write; so far: {text!r}")


def clean_environment(**more: str) -> dict[str, str]:
    """What every program gets, without the settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    kept["XDG_CACHE_HOME"] = _CACHE.name
    return {**kept, "PATH": f"{Path(PRT).parent}:{kept.get('PATH', '')}", "PYTHONUNBUFFERED": "1", **more}


def of_project(project: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment in which `prt` is the project's member."""
    return clean_environment(**{name: project[name] for name in PROJECT_VARIABLES}, **more)


class Piped:
    """`prt` with its output in a pipe; lines are read as they come."""

    def __init__(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path | None
    ) -> None:
        self.process = subprocess.Popen(
            [PRT, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            bufsize=0,
        )
        self.seen: list[dict[str, Any]] = []
        self._buffer = b""

    def line(self) -> str:
        """The next line, empty at the end of the output."""
        assert self.process.stdout is not None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            assert ready, f"nothing came in {PATIENCE} s after {self.seen}"
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                break
            self._buffer += data
        line, newline, self._buffer = self._buffer.partition(b"\n")
        return (line + newline).decode()

    def until_words(self, words: str) -> str:
        """The next line, of whatever form, that holds these words."""
        while words not in (line := self._further_line()):
            pass
        return line

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next NDJSON line for which `wanted` holds."""
        while True:
            line = self._further_line()
            self._note(line)
            if wanted(self.seen[-1]):
                return self.seen[-1]

    def until_ready(self) -> dict[str, Any]:
        return self.until(lambda line: line.get("status") == "READY")

    def finish(self) -> tuple[int, list[dict[str, Any]], str]:
        """Exit code, all lines, standard error."""
        out, err = self.rest()
        for line in out.splitlines():
            self._note(line)
        return self.process.returncode, self.seen, err

    def _note(self, line: str) -> None:
        """Check that a line of NDJSON keeps the schema of `prt schema`; of a flood only the first lines."""
        read: dict[str, Any] = json.loads(line)
        if "type" in read and len(self.seen) < JUDGED_LINES:
            LINE.validate(read)
        self.seen.append(read)

    def _further_line(self) -> str:
        line = self.line()
        assert line, f"ended before it came: {self.seen}, {self.process.communicate()[1]}"
        return line

    def rest(self) -> tuple[str, str]:
        """What is left of the output, and standard error."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return (self._buffer + out).decode(), err.decode()


@contextmanager
def piped(*arguments: str, environment: Mapping[str, str], folder: Path | None = None) -> Iterator[Piped]:
    run = Piped(arguments, environment, folder)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()


def ran(
    *arguments: str, environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A run to its end."""
    return subprocess.run(
        [PRT, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=dict(environment),
        cwd=folder,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


class Terminal:
    """A program in a pseudo-terminal, with a screen that reads as a person would."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        columns: int,
        lines: int,
        folder: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.primary, secondary = pty.openpty()
        self.resize(columns, lines)
        self.process = subprocess.Popen(
            command,
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            env={"TERM": "xterm-256color", **environment},
            cwd=folder,
            start_new_session=True,
            # The terminal has to be its controlling one for Ctrl-C to reach it; nothing else runs here.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,  # noqa: PLW1509
        )
        os.close(secondary)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.primary, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def feed(self, data: bytes) -> None:
        """Write on the screen as another program does."""
        self._stream.feed(data)

    def until(self, wanted: Callable[[str], bool]) -> str:
        """Reads until a whole frame is as wanted: `wanted` names all that is asserted of the text."""
        end = monotonic() + PATIENCE
        while SYNCHRONIZED in self.screen.mode or not wanted(self.text):
            assert monotonic() < end, f"not on the screen in {PATIENCE} s:\n{self.text}"
            assert self._read(end - monotonic()), f"ended before it was on the screen:\n{self.text}"
        return self.text

    def send(self, keys: bytes) -> None:
        os.write(self.primary, keys)

    def finish(self) -> int:
        """Reads to the end; the exit code."""
        end = monotonic() + PATIENCE
        while self._read(max(end - monotonic(), 0)):
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.primary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, seconds: float) -> bool:
        """False at the end of the program."""
        ready, _, _ = select.select([self.primary], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.primary, 65536)
        except OSError:  # Linux says EIO where the last one closed
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


def terminal(
    *arguments: str,
    environment: Mapping[str, str],
    columns: int = 80,
    lines: int = 24,
    folder: Path | None = None,
) -> Terminal:
    return Terminal([PRT, *arguments], environment, columns, lines, folder)
