"""Looks at processes that are not our children."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prt.local.watchdog import is_alive

PATIENCE = 30.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Returns when it holds; fails when it doesn't come to hold."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.005)


def wait_for_end(*pids: int) -> None:
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid), f"the end of process {pid}")


def descendants(pid: int) -> list[int]:
    """Children and theirs, as they are now."""
    shown = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in shown.splitlines()]
    found, ring = [], {pid}
    while ring:
        ring = {child for child, parent in pairs if parent in ring}
        found += sorted(ring)
    return found


@contextmanager
def no_file_left(folder: Path) -> Iterator[None]:
    """Fails when the block leaves an entry in the folder that was not there."""
    before = set(folder.iterdir())
    yield
    assert set(folder.iterdir()) <= before


def kill(*pids: int, number: int) -> None:
    for pid in pids:
        os.kill(pid, number)
