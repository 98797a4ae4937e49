"""A project with traffic as a user of a shell has it: up, its variables set, `prt` on the PATH."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from msgspec import Struct

from prt.local.seed.people import PASSWORD
from tests.running import PATIENCE, clean_environment


class Up(Struct, frozen=True):
    """A `prt local up` that has printed its address."""

    process: subprocess.Popen[str]
    port: str


@contextmanager
def up(command: str, environment: Mapping[str, str], folder: Path) -> Iterator[Up]:
    """A line of shell that begins with `prt local up`; whoever stops it may, it is stopped in the end."""
    process = subprocess.Popen(
        ["sh", "-euc", f"exec {command}"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=dict(environment),
    )
    try:
        words = until(process, "is up at ")
        yield Up(process, words.rpartition(":")[2].strip())
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def until(process: subprocess.Popen[str], words: str) -> str:
    """The line on standard error that holds these words."""
    printed = ""
    for line in cast("IO[str]", process.stderr):
        printed += line
        if words in line:
            return line
    raise AssertionError(f"ended before it said {words!r}: {printed}")


def done(command: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A block of shell, run to its end."""
    return subprocess.run(
        ["sh", "-euc", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        cwd=folder,
        env=dict(environment),
        check=False,
    )


@contextmanager
def town() -> Iterator[dict[str, str]]:
    """The environment: after `eval "$(prt local env)"`, with the member's password."""
    with tempfile.TemporaryDirectory(prefix="prt-test-") as home:
        runtime = Path(home, "runtime")
        runtime.mkdir(mode=0o700)
        bare = clean_environment(PRT_RUNTIME_DIR=str(runtime), HOME=home)
        with up("prt local up --port 0 --traffic --rate 20", bare, Path(home)):
            shown = done("prt local env --format json", bare, Path(home))
            yield {**bare, "PRT_PASSWORD": PASSWORD, **json.loads(shown.stdout)}
