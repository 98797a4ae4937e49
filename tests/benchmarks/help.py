"""(d) `prt --help` beside the bare import of what draws it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.subjects import own_environment

COMMANDS = {
    "prt --help": [str(Path(sys.executable).with_name("prt")), "--help"],
    "import typer, rich.console": [sys.executable, "-c", "import typer, rich.console"],
}


def measure(*, rounds: int = 20) -> list[tuple[str, str]]:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(rounds):
        for name in sorted(COMMANDS, reverse=turn % 2 == 1):
            started = time.perf_counter()
            subprocess.run(COMMANDS[name], check=True, capture_output=True, env=own_environment())
            times[name].append((time.perf_counter() - started) * 1000)
    ours, bare = (statistics.median(values) for values in times.values())
    return [
        *(
            (f"{name}, ms", f"{statistics.median(values):.0f} ({min(values):.0f})")
            for name, values in times.items()
        ),
        ("prt --help / bare import", f"{ours / bare:.2f}"),
    ]
