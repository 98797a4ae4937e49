"""Looks at processes that are not our children."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from prt.local.postgres.watchdog import is_alive
from tests.running import PATIENCE


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Returns when it holds; fails when it doesn't come to hold."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.005)


def wait_for_end(*pids: int) -> None:
    for pid in pids:
        wait_until(lambda pid=pid: not is_alive(pid), f"the end of process {pid}")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants(pid: int) -> list[int]:
    """Children and theirs, as they are now."""
    pairs = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pairs.append((int(folder.name), parent_of(int(folder.name))))
    found: list[int] = []
    ring = {pid}
    while ring:
        ring = {child for child, parent in pairs if parent in ring}
        found += sorted(ring)
    return found


def command_lines() -> list[str]:
    """Of every process, as everybody can read them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


def kill_together(*pids: int) -> None:
    """Stopped first, so that none can react to the end of another; some may have ended by themselves."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    wait_for_end(*pids)


def listener_of(port: int) -> int:
    """The process that listens on a port of 127.0.0.1."""
    sockets = {
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1] == f"0100007F:{port:04X}" and fields[3] == "0A"
    }
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()).removeprefix("socket:[").removesuffix("]") in sockets:
                return int(link.parts[2])
    raise AssertionError(f"nobody listens on {port}")
