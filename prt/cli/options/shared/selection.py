"""The options for what is watched, and for reads over REST."""

from __future__ import annotations

from typing import Annotated, Final

import typer

SELECTION: Final = "Tables and topics"

Tables = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TABLE",
        help=(
            "A table as TABLE, SCHEMA.TABLE or TABLE:INSERT,UPDATE; one of the words core, module "
            "and all, which stand for groups of the demo's tables (`prt help guide` lists them); or "
            "'*' for every published table of the schema."
        ),
        show_default=False,
    ),
]
Schema = Annotated[
    str,
    typer.Option(
        "--schema",
        metavar="NAME",
        help="Schema of every table that is named without one.",
        rich_help_panel=SELECTION,
    ),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="EVENT",
        help="Receive only INSERT, UPDATE or DELETE events; repeatable. [default: all three]",
        rich_help_panel=SELECTION,
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="[TABLE:]COL=OP.VAL",
        help=(
            "Receive only rows that match, such as status=eq.open, of one table or of all (`prt help "
            "guide` lists each OP); repeatable, a row must match all filters of its table."
        ),
        rich_help_panel=SELECTION,
    ),
]
Select = Annotated[
    str | None,
    typer.Option(
        "--select",
        metavar="COL,COL",
        help="Receive only these columns, such as id,title. [default: all columns]",
        rich_help_panel=SELECTION,
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="REGEX",
        help=(
            "Keep only events whose JSON matches the regular expression REGEX; repeatable, one must match."
        ),
        rich_help_panel=SELECTION,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="REGEX",
        help="Drop events whose JSON matches the regular expression REGEX; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
Broadcasts = Annotated[
    list[str] | None,
    typer.Option(
        "--broadcast",
        metavar="TOPIC[=EVENT]",
        help=("Receive the broadcasts of TOPIC, such as room:1, or only those named EVENT; repeatable."),
        rich_help_panel=SELECTION,
    ),
]
PresenceTopics = Annotated[
    list[str] | None,
    typer.Option(
        "--presence",
        metavar="TOPIC",
        help="Show who is present on TOPIC, such as room:1, and who joins and leaves; repeatable.",
        rich_help_panel=SELECTION,
    ),
]
Private = Annotated[
    bool,
    typer.Option(
        "--private",
        help=(
            "Join each topic as a private channel: the server lets in only whom a policy on "
            "realtime.messages allows."
        ),
        rich_help_panel=SELECTION,
    ),
]

RECOVERY: Final = "Earlier and missed events"

Backfill = Annotated[
    bool,
    typer.Option(
        "--backfill/--no-backfill",
        help="After a gap, such as a lost connection, read over REST the rows that were missed.",
        rich_help_panel=RECOVERY,
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify/--no-verify",
        help="Compare the received events with the tables over REST, and report as a gap what is missing.",
        rich_help_panel=RECOVERY,
    ),
]
Snapshot = Annotated[
    bool,
    typer.Option(
        "--snapshot",
        help="First show the rows that the tables hold now.",
        rich_help_panel=RECOVERY,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help=(
            "Also show rows written since TIME: a duration back (5m, 2h) or a timestamp "
            "(2026-11-30T12:00:00Z); deletes can't be found."
        ),
        rich_help_panel=RECOVERY,
    ),
]
Cursor = Annotated[
    str | None,
    typer.Option(
        "--cursor",
        metavar="COL",
        help=(
            "Column with the time of a row's last change, by which missed rows are found. "
            "[default: updated_at, else created_at]"
        ),
        rich_help_panel=RECOVERY,
    ),
]
Key = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="[TABLE:]COL,COL",
        help=(
            "Key columns of TABLE, or of every table, such as user_roles:user_id,role. Needed only "
            "if prt can't learn them from the changes; repeatable."
        ),
        rich_help_panel=RECOVERY,
    ),
]
ReplayOption = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="since=TIME,limit=N",
        help=(
            "Ask the server for stored broadcasts of private topics since TIME (1h, or a "
            "timestamp), at most N of them (1 to 25)."
        ),
        rich_help_panel=RECOVERY,
    ),
]
