"""`prt tap`: a proxy between an app and its project, which reports what the app does wrong."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from prt.cli.options import shared as options
from prt.views.sinks.form import Form, OutputForm

PORT: Final = 54399
CHAOS: Final = "Faults on purpose"


def tap(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- COMMAND",
            help=(
                "The command that starts your app. It gets the tap's URL in SUPABASE_URL, "
                "NEXT_PUBLIC_SUPABASE_URL, VITE_SUPABASE_URL and similar variables."
            ),
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            help="Listen on port N of 127.0.0.1; 0 takes a free port.",
        ),
    ] = PORT,
    view: Annotated[
        bool,
        typer.Option(
            "--view",
            help="Draw connections, channels and findings on the terminal.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    command_log: Annotated[
        Path | None,
        typer.Option(
            "--command-log",
            metavar="FILE",
            help="Write the output of COMMAND to FILE; --view needs it if there is a COMMAND.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    frames: Annotated[
        bool,
        typer.Option(
            "--frames", help="Also write a line for each websocket frame.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    json: options.Json = False,
    output: options.Output = None,
    only: options.Only = None,
    record: options.Record = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    duration: options.Duration = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(
            "--cut",
            metavar="at=TIME,for=TIME",
            help=(
                "Cut all connections once (at=10s,for=5s) or repeatedly (every=60s,for=2s), and "
                "accept none meanwhile; without `for`, accept new ones at once. Repeatable."
            ),
            rich_help_panel=CHAOS,
        ),
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option(
            "--delay",
            metavar="TIME±TIME",
            help=(
                "Delay each websocket frame by TIME (300ms, 1s), or by a random time around it "
                "(300ms+-100ms)."
            ),
            rich_help_panel=CHAOS,
        ),
    ] = None,
    half_open: Annotated[
        bool,
        typer.Option(
            "--half-open",
            help="Stop forwarding on the open connections without closing them, at the time of --fault-at.",
            rich_help_panel=CHAOS,
        ),
    ] = False,
    refuse: Annotated[
        int | None,
        typer.Option(
            "--refuse",
            metavar="STATUS",
            help=(
                "Close all websockets at the time of --fault-at, and refuse new ones with STATUS "
                "(401, 403, 429 or 503) for the time of --fault-for."
            ),
            rich_help_panel=CHAOS,
        ),
    ] = None,
    expire_token: Annotated[
        bool,
        typer.Option(
            "--expire-token",
            help="Treat the users' tokens as expired, as the server would, from the time of --fault-at on.",
            rich_help_panel=CHAOS,
        ),
    ] = False,
    drop_changes: Annotated[
        str | None,
        typer.Option(
            "--drop-changes",
            metavar="5%",
            help="Drop a random part of the changes, such as 5%.",
            rich_help_panel=CHAOS,
        ),
    ] = None,
    fault_at: Annotated[
        str,
        typer.Option(
            "--fault-at",
            metavar="TIME",
            help=(
                "Begin --half-open, --refuse and --expire-token TIME (10s, 1m) after the app's first "
                "websocket has opened."
            ),
            rich_help_panel=CHAOS,
        ),
    ] = "10s",
    fault_for: Annotated[
        str,
        typer.Option(
            "--fault-for",
            metavar="TIME",
            help="End --refuse after TIME (5s, 1m).",
            rich_help_panel=CHAOS,
        ),
    ] = "5s",
    chaos_seed: Annotated[
        int | None,
        typer.Option(
            "--chaos-seed",
            metavar="N",
            help="Seed of the random delays and drops: the same N repeats them exactly. [default: random]",
            rich_help_panel=CHAOS,
        ),
    ] = None,
    expect_recovery: Annotated[
        str | None,
        typer.Option(
            "--expect-recovery",
            metavar="TIME",
            help=(
                "Exit with 1 unless the app recovers within TIME (15s, 1m) after each fault: it is "
                "connected, its channels are joined, and its tables are read again."
            ),
            rich_help_panel=CHAOS,
        ),
    ] = None,
    url: options.Url = None,
    local: options.Local = False,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Forward the traffic between your app and its project, and report what the app does wrong.

    The tap listens on 127.0.0.1 and passes everything on unchanged. Your app has to use the tap's URL, which
    COMMAND gets in its environment. Without COMMAND, start the app yourself with the URL that the tap prints.
    Each finding has a cause and a remedy (`prt help tap` lists all findings). With COMMAND, standard output
    belongs to it, and findings are written to standard error, unless --view, --json or --output is given.

    No fault is caused unless an option asks for it. Times of faults count from the app's first websocket.

    The exit code is that of COMMAND. If COMMAND exits with 0, or there is none, it is 1 if the app did not
    recover within --expect-recovery, otherwise 0.

    prt tap -- npm test

    prt tap --port 0 --json --frames --duration 10s

    prt tap --port 0 --view --command-log app.log -- npm test

    prt tap --cut at=5s,for=10s --expect-recovery 15s -- npm test
    """
    from prt.app.tap.request import TapRequest
    from prt.app.tap.run import tap as run
    from prt.cli.options import chaos
    from prt.cli.options.connection import project_without_keys
    from prt.config.environment import environment
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    form = _form(json, output, only, no_color, view=view, has_command=bool(command), log=command_log)
    faults = [
        *(chaos.parse_cut(text) for text in cut or ()),
        *chaos.single_faults(
            half_open=half_open, refuse=refuse, expire_token=expire_token, at=fault_at, seconds=fault_for
        ),
    ]
    plan = chaos.plan_of(
        faults, delay=delay, drop_changes=drop_changes, seed=chaos_seed, expect_recovery=expect_recovery
    )
    with project_without_keys(url=url, profile=profile, local=local) as (project, variables):
        if not quiet:
            for line in project.notices:
                notice(line)
        request = TapRequest(
            project=project,
            port=port,
            form=form,
            command=tuple(command or ()),
            environment={**environment(), **variables},
            command_log=command_log,
            is_command_on_stderr=form is not None and not form.is_table and command_log is None,
            has_frames=frames or (form is not None and form.is_table),
            record=record,
            duration=None if duration is None else parse_duration(duration, "--duration"),
            chaos=plan,
            is_quiet=quiet,
        )
        return run(request)


def _form(
    json: bool,
    output: OutputForm | None,
    only: list[str] | None,
    no_color: bool,
    *,
    view: bool,
    has_command: bool,
    log: Path | None,
) -> Form | None:
    """Return the form of standard output; None if it belongs to the command."""
    from prt.cli.options.outputs import form_of
    from prt.errors import UsageError

    if view and (json or output not in (None, OutputForm.TABLE)):
        raise UsageError("--view and another form of output exclude each other", "leave one of them out")
    is_drawn = view or output is OutputForm.TABLE
    if is_drawn and has_command and log is None:
        raise UsageError(
            "the screen and the command can't share a terminal", "add --command-log FILE for its output"
        )
    if has_command and not (is_drawn or json or output):
        if only:
            raise UsageError("--only needs lines on standard output", "add --json")
        return None
    return form_of(json=json, output=OutputForm.TABLE if is_drawn else output, only=only, no_color=no_color)
