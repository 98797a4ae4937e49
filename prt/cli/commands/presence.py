"""`prt presence`: who is online on a topic, who joins, leaves and changes, and our own presence."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from prt.cli.options import shared as options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prt.state.screen import Screen
    from prt.stream.rest.session import Endpoint
    from prt.stream.topic import TopicSettings
    from prt.views.panels.view import View
    from prt.views.sinks.form import Form
    from prt.views.sinks.output import Output

LOCATION = "terminal"
"""Our own location; the seed's page tracks its path here."""
UNCUT = 1000
"""The width in cells of a table that is written as text for another program."""


def presence(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="The topic to join, such as room:1.", show_default=False)
    ],
    track: Annotated[
        list[str] | None,
        typer.Option(
            "--track",
            metavar="KEY=VALUE",
            help=(
                "Be present yourself, with this value, such as status=busy, or with a JSON object; "
                "repeatable."
            ),
            rich_help_panel=options.SELECTION,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="Your own key in the list of who is present; needs --track. [default: a random one]",
            rich_help_panel=options.SELECTION,
        ),
    ] = None,
    private: options.Private = False,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="COL,COL",
            help=(
                "Columns to show, in this order, such as user_id,status. [default: the keys that most "
                "of those who are present have]"
            ),
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="Print who is present now, and exit.", rich_help_panel=options.OUTPUT),
    ] = False,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    expect_key: Annotated[
        list[str] | None,
        typer.Option(
            "--expect-key",
            metavar="KEY",
            help=(
                "Exit with 0 once somebody with the presence key KEY is present; repeatable, all are awaited."
            ),
            rich_help_panel=options.BOUNDS,
        ),
    ] = None,
    least: Annotated[
        int | None,
        typer.Option(
            "--min",
            metavar="N",
            min=1,
            help="Exit with 0 once N are present.",
            rich_help_panel=options.BOUNDS,
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            metavar="N",
            help="Stop after N joins, leaves and updates and exit with 0.",
            rich_help_panel=options.BOUNDS,
        ),
    ] = None,
    duration: options.Duration = None,
    idle: options.Idle = None,
    timeout: options.Timeout = None,
    agent: options.Agent = False,
    reconnect: options.Reconnect = True,
    max_reconnects: options.MaxReconnects = None,
    wait_for_server: options.WaitForServer = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Show who is online on a topic, and who joins, leaves and changes.

    With --track you are present too, with the values that you give. To them prt adds user_id, online_at (the
    present time) and location (terminal).

    prt presence user-presence

    prt presence room:1 --track status=busy --track desk=7

    prt presence room:1 --once --json

    prt presence workers --track job=7 --key worker-1 --expect-key worker-1
    """
    from uuid import uuid4

    from prt.app.watch import watch
    from prt.app.watch_request import WatchRequest
    from prt.cli.options.connection import connected_project
    from prt.cli.options.outputs import form_of
    from prt.cli.options.topics import parse_tracked, topic_of
    from prt.errors import UsageError
    from prt.state.conditions.attendance import Attendance
    from prt.state.conditions.bounds import parse_bounds
    from prt.state.conditions.matching import Matching
    from prt.stream.live.supervisor import Policy
    from prt.stream.topic import TopicSettings
    from prt.views.sinks.stderr import notice

    form = form_of(json=json, output=output, template=template, only=only, no_color=no_color)
    bounds = parse_bounds(count=count, duration=duration, idle=idle, timeout=timeout, agent=agent)
    name = topic_of(topic, "TOPIC")
    given = None if track is None else parse_tracked(track)
    if key is not None and not key.strip():
        raise UsageError("--key is empty", "leave it out for one of its own")
    if key is not None and given is None:
        raise UsageError("--key is ours, and nothing puts us on the roster", "add --track status=busy")
    own_key = None if given is None else key or str(uuid4())
    attendance = Attendance(name, keys=expect_key or (), least=least or 0, is_roster_enough=once)
    shown = [column for column in (columns or "").split(",") if column.strip()]

    def topics(endpoint: Endpoint) -> list[TopicSettings]:
        tracked = None if given is None else _as_a_page(given, endpoint)
        if own_key is not None and tracked is not None:
            attendance.wait_for_us(own_key, tracked)
        settings = TopicSettings(
            topic=name, events=(), is_private=private, has_presence=True, key=own_key, tracked=tracked
        )
        return [settings]

    def views_of(screen: Screen) -> Sequence[View]:
        from prt.views.panels.roster import Roster

        return [Roster(screen.roster, columns=shown, own_key=own_key)]

    policy = Policy(max_reconnects=max_reconnects if reconnect else 0, is_patient=wait_for_server)
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        request = WatchRequest(
            source=project,
            form=form,
            bounds=bounds,
            expectations=attendance,
            matching=Matching(),
            policy=policy,
            views_of=views_of,
            topics=topics,
            output=_once(form, name, shown, own_key) if once else None,
            is_quiet=quiet,
        )
        return watch(request)


def _as_a_page(given: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the state that the seed's page tracks of itself, with the given values over it."""
    from datetime import UTC, datetime

    from prt.config.secret import claims_of
    from prt.stream.limits import checked_presence

    user = (claims_of(endpoint.token or "") or {}).get("sub")
    who = {"user_id": user} if isinstance(user, str) else {}
    tracked = {**who, "online_at": datetime.now(UTC).isoformat(), "location": LOCATION, **given}
    checked_presence(tracked)
    return tracked


def _once(form: Form, topic: str, columns: Sequence[str], own_key: str | None) -> Output:
    """Return the output for `--once`."""
    from prt.views.sinks import ndjson
    from prt.views.sinks.form import STDOUT, OutputForm
    from prt.views.sinks.once import OnceLines, OnceTable

    if form.kind is OutputForm.JSON:
        encode = ndjson.encode
        return OnceLines(STDOUT, topic, encode, only=form.only)
    if form.encode is not None:
        return OnceLines(STDOUT, topic, form.encode, only=form.only)
    from prt.views.terminal.console import terminal_console

    width = None if form.is_table else UNCUT
    console = terminal_console(form.has_color, is_stderr=False)
    return OnceTable(console, width=width, columns=columns, own_key=own_key)
