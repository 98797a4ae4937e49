"""(f) The suites `latency` and `load` of `prt test`, and the same work done by supabase-js, in turns."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prt.local.project.attach import ephemeral
from tests.benchmarks.subjects import HERE, PRT, install_supabase_js, own_environment

SUITES = ("latency", "load")
PERCENTILES = ("p50", "p95", "p99")
Levels = dict[str, dict[str, Any]]
"""By suite: expected, delivered, and lag_ms by percentile."""


def measure(
    folder: Path,
    *,
    samples: int = 200,
    clients: int = 20,
    rate: float = 50,
    seconds: float = 10,
    rounds: int = 3,
) -> list[tuple[str, str]]:
    install_supabase_js(folder)
    shutil.copy(HERE / "suites.mjs", folder)
    shape = (str(samples), str(clients), f"{rate:g}", f"{seconds:g}")
    script = ["node", str(folder / "suites.mjs"), *shape]
    found: dict[str, list[Levels]] = {"prt": [], "supabase-js": []}
    with ephemeral() as project:
        environment = {**own_environment(), **project}
        for _ in range(rounds):
            found["prt"].append(of_prt(shape, environment))
            found["supabase-js"].append(json.loads(_output(script, environment)))
    figures = [
        (f"{suite}, {program}", _reported([round_[suite] for round_ in levels]))
        for suite in SUITES
        for program, levels in found.items()
    ]
    medians = {
        program: {suite: _median([round_[suite] for round_ in levels], "p50") for suite in SUITES}
        for program, levels in found.items()
    }
    ratios = [f"{suite} {medians['prt'][suite] / medians['supabase-js'][suite]:.2f}" for suite in SUITES]
    return [*figures, ("p50 of prt / supabase-js", ", ".join(ratios))]


def of_prt(shape: tuple[str, ...], environment: Mapping[str, str]) -> Levels:
    """What the suites of `prt test` found."""
    options = zip(("--samples", "--clients", "--rate", "--duration"), shape, strict=True)
    command = [
        *PRT,
        "test",
        *SUITES,
        "--limit",
        "none",
        "--json",
        *(word for pair in options for word in pair),
    ]
    lines = [json.loads(line) for line in _output(command, environment).splitlines()]
    figures = {line["suite"]: line["figures"] for line in lines if line.get("suite") in SUITES}
    return {
        suite: {
            "expected": figures[suite]["expected"],
            "delivered": figures[suite]["delivered"],
            "lag_ms": {name: figures[suite][f"{name}_ms"] for name in PERCENTILES},
        }
        for suite in SUITES
    }


def _output(command: list[str], environment: Mapping[str, str]) -> str:
    return subprocess.run(
        command, env=dict(environment), stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def _reported(levels: list[dict[str, Any]]) -> str:
    delivered = sum(one["delivered"] for one in levels)
    expected = sum(one["expected"] for one in levels)
    lags = ", ".join(f"{name} {_median(levels, name):.1f}" for name in PERCENTILES)
    return f"{lags} ms; {delivered:,} of {expected:,} delivered"


def _median(levels: list[dict[str, Any]], percentile: str) -> float:
    return statistics.median(one["lag_ms"][percentile] for one in levels)
