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
    typer.Option(
        "--url", metavar="URL", help="URL of the project [SUPABASE_URL].", rich_help_panel=CONNECTION
    ),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local",
        help="Use the embedded project: the running one, or a fresh one.",
        rich_help_panel=CONNECTION,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help="Connect as anon, service or a user's EMAIL [PRT_PASSWORD].",
        rich_help_panel=CONNECTION,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Use the profile NAME of prt.toml.", rich_help_panel=CONNECTION
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback if something fails.")]

Tables = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TABLE",
        help="Tables: TABLE, SCHEMA.TABLE or TABLE:EVENT,EVENT; groups: core, module, all; '*' for a schema.",
        show_default=False,
    ),
]
Schema = Annotated[
    str,
    typer.Option(
        "--schema", metavar="NAME", help="Schema of tables given without one.", rich_help_panel=SELECTION
    ),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="EVENT",
        help="Only INSERT, UPDATE or DELETE; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="[TABLE:]COL=OP.VAL",
        help="Filter on the server, such as status=eq.open; several are joined by AND.",
        rich_help_panel=SELECTION,
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select", metavar="COL,COL", help="Ask for these columns only.", rich_help_panel=SELECTION
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="REGEX",
        help="Keep only events whose JSON matches REGEX.",
        rich_help_panel=SELECTION,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="REGEX", help="Drop events whose JSON matches REGEX.", rich_help_panel=SELECTION
    ),
]

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
        "--only", metavar="TYPE,TYPE", help="Write only lines of these types.", rich_help_panel=OUTPUT
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
WaitForServer = Annotated[
    bool,
    typer.Option(
        "--wait-for-server",
        help="Keep trying to reach a server that is not up yet.",
        rich_help_panel=CONNECTION,
    ),
]
Reconnect = Annotated[
    bool,
    typer.Option(
        "--reconnect/--no-reconnect",
        help="Reconnect after a lost connection, or exit with 4.",
        show_default=False,
        rich_help_panel=CONNECTION,
    ),
]
MaxReconnects = Annotated[
    int | None,
    typer.Option(
        "--max-reconnects",
        metavar="N",
        min=0,
        help="Exit with 4 after N reconnects.",
        rich_help_panel=CONNECTION,
    ),
]
RECOVERY: Final = "What was missed"

Backfill = Annotated[
    bool,
    typer.Option(
        "--backfill/--no-backfill",
        help="After a gap, read the missed rows over REST.",
        show_default=False,
        rich_help_panel=RECOVERY,
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify/--no-verify",
        help="Compare what came with the tables over REST, and declare what is missing [verify].",
        show_default=False,
        rich_help_panel=RECOVERY,
    ),
]
Snapshot = Annotated[
    bool, typer.Option("--snapshot", help="Load the current rows first.", rich_help_panel=RECOVERY)
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Also read changes since TIME (5m, 2h or a timestamp), except deletes.",
        rich_help_panel=RECOVERY,
    ),
]
Cursor = Annotated[
    str | None,
    typer.Option(
        "--cursor",
        metavar="COL",
        help="Column that dates a row's last change [updated_at, else created_at].",
        rich_help_panel=RECOVERY,
    ),
]
Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[TABLE:]COL,COL",
        help="Key columns of a table, if they can't be learned from the stream.",
        rich_help_panel=RECOVERY,
    ),
]
Private = Annotated[
    bool,
    typer.Option(
        "--private",
        help="Join topics as private ones, which need policies on realtime.messages.",
        rich_help_panel=SELECTION,
    ),
]

Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Record every event to FILE, for `prt replay`.",
        rich_help_panel=OUTPUT,
    ),
]

Broadcasts = Annotated[
    list[str] | None,
    typer.Option(
        "--broadcast",
        metavar="TOPIC[=EVENT]",
        help="Receive the broadcasts of TOPIC; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
PresenceTopics = Annotated[
    list[str] | None,
    typer.Option(
        "--presence",
        metavar="TOPIC",
        help="Receive who is present on TOPIC; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
ReplayPast = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="since=TIME,limit=N",
        help="Ask for earlier broadcasts of private topics.",
        rich_help_panel=RECOVERY,
    ),
]
VIEW: Final = "View"
Views = Annotated[
    str | None,
    typer.Option(
        "--view",
        metavar="NAME,NAME",
        help="Views to show: table, board, budget, feed, stats, presence, cursors.",
        rich_help_panel=VIEW,
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="COL",
        help="Column whose values are the columns of the board [status].",
        rich_help_panel=VIEW,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="Order of the columns on the board.", rich_help_panel=VIEW),
]
Wip = Annotated[
    list[str] | None,
    typer.Option(
        "--wip",
        metavar="COL=N",
        help="Limit of cards in a column of the board; repeatable.",
        rich_help_panel=VIEW,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="COL",
        help="Sort the rows of --snapshot by COL; -COL sorts descending.",
        rich_help_panel=VIEW,
    ),
]
Plan = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Compare the rate with the limit of a plan: free, pro or no-cap.",
        rich_help_panel=VIEW,
    ),
]
Details = Annotated[
    bool, typer.Option("--details", help="Show both sides of the last change.", rich_help_panel=VIEW)
]
Once = Annotated[
    bool, typer.Option("--once", help="Print the current state once and exit.", rich_help_panel=VIEW)
]
ALERTS: Final = "Alerts"
AlertRules = Annotated[
    list[str] | None,
    typer.Option(
        "--alert",
        metavar="RULE",
        help="Alert if a row meets RULE, such as 'budgets:spent/amount>=0.8:warn'; repeatable.",
        rich_help_panel=ALERTS,
    ),
]
FailOnAlert = Annotated[
    str | None,
    typer.Option(
        "--fail-on-alert",
        metavar="SEVERITY",
        help="Exit with 1 after an alert of SEVERITY or above.",
        rich_help_panel=ALERTS,
    ),
]
Bell = Annotated[bool, typer.Option("--bell", help="Ring the terminal's bell.", rich_help_panel=ALERTS)]
Exec = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="CMD",
        help="Run CMD for each alert, with its JSON on standard input.",
        rich_help_panel=ALERTS,
    ),
]

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

EDIT: Final = "Edit"
Edit = Annotated[
    bool,
    typer.Option("--edit", help="Allow the keys that write, as whoever watches.", rich_help_panel=EDIT),
]
KEPT: Final = 10_000
Keep = Annotated[
    int,
    typer.Option(
        "--keep",
        metavar="N",
        min=1,
        help="Keep the newest N events to scroll back to.",
        rich_help_panel=VIEW,
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
