"""`prt config`: the settings in force, and the source of each."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

from typing import Annotated

import typer

from prt.cli.options import shared as options


def config(
    json: Annotated[
        bool,
        typer.Option("--json", help="Write the settings as one JSON array.", rich_help_panel=options.OUTPUT),
    ] = False,
    url: options.Url = None,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Show the settings that commands would use, and where each came from, without secrets.

    The exit code is 2 if no project is configured, or a setting is wrong. Nothing is sent over the network.

    prt config

    prt config --profile staging

    prt config --json
    """
    import msgspec

    from prt.config.project import resolve
    from prt.config.report import Setting, present_settings
    from prt.errors import PrtError
    from prt.views.drawing.escaping import escaped_line
    from prt.views.sinks.stderr import printable

    settings = present_settings(url, profile)
    failure: PrtError | None = None
    try:
        project = resolve(url=url, as_=as_, profile=profile)
    except PrtError as exc:
        failure = exc
    else:
        who = {"token": "the session in PRT_TOKEN", "user": project.email}.get(project.identity)
        settings.insert(1, Setting(name="acting as", value=who or project.identity))
        settings += [Setting(name="notice", value=line) for line in project.notices]
    if json:
        typer.echo(escaped_line(msgspec.json.encode(settings)))
    else:
        width = max(len(setting.name) for setting in settings)
        for setting in settings:
            origin = f"  ({setting.origin})" if setting.origin else ""
            typer.echo(printable(f"{setting.name:{width}}  {setting.value or 'none'}{origin}"))
            if setting.remark:
                typer.echo(f"{'':{width}}  {printable(setting.remark)}")
    if failure is not None:
        raise failure
    return 0
