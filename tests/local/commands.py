"""`prt local` as its users run it: the installed program, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from tests.running import PATIENCE

PRT = [sys.executable, "-m", "prt"]


def prt(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PRT, *arguments], capture_output=True, text=True, check=False, input=stdin, timeout=PATIENCE
    )


def local(*arguments: str) -> subprocess.CompletedProcess[str]:
    return prt("local", *arguments)


@dataclass
class Up:
    """A `prt local up` that has said where it is. `printed` is all that stood before."""

    process: subprocess.Popen[str]
    url: str
    printed: str

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def environment(self) -> dict[str, str]:
        shown = local("env", "--format", "json", "--port", self.port)
        assert shown.returncode == 0, shown.stderr
        environment: dict[str, str] = json.loads(shown.stdout)
        return environment

    def end(self, number: int) -> int:
        """The exit code after that signal."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@contextmanager
def up(*arguments: str, folder: Path | None = None) -> Iterator[Up]:
    process = subprocess.Popen(
        [*PRT, "local", "up", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    try:
        yield _introduced(process)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _introduced(process: subprocess.Popen[str]) -> Up:
    printed = ""
    for line in cast("IO[str]", process.stderr):
        printed += line
        _, is_it, url = line.partition("is up at ")
        if is_it:
            return Up(process=process, url=url.strip(), printed=printed)
    raise AssertionError(f"prt local up did not come up: {printed}")
