"""The options for what is watched, and for reads over REST."""

from __future__ import annotations

from typing import Annotated, Final

import typer

SELECTION: Final = "What to watch"

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
Private = Annotated[
    bool,
    typer.Option(
        "--private",
        help="Join topics as private ones, which need policies on realtime.messages.",
        rich_help_panel=SELECTION,
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
ReplayPast = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="since=TIME,limit=N",
        help="Ask for earlier broadcasts of private topics.",
        rich_help_panel=RECOVERY,
    ),
]
