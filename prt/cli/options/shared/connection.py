"""The options for the project, the identity and reconnects."""

from __future__ import annotations

from typing import Annotated, Final

import typer

CONNECTION: Final = "Connection"

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
