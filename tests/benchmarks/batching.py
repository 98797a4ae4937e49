"""(f) Processor time of a board at 10,000 changes a second, with and without `--batch 200`, in turns."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time

from tests.benchmarks.flood import CHUNK
from tests.benchmarks.subjects import PRT, Flood, flooding_server
from tests.benchmarks.throughput import cpu_seconds, spread

A_SECOND = 10_000


def cpu_of(flood: Flood, *options: str, count: int) -> float:
    """Seconds of the processor; the count is reached only if nothing is lost."""
    primary, secondary = pty.openpty()
    client = subprocess.Popen(
        [*PRT, "watch", "project_tasks", "--view", "board", "--count", str(count), *options],
        stdin=secondary,
        stdout=secondary,
        stderr=subprocess.DEVNULL,
        env={**flood.environment, "TERM": "xterm-256color", "COLUMNS": "140", "LINES": "40"},
        start_new_session=True,
    )
    os.close(secondary)
    reading = threading.Thread(target=_drain, args=(primary,))
    reading.start()
    flood.await_("joined")
    idle = cpu_seconds(client.pid)
    started = time.monotonic()
    for number in range(count // CHUNK):
        time.sleep(max(started + number * CHUNK / A_SECOND - time.monotonic(), 0))
        flood.tell(f"{CHUNK} UPDATE")
    _, status, used = os.wait4(client.pid, 0)
    client.returncode = os.waitstatus_to_exitcode(status)
    reading.join()
    if client.returncode != 0:
        raise RuntimeError(f"prt ended with {client.returncode}")
    return used.ru_utime + used.ru_stime - idle


def measure(*, count: int = 50_000, rounds: int = 3) -> list[tuple[str, str]]:
    options: dict[str, tuple[str, ...]] = {"board": (), "board --batch 200": ("--batch", "200")}
    seconds: dict[str, list[float]] = {name: [] for name in options}
    with flooding_server() as flood:
        for turn in range(rounds):
            for name in sorted(options, reverse=turn % 2 == 1):
                seconds[name].append(cpu_of(flood, *options[name], count=count))
    plain, batched = seconds.values()
    ratios = [one / other for one, other in zip(batched, plain, strict=True)]
    return [
        *((f"{name}, CPU s for {count:,} changes", spread(found)) for name, found in seconds.items()),
        ("batched / not batched", spread(ratios)),
    ]


def _drain(terminal: int) -> None:
    """Somebody has to look."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # what Linux says at the end
        pass
    os.close(terminal)
