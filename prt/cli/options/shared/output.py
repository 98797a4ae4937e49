"""The options for the form of the output, its files, and the bounds of a watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from prt.views.sinks.form import OutputForm

OUTPUT: Final = "Output"

Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Write NDJSON: one JSON object per line. [default: in a pipe]", rich_help_panel=OUTPUT
    ),
]
Output = Annotated[
    OutputForm | None,
    typer.Option(
        "--output",
        "-o",
        help=(
            "Draw a view (table), write NDJSON (json) or a line of text per event (text). "
            "[default: table on a terminal, json in a pipe]"
        ),
        rich_help_panel=OUTPUT,
    ),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="TEXT",
        help=("Write each event as TEXT, such as '{at} {type}'; `prt help lines` lists the keys."),
        rich_help_panel=OUTPUT,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="TYPE,TYPE",
        help=(
            "Write only lines of these types, such as status,change (`prt help lines` lists all); "
            "the last line, of the type end, is always written."
        ),
        rich_help_panel=OUTPUT,
    ),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option(
        "--highlight",
        metavar="REGEX",
        help=("Highlight matches of the regular expression REGEX in the table of events; repeatable."),
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write no notices to standard error.", rich_help_panel=OUTPUT)
]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="Use no colours. [env: NO_COLOR]", rich_help_panel=OUTPUT)
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Record every event to FILE, which `prt replay FILE` plays.",
        rich_help_panel=OUTPUT,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="MS",
        min=1,
        help="Collect changes for MS milliseconds, and merge those of one row.",
        rich_help_panel=OUTPUT,
    ),
]
Export = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="FILE.svg",
        help="Save the last screen as a picture in FILE.svg.",
        rich_help_panel=OUTPUT,
    ),
]

BOUNDS: Final = "When to stop"

Count = Annotated[
    int | None,
    typer.Option(
        "--count",
        "-n",
        metavar="N",
        help="Stop after N live events (changes, broadcasts, presence events) and exit with 0.",
        rich_help_panel=BOUNDS,
    ),
]
Duration = Annotated[
    str | None,
    typer.Option(
        "--duration",
        metavar="TIME",
        help=(
            "Stop after TIME (30s, 5m, 2h) and exit with 0. TIME begins when changes flow (the status READY)."
        ),
        rich_help_panel=BOUNDS,
    ),
]
Idle = Annotated[
    str | None,
    typer.Option(
        "--idle",
        metavar="TIME",
        help="Stop after TIME (30s, 5m, 2h) without an event and exit with 0.",
        rich_help_panel=BOUNDS,
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help=(
            "Exit with 124 if the events that you count or expect have not all come within TIME "
            "(30s, 5m, 2h). If you neither count nor expect events, the first one must come."
        ),
        rich_help_panel=BOUNDS,
    ),
]
Agent = Annotated[
    bool,
    typer.Option(
        "--agent",
        envvar="PRT_AGENT",
        show_envvar=False,
        help=(
            "Run for a program such as an AI agent: stop after 30s unless another option says when, "
            "write lines instead of drawing, use no colours and ask no questions. [env: PRT_AGENT]"
        ),
        rich_help_panel=BOUNDS,
    ),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="'EVENT TABLE...'",
        help=(
            "Exit with 0 once this event has come, such as 'INSERT tasks title=x' or 'broadcast "
            "room:1 cue'; exit with 1 if the command ends before. Repeatable: all must come, in any "
            "order."
        ),
        rich_help_panel=BOUNDS,
    ),
]
