"""`prt update`: an optimistic write, shown at once, confirmed by its own realtime echo, or rolled back."""

# ruff: noqa: PLC0415, PLR0917 - imports cost where they are used; parameters are what Typer makes options of

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prt.cli.options import shared as options

if TYPE_CHECKING:
    from prt.app.loop import Ending
    from prt.app.update import Updating
    from prt.state.screen import Screen
    from prt.views.panels.view import View

WRITING = "What to write"
TIMEOUT = "30s"


def update(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="TABLE or SCHEMA.TABLE.", show_default=False)],
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The row's id, or COL=VALUE,COL=VALUE.", show_default=False)
    ],
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="COL=VALUE", help="JSON where it is JSON, else text; COL= is ''.", show_default=False
        ),
    ],
    if_: Annotated[
        list[str] | None,
        typer.Option(
            "--if",
            metavar="COL=VALUE",
            help="Only while the row has it; repeatable.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout", metavar="TIME", help="From the commit to its echo.", rich_help_panel=WRITING
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
    """Write a row: shown at once, committed, confirmed by its own realtime echo.

    What the database refuses, or does not echo in time, is shown as it was again, and the exit code is 1.
    Of a row that others write meanwhile the later updated_at is kept, a tie keeps ours.

    prt update project_tasks 5eed0000-0009-4000-8000-000000000001 status=done

    prt update budgets 5eed0000-0017-4000-8000-000000000002 amount=900 --if currency=EUR

    prt update locations name=Filadelfia 'contact={"radio": 7}' --json
    """
    import asyncio

    from prt.app.loop import follow
    from prt.app.update import Updating
    from prt.cli.options.assignments import assignments_of, filter_of, key_of
    from prt.cli.options.connection import connected_project
    from prt.cli.options.outputs import form_of, opened
    from prt.cli.options.targets import parse_table
    from prt.errors import UsageError
    from prt.state.conditions.bounds import Bounds, Progress, parse_duration
    from prt.state.conditions.expectations import Expectations
    from prt.state.conditions.matching import Matching
    from prt.state.update import Update
    from prt.stream.binding import Binding
    from prt.stream.live.source import Live
    from prt.stream.recovery.backfill import Recovery
    from prt.stream.rest.client import Rest
    from prt.stream.rest.session import session_of
    from prt.views.sinks.stderr import complain, notice

    form = form_of(
        json=json,
        output=output,
        template=template,
        only=only,
        highlight=None,
        no_color=no_color,
        export=export,
    )
    schema, name = parse_table(table)
    row_key, values = key_of(key), assignments_of(assignments, "update")
    unless, seconds = assignments_of(if_ or (), "--if"), parse_duration(timeout, "--timeout")
    if row_key.keys() & values.keys():
        raise UsageError("a row's key can't be written", "its change would not be known as this row's")
    planned = Update(schema, name, row_key, values)
    binding = Binding(table=name, schema=schema, filter=filter_of(row_key))
    is_view = form.kind is options.OutputForm.TABLE

    def views_of(_: Screen) -> list[View]:
        from prt.views.panels.update import UpdateView

        return [UpdateView(planned)]

    async def main() -> tuple[Ending, Updating]:
        async with session_of(project) as session, Rest(lambda: session.endpoint) as rest:
            keys = {(schema, name): tuple(row_key)}
            live = Live(session, [binding], recovery=Recovery(rest, [binding], keys=keys))
            source = Updating(live, rest, planned, unless=unless, timeout=seconds)
            with opened(form, project.host, keys, views_of) as shown:
                progress = Progress(Bounds(), Expectations(), started=asyncio.get_running_loop().time())
                return await follow(source, shown, progress, Matching(), keys=shown.keys), source

    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        ending, source = asyncio.run(main())
    if not (is_view or quiet):
        from prt.views.drawing.outcome import outcome

        for line in outcome(planned):
            notice(line)
    if source.failure is not None:
        how = "" if planned.applied_at is None else "rolled back: "
        complain(how + source.failure.message, source.failure.hint)
    if ending.error is not None:
        raise ending.error
    return ending.end.exit_code
