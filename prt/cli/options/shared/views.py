"""The options for live views, alerts, and keys that write."""

from __future__ import annotations

from typing import Annotated, Final

import typer

VIEW: Final = "View"

Views = Annotated[
    str | None,
    typer.Option(
        "--view",
        metavar="NAME,NAME",
        help=(
            "Views to show, in this order: table, board, budget, feed, stats, presence, cursors, "
            "details. [default: table]"
        ),
        rich_help_panel=VIEW,
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="COL",
        help="Column by which the board groups the rows, one stack for each value. [default: status]",
        rich_help_panel=VIEW,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="A,B",
        help="Values whose stacks the board shows first, in this order, such as todo,done.",
        rich_help_panel=VIEW,
    ),
]
Wip = Annotated[
    list[str] | None,
    typer.Option(
        "--wip",
        metavar="VALUE=N",
        help=(
            "Limit the work in progress: mark the stack of VALUE on the board if it holds more than N "
            "cards, such as in_progress=3; repeatable."
        ),
        rich_help_panel=VIEW,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="COL",
        help="Sort the current rows of a table by COL; -COL sorts in descending order.",
        rich_help_panel=VIEW,
    ),
]
Plan = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Compare the rate of messages with the limit of a Supabase plan: free, pro or no-cap.",
        rich_help_panel=VIEW,
    ),
]
Details = Annotated[
    bool,
    typer.Option(
        "--details",
        help="Show the last change in full, with the old and the new value of each column.",
        rich_help_panel=VIEW,
    ),
]
Once = Annotated[
    bool,
    typer.Option(
        "--once",
        help="Print the view of the present state once and exit, instead of following changes.",
        rich_help_panel=VIEW,
    ),
]

KEPT: Final = 10_000

Keep = Annotated[
    int,
    typer.Option(
        "--keep",
        metavar="N",
        min=1,
        help="Keep the newest N events for scrolling back.",
        rich_help_panel=VIEW,
    ),
]

ALERTS: Final = "Alerts"

AlertRules = Annotated[
    list[str] | None,
    typer.Option(
        "--alert",
        metavar="RULE",
        help=(
            "Report an alert if a row meets RULE, which is TABLE:CONDITION:SEVERITY, such as "
            "'budgets:spent/amount>=0.8:warn'; repeatable."
        ),
        rich_help_panel=ALERTS,
    ),
]
FailOnAlert = Annotated[
    str | None,
    typer.Option(
        "--fail-on-alert",
        metavar="SEVERITY",
        help=(
            "Exit with 1 at the end if there was an alert of SEVERITY (info, warn or critical) "
            "or a higher one."
        ),
        rich_help_panel=ALERTS,
    ),
]
Bell = Annotated[
    bool, typer.Option("--bell", help="Ring the terminal's bell at each alert.", rich_help_panel=ALERTS)
]
Exec = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="CMD",
        help=(
            "Run CMD for each alert, and pass it the alert as JSON on standard input. CMD is started "
            "without a shell."
        ),
        rich_help_panel=ALERTS,
    ),
]

EDIT: Final = "Edit"

Edit = Annotated[
    bool,
    typer.Option(
        "--edit",
        help=(
            "Allow keys that write rows, such as > to move a card. prt prints which user writes, "
            "and asks first if the project is not on this machine."
        ),
        rich_help_panel=EDIT,
    ),
]
