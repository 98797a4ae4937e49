"""(a) Changes a second from a flooding server into a file: `prt watch --json` beside supabase-js."""

from __future__ import annotations

import os
import statistics
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.subjects import Flood, flooding_server, install_supabase_js, prt_watch, supabase_js

TICK_SECONDS = 0.01


class Rate(NamedTuple):
    """Changes a second of time, and of the client's processors: the second is kinder to a busy machine."""

    wall: float
    cpu: float


def rate_of(command: list[str], flood: Flood, count: int, output: Path) -> Rate:
    """From the server's first byte to the last write into the file."""
    errors = output.with_suffix(".stderr")
    with output.open("wb") as file, errors.open("wb") as error_file:
        client = subprocess.Popen(command, stdout=file, stderr=error_file, env=flood.environment)
        flood.await_("joined")
        idle = cpu_seconds(client.pid)
        flood.order(count)
        started = float(flood.await_("started"))
        _, status, used = os.wait4(client.pid, 0)
        client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode != 0:
        raise RuntimeError(
            f"{command[0]} ended with {client.returncode}: {errors.read_text(encoding='utf-8')}"
        )
    with output.open("rb") as file:
        found = sum(1 for line in file if b'"INSERT"' in line)
    if found != count:
        raise RuntimeError(f"{command[0]} wrote {found} of {count} changes")
    # A file's time comes from a clock that ticks every few milliseconds.
    seconds = max(output.stat().st_mtime_ns / 1e9 - started, TICK_SECONDS)
    return Rate(count / seconds, count / (used.ru_utime + used.ru_stime - idle))


def measure(folder: Path, *, count: int = 200_000, rounds: int = 5) -> list[tuple[str, str]]:
    install_supabase_js(folder)
    commands = {
        "prt": prt_watch("--count", str(count)),
        "supabase-js": supabase_js(folder, count),
    }
    rates: dict[str, list[Rate]] = {name: [] for name in commands}
    with flooding_server() as flood:
        for turn in range(rounds):
            # Who goes first changes, so that a warm machine favours nobody.
            for name in sorted(commands, reverse=turn % 2 == 1):
                rates[name].append(rate_of(commands[name], flood, count, folder / "output.ndjson"))
    pairs = list(zip(rates["prt"], rates["supabase-js"], strict=True))
    return [
        *((f"{name}, changes/s", spread([one.wall for one in found])) for name, found in rates.items()),
        ("prt / supabase-js", spread([ours.wall / theirs.wall for ours, theirs in pairs])),
        *((f"{name}, changes/CPU s", spread([one.cpu for one in found])) for name, found in rates.items()),
        ("prt / supabase-js, by CPU", spread([ours.cpu / theirs.cpu for ours, theirs in pairs])),
    ]


def spread(values: list[float]) -> str:
    figures = statistics.median(values), min(values), max(values)
    return "{} ({} to {})".format(*(f"{one:,.0f}" if one >= 100 else f"{one:.2f}" for one in figures))


def cpu_seconds(pid: int) -> float:
    """What a process has used so far; 0 if the system does not report it, so that its start counts too."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    words = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
