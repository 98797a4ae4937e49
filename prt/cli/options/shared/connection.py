"""The options for the project, the identity and reconnects."""

from __future__ import annotations

from typing import Annotated, Final

import typer

CONNECTION: Final = "Connection"

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="URL of the project. [env: SUPABASE_URL]",
        rich_help_panel=CONNECTION,
    ),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local",
        help=(
            "Use the embedded project that `prt local up` started; if none is running, start a "
            "temporary one and remove it at the end."
        ),
        rich_help_panel=CONNECTION,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help=(
            "Who connects: anon, service (with the key in SUPABASE_SECRET_KEY), or the EMAIL of a "
            "user, whose password is in PRT_PASSWORD or is asked for. [default: the user of the "
            "access token in PRT_TOKEN, else anon]"
        ),
        rich_help_panel=CONNECTION,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile of prt.toml to use. [default: default]",
        rich_help_panel=CONNECTION,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a Python traceback if prt fails.")]
WaitForServer = Annotated[
    bool,
    typer.Option(
        "--wait-for-server",
        help="Keep trying until the first connection succeeds. [default: exit with 4 after 10s]",
        rich_help_panel=CONNECTION,
    ),
]
Reconnect = Annotated[
    bool,
    typer.Option(
        "--reconnect/--no-reconnect",
        help="Reconnect after a lost connection; with --no-reconnect, exit with 4 instead.",
        rich_help_panel=CONNECTION,
    ),
]
MaxReconnects = Annotated[
    int | None,
    typer.Option(
        "--max-reconnects",
        metavar="N",
        min=0,
        help="Reconnect at most N times in the whole run, then exit with 4. [default: no limit]",
        rich_help_panel=CONNECTION,
    ),
]
