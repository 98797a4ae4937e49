"""The options that commands share, so that each has one name, one help and one panel everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from prt.views.sinks.form import OutputForm

CONNECTION: Final = "Connection"
SELECTION: Final = "What to watch"
OUTPUT: Final = "Output"
BOUNDS: Final = "Bounds"


Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The project [SUPABASE_URL].", rich_help_panel=CONNECTION),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local",
        help="The embedded project, running or fresh.",
        rich_help_panel=CONNECTION,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help="anon, service, an email [PRT_PASSWORD].",
        rich_help_panel=CONNECTION,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="A profile of prt.toml.", rich_help_panel=CONNECTION),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")]

Tables = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TABLE",
        help="TABLE, SCHEMA.TABLE, TABLE:EVENT,EVENT, core, module, all or '*'.",
        show_default=False,
    ),
]
Schema = Annotated[
    str,
    typer.Option("--schema", metavar="NAME", help="Of tables without one.", rich_help_panel=SELECTION),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event", metavar="EVENT", help="INSERT, UPDATE, DELETE; repeatable.", rich_help_panel=SELECTION
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="[TABLE:]COL=OP.VAL",
        help="On the server: status=eq.open; several: AND.",
        rich_help_panel=SELECTION,
    ),
]
Select = Annotated[
    str | None,
    typer.Option("--select", metavar="COL,COL", help="Only these columns.", rich_help_panel=SELECTION),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", metavar="REGEX", help="Keep events whose JSON has it.", rich_help_panel=SELECTION
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="REGEX", help="Leave them out.", rich_help_panel=SELECTION),
]

Json = Annotated[bool, typer.Option("--json", help="NDJSON; the default in a pipe.", rich_help_panel=OUTPUT)]
Output = Annotated[
    OutputForm | None,
    typer.Option("--output", "-o", help="The form, whatever stdout is.", rich_help_panel=OUTPUT),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template", metavar="TEXT", help="A line an event: '{table} {new[id]}'.", rich_help_panel=OUTPUT
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="TYPE,TYPE", help="Keep these types of lines.", rich_help_panel=OUTPUT),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option("--highlight", metavar="REGEX", help="Mark it in the view.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notices on stderr.", rich_help_panel=OUTPUT)]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.", rich_help_panel=OUTPUT)]

Count = Annotated[
    int | None,
    typer.Option("--count", "-n", metavar="N", help="End after N live events.", rich_help_panel=BOUNDS),
]
Duration = Annotated[
    str | None,
    typer.Option("--duration", metavar="TIME", help="End after 30s, 5m, 1h.", rich_help_panel=BOUNDS),
]
Idle = Annotated[
    str | None, typer.Option("--idle", metavar="TIME", help="End after such a pause.", rich_help_panel=BOUNDS)
]
Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help="Exit 124 when what is waited for isn't there.",
        rich_help_panel=BOUNDS,
    ),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="'EVENT TABLE...'",
        help="'INSERT tasks title=x': end when it came.",
        rich_help_panel=BOUNDS,
    ),
]
WaitForServer = Annotated[
    bool,
    typer.Option(
        "--wait-for-server", help="Go on trying a server that isn't up.", rich_help_panel=CONNECTION
    ),
]
Reconnect = Annotated[
    bool,
    typer.Option(
        "--reconnect/--no-reconnect",
        help="After a loss: go on, or exit 4.",
        show_default=False,
        rich_help_panel=CONNECTION,
    ),
]
MaxReconnects = Annotated[
    int | None,
    typer.Option(
        "--max-reconnects", metavar="N", min=0, help="Exit 4 after so many.", rich_help_panel=CONNECTION
    ),
]
RECOVERY: Final = "What was missed"

Backfill = Annotated[
    bool,
    typer.Option(
        "--backfill/--no-backfill",
        help="After a gap: read what changed over REST.",
        show_default=False,
        rich_help_panel=RECOVERY,
    ),
]
Snapshot = Annotated[
    bool, typer.Option("--snapshot", help="Load the present rows first.", rich_help_panel=RECOVERY)
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Begin 5m ago, or at a timestamp.", rich_help_panel=RECOVERY
    ),
]
Cursor = Annotated[
    str | None,
    typer.Option(
        "--cursor",
        metavar="COL",
        help="When a row changed; else updated_at.",
        rich_help_panel=RECOVERY,
    ),
]
Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[TABLE:]COL,COL",
        help="A table's key, where the wire doesn't tell.",
        rich_help_panel=RECOVERY,
    ),
]
Private = Annotated[
    bool,
    typer.Option(
        "--private", help="A private topic: policies on realtime.messages.", rich_help_panel=SELECTION
    ),
]

Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="All that comes, for prt replay.", rich_help_panel=OUTPUT),
]

Broadcasts = Annotated[
    list[str] | None,
    typer.Option(
        "--broadcast",
        metavar="TOPIC[=EVENT]",
        help="What is sent there; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
PresenceTopics = Annotated[
    list[str] | None,
    typer.Option("--presence", metavar="TOPIC", help="Who is there; repeatable.", rich_help_panel=SELECTION),
]
ReplayPast = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="since=TIME,limit=N",
        help="Private broadcasts of before.",
        rich_help_panel=RECOVERY,
    ),
]
VIEW: Final = "View"
Views = Annotated[
    str | None,
    typer.Option(
        "--view",
        metavar="NAME,NAME",
        help="table, board, budget, feed, stats, presence, cursors.",
        rich_help_panel=VIEW,
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option("--group-by", metavar="COL", help="The board's columns [status].", rich_help_panel=VIEW),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="Their order on the board.", rich_help_panel=VIEW),
]
Wip = Annotated[
    list[str] | None,
    typer.Option("--wip", metavar="COL=N", help="A column's limit; repeatable.", rich_help_panel=VIEW),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="COL", help="Of the rows of --snapshot; -COL descends.", rich_help_panel=VIEW
    ),
]
Plan = Annotated[
    str | None,
    typer.Option("--plan", metavar="NAME", help="stats: free, pro, no-cap; its limit.", rich_help_panel=VIEW),
]
Details = Annotated[
    bool, typer.Option("--details", help="The last change, both sides.", rich_help_panel=VIEW)
]
Once = Annotated[bool, typer.Option("--once", help="Show what there is, and end.", rich_help_panel=VIEW)]
ALERTS: Final = "Alerts"
AlertRules = Annotated[
    list[str] | None,
    typer.Option(
        "--alert",
        metavar="RULE",
        help="'[TABLE:]spent/amount>=0.8:warn'; repeatable.",
        rich_help_panel=ALERTS,
    ),
]
FailOnAlert = Annotated[
    str | None,
    typer.Option(
        "--fail-on-alert", metavar="SEVERITY", help="Exit 1 where one was as severe.", rich_help_panel=ALERTS
    ),
]
Bell = Annotated[bool, typer.Option("--bell", help="Ring the terminal's bell.", rich_help_panel=ALERTS)]
Exec = Annotated[
    str | None,
    typer.Option("--exec", metavar="CMD", help="Run it, the alert's JSON on stdin.", rich_help_panel=ALERTS),
]

Batch = Annotated[
    int | None,
    typer.Option(
        "--batch", metavar="MS", min=1, help="A row's changes as one, each MS.", rich_help_panel=OUTPUT
    ),
]
Export = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE.svg", help="Draw the last screen.", rich_help_panel=OUTPUT),
]
