"""(h) What a live view costs on a terminal: processor time, bytes, and how soon it answers a key.

The events of a recorded demo are played again at a steady rate, into a pseudo-terminal of 120 × 36.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from prt.stream.recording.file import Recording
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from tests.benchmarks.subjects import PRT, ROOT, flooding_server, own_environment
from tests.benchmarks.throughput import cpu_seconds

COLUMNS, LINES = 120, 36
RATE = 100
FLOOD = 10_000
MILLION = 1_000_000
SETTLED = 2.0
"""Seconds from the first frame until a measurement begins."""
DEMO = ROOT / "tests" / "manual" / "recordings" / "demo.ndjson"
PAUSED = re.compile(rb"paused", re.IGNORECASE)
READY = b"READY"


class Cost(NamedTuple):
    """Shares of a processor, and bytes a second that were written to the terminal."""

    cpu: float
    written: float


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class Viewed:
    """A program that draws into a pseudo-terminal, which is read as fast as it is written."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.primary, secondary = pty.openpty()
        fcntl.ioctl(self.primary, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(secondary)

    def read(self, seconds: float, wanted: re.Pattern[bytes] | None = None) -> tuple[int, bool]:
        """Return how many bytes came, and whether what was wanted stands in them."""
        end, count, tail = time.monotonic() + seconds, 0, b""
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.primary], [], [], left)[0]:
                break
            data = os.read(self.primary, 1 << 16)
            count, tail = count + len(data), tail[-100:] + data
            if wanted is not None and wanted.search(tail):
                return count, True
        return count, False

    def cost(self, seconds: float) -> Cost:
        before, began = cpu_seconds(self.process.pid), time.monotonic()
        written, _ = self.read(seconds)
        took = time.monotonic() - began
        return Cost((cpu_seconds(self.process.pid) - before) / took, written / took)

    def answer(self) -> float:
        """Return the milliseconds from a space to the frame that shows the pause."""
        began = time.monotonic()
        os.write(self.primary, b" ")
        _, is_there = self.read(10.0, PAUSED)
        took = (time.monotonic() - began) * 1000
        if not is_there:
            raise RuntimeError("the view does not answer a key")
        os.write(self.primary, b" ")
        self.read(0.3)
        return took


@contextmanager
def viewed(command: list[str], environment: dict[str, str]) -> Iterator[Viewed]:
    run = Viewed(command, environment)
    try:
        if not run.read(30.0, re.compile(READY))[1]:
            raise RuntimeError("the view is not READY")
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        os.close(run.primary)


def recording(path: Path, rate: int, seconds: float) -> Path:
    """Write the events of the demo, again and again, `rate` of them a second."""
    header, *lines = DEMO.read_text(encoding="utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    begin = datetime(2026, 11, 22, 16, 45, tzinfo=UTC)

    def moment(number: float) -> str:
        return (begin + timedelta(seconds=number)).isoformat(timespec="microseconds").replace("+00:00", "Z")

    opening = [one for one in read if one["type"] == "status"]
    events = [one for one in read if one["type"] == "change" and one["source"] == "stream"]
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({**json.loads(header), "at": moment(0)}) + "\n")
        for one in opening:
            file.write(json.dumps({**one, "at": moment(0)}) + "\n")
        for number in range(round(rate * seconds)):
            one = events[number % len(events)]
            file.write(json.dumps({**one, "at": moment(number / rate)}, ensure_ascii=False) + "\n")
    return path


def replay(path: Path, *options: str) -> list[str]:
    return [*PRT, "replay", str(path), *options]


def _seek_seconds(path: Path) -> float:
    """Return how long it takes until all that a seek brings back has been drawn."""
    if not path.exists():
        recording(path, RATE, MILLION / RATE)
    terminal = Console(file=_Tty(), width=COLUMNS, height=LINES, _environ={"TERM": "xterm"})
    played, output = Recording(path, speed=1.0), ScreenOutput(ScreenSettings(), console=terminal)

    async def seek() -> float:
        async with played as batches:
            await anext(batches)
            batches.halt(is_halted=True)
            began, moment = time.perf_counter(), (played.started_at + played.ended_at) // 2
            batches.seek(moment)
            while True:
                for event in await anext(batches):
                    output.write(event)
                if output.screen.last_at and output.screen.last_at >= moment - 1_000_000 // RATE:
                    output.flush()
                    output.restore()
                    return time.perf_counter() - began

    return asyncio.run(seek())


def measure(folder: Path, *, seconds: float = 10.0, rounds: int = 3) -> list[tuple[str, str]]:
    environment = own_environment()
    steady = recording(folder / "steady.ndjson", RATE, seconds + 3 * SETTLED)
    flood = recording(folder / "flood.ndjson", FLOOD, 8 * SETTLED)
    costs, answers, idle = [], [], []
    for _ in range(rounds):
        with viewed(replay(steady), environment) as run:
            run.read(SETTLED)
            costs.append(run.cost(seconds))
        with viewed(replay(flood), environment) as run:
            run.read(SETTLED / 2)
            answers += [run.answer() for _ in range(5)]
    with flooding_server() as server, viewed([*PRT, "watch", "project_tasks"], server.environment) as run:
        run.read(2 * SETTLED)
        idle.append(run.cost(seconds))
    sought = [_seek_seconds(folder / "million.ndjson") for _ in range(rounds)]
    name = f"{RATE} events/s at {COLUMNS} × {LINES}"
    return [
        (f"{name}, of a core", f"{statistics.median(one.cpu for one in costs):.1%}"),
        (f"{name}, kB/s to the terminal", f"{statistics.median(one.written for one in costs) / 1000:.1f}"),
        ("nothing happens, of a core", f"{idle[0].cpu:.1%}"),
        ("nothing happens, kB/s", f"{idle[0].written / 1000:.2f}"),
        (f"a key under {FLOOD:,} events/s, ms", f"{statistics.median(answers):.0f}"),
        ("the slowest of them, ms", f"{max(answers):.0f}"),
        (f"a seek among {MILLION:,} events, ms", f"{statistics.median(sought) * 1000:.0f}"),
    ]
