"""`python -m tests.benchmarks [NAME]…`: medians, lows and highs; `--help` lists the names.

Nothing is asserted: figures belong to a machine, ratios to programs that ran on it in turns.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    batching,
    broadcast,
    help,  # noqa: A004 - named after the option
    hostile,
    latency,
    memory,
    plugin,
    reconnect,
    rooms,
    start,
    suites,
    tap,
    throughput,
    verifying,
    view,
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="prt-benchmarks-") as folder:
        measures: dict[str, Callable[[], list[tuple[str, str]]]] = {
            "throughput": lambda: throughput.measure(Path(folder)),
            "latency": latency.measure,
            "memory": memory.measure,
            "help": help.measure,
            "reconnect": lambda: reconnect.measure(Path(folder)),
            "broadcast": lambda: broadcast.measure(Path(folder)),
            "diffs": lambda: rooms.measure(Path(folder)),
            "batching": batching.measure,
            "view": lambda: view.measure(Path(folder)),
            "tap": tap.measure,
            "verifying": verifying.measure,
            "plugin": lambda: plugin.measure(Path(folder)),
            "hostile": hostile.measure,
            "start": start.measure,
            "test": lambda: suites.measure(Path(folder)),
        }
        parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
        parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(measures))
        names = parser.parse_args().names or list(measures)
        unknown = sorted(set(names) - set(measures))
        if unknown:
            parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(measures)}")
        for name in names:
            print(name)
            for what, figure in measures[name]():
                print(f"  {what:42} {figure}", flush=True)


if __name__ == "__main__":
    main()
