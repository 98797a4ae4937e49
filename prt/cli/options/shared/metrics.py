"""The options for metrics and the canary."""

from __future__ import annotations

from typing import Annotated, Final

import typer

METRICS: Final = "Metrics"
MetricsPlace = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="FILE.prom|HOST:PORT",
        help="Put Prometheus metrics into FILE.prom, or serve them on loopback.",
        rich_help_panel=METRICS,
    ),
]
CanaryTable = Annotated[
    str | None,
    typer.Option(
        "--canary",
        metavar="[SCHEMA.]TABLE",
        help="Write and remove a row of TABLE every minute, and measure its arrival.",
        rich_help_panel=METRICS,
    ),
]
AllowWrites = Annotated[
    bool,
    typer.Option(
        "--allow-writes",
        help="Allow --canary to write to a project that is not on loopback.",
        rich_help_panel=METRICS,
    ),
]
