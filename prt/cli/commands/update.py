"""`prt update`: an optimistic write, shown at once, then confirmed by its Realtime echo or rolled back."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from typing import Annotated

import typer

from prt.cli.options import shared as options

WRITING = "What to write"
TIMEOUT = "30s"


def update(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="The table, as TABLE or SCHEMA.TABLE.", show_default=False)
    ],
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="The row: its id, or COL=VALUE,COL=VALUE for other key columns.",
            show_default=False,
        ),
    ],
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="COL=VALUE",
            help="New value of a column, as JSON or text; COL= is the empty text.",
            show_default=False,
        ),
    ],
    if_: Annotated[
        list[str] | None,
        typer.Option(
            "--if",
            metavar="COL=VALUE",
            help=(
                "Write only if the column COL of the row still has this value; repeatable, all must match."
            ),
            rich_help_panel=WRITING,
        ),
    ] = None,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar="TIME",
            help=(
                "Give up and exit with 1 if the change does not come back over Realtime within TIME "
                "(30s, 1m)."
            ),
            rich_help_panel=WRITING,
        ),
    ] = TIMEOUT,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    export: options.Export = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Write a row: show it at once, commit it, and wait until the change comes back over Realtime.

    If the database refuses the write, or the change does not come back in time, the row is shown as it was
    before, and the exit code is 1. If somebody else writes the row meanwhile, the version with the later
    updated_at is shown; with equal times, yours.

    prt update project_tasks 5eed0000-0009-4000-8000-000000000001 status=done

    prt update budgets 5eed0000-0017-4000-8000-000000000002 amount=900 --if currency=EUR

    prt update locations name=Filadelfia 'contact={"radio": 7}' --json
    """
    from prt.app.update import UpdateRequest
    from prt.app.update import update as run
    from prt.cli.options.assignments import assignments_of, key_of
    from prt.cli.options.connection import connected_project
    from prt.cli.options.outputs import form_of
    from prt.cli.options.targets import parse_table
    from prt.errors import UsageError
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    form = form_of(json=json, output=output, template=template, only=only, no_color=no_color, export=export)
    schema, name = parse_table(table)
    row_key, values = key_of(key), assignments_of(assignments, "update")
    unless, seconds = assignments_of(if_ or (), "--if"), parse_duration(timeout, "--timeout")
    if row_key.keys() & values.keys():
        raise UsageError("a row's key can't be written", "its change would not be known as this row's")
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        request = UpdateRequest(
            project=project,
            form=form,
            schema=schema,
            table=name,
            key=row_key,
            values=values,
            unless=unless,
            seconds=seconds,
            is_quiet=quiet,
        )
        return run(request)
