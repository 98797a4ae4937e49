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

EDIT: Final = "Edit"

Edit = Annotated[
    bool,
    typer.Option("--edit", help="Allow the keys that write, as whoever watches.", rich_help_panel=EDIT),
]
