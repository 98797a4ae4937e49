"""The options for the form of the output, its files, and the bounds of a watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from prt.views.sinks.form import OutputForm

OUTPUT: Final = "Output"

Json = Annotated[
    bool, typer.Option("--json", help="Write NDJSON, which is the default in a pipe.", rich_help_panel=OUTPUT)
]
Output = Annotated[
    OutputForm | None,
    typer.Option(
        "--output", "-o", help="Form of the output, on a terminal or in a pipe.", rich_help_panel=OUTPUT
    ),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="TEXT",
        help="Write each event as TEXT, such as '{table} {new[id]}'.",
        rich_help_panel=OUTPUT,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="TYPE,TYPE",
        help="Write only lines of these types, listed by `prt help lines`.",
        rich_help_panel=OUTPUT,
    ),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option(
        "--highlight",
        metavar="REGEX",
        help="Highlight what matches REGEX in the view.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write no notices to standard error.", rich_help_panel=OUTPUT)
]
NoColor = Annotated[bool, typer.Option("--no-color", help="Use no colours.", rich_help_panel=OUTPUT)]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Record every event to FILE, for `prt replay`.",
        rich_help_panel=OUTPUT,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="MS",
        min=1,
        help="Merge the changes of a row within MS milliseconds.",
        rich_help_panel=OUTPUT,
    ),
]
Export = Annotated[
    Path | None,
    typer.Option(
        "--export", metavar="FILE.svg", help="Save the last screen as an SVG picture.", rich_help_panel=OUTPUT
    ),
]

BOUNDS: Final = "Bounds"

Count = Annotated[
    int | None,
    typer.Option("--count", "-n", metavar="N", help="Stop after N live events.", rich_help_panel=BOUNDS),
]
Duration = Annotated[
    str | None,
    typer.Option(
        "--duration",
        metavar="TIME",
        help="Stop after TIME, such as 30s, 5m or 1h, and exit with 0.",
        rich_help_panel=BOUNDS,
    ),
]
Idle = Annotated[
    str | None,
    typer.Option("--idle", metavar="TIME", help="Stop after TIME without an event.", rich_help_panel=BOUNDS),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help="Give up after TIME and exit with 124.",
        rich_help_panel=BOUNDS,
    ),
]
Agent = Annotated[
    bool,
    typer.Option(
        "--agent",
        envvar="PRT_AGENT",
        show_envvar=False,
        help="End after 30s, unless --duration or --timeout is given [PRT_AGENT].",
        rich_help_panel=BOUNDS,
    ),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="'EVENT TABLE...'",
        help="Stop once this event has come, such as 'INSERT tasks title=x'; repeatable.",
        rich_help_panel=BOUNDS,
    ),
]
