"""The options for metrics and the canary."""

from __future__ import annotations

from typing import Annotated, Final

import typer

METRICS: Final = "Metrics"
MetricsTarget = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="FILE.prom|HOST:PORT",
        help=(
            "Write Prometheus metrics to FILE.prom, or serve them on this machine, such as at 127.0.0.1:9464."
        ),
        rich_help_panel=METRICS,
    ),
]
CanaryTable = Annotated[
    str | None,
    typer.Option(
        "--canary",
        metavar="[SCHEMA.]TABLE",
        help=(
            "Write a row every minute, measure how long its change takes to arrive, and delete "
            "the row; needs --metrics."
        ),
        rich_help_panel=METRICS,
    ),
]
AllowWrites = Annotated[
    bool,
    typer.Option(
        "--allow-writes",
        help="Let --canary write to a project that is not on this machine.",
        rich_help_panel=METRICS,
    ),
]
