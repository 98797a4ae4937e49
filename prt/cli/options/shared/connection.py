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
        help=("Use the embedded project: that of `prt local up`, or else a new one for this command."),
        rich_help_panel=CONNECTION,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help=(
            "Connect as anon; as service, with the server key in SUPABASE_SECRET_KEY; or as "
            "the user EMAIL, whose password is read from PRT_PASSWORD or asked for. [default: the "
            "session in PRT_TOKEN, else anon]"
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
