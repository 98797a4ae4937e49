"""`prt notify`: a user's live notifications.

`send` writes one and waits for its echo, `read` marks them as read.
"""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prt.cli.options import shared as options

if TYPE_CHECKING:
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.rest.session import Endpoint
    from prt.views.panels.view import View

WHOSE: Final = "Whose notifications"
ACTING: Final = "For each new notification"
WHAT: Final = "Content"

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="ID",
        help="Id of the user to whom the notifications belong. [default: the user of the session]",
        rich_help_panel=WHOSE,
    ),
]
Table = Annotated[
    str,
    typer.Option(
        "--table", metavar="TABLE", help="Table that holds the notifications.", rich_help_panel=WHOSE
    ),
]
UserColumn = Annotated[
    str,
    typer.Option(
        "--user-column", metavar="COL", help="Column of that table with the user's id.", rich_help_panel=WHOSE
    ),
]
Results = Annotated[
    bool,
    typer.Option(
        "--json", help="Write one JSON object. [default: in a pipe]", rich_help_panel=options.OUTPUT
    ),
]


@app.callback()
def notify(
    context: typer.Context,
    user: User = None,
    table: Table = "notifications",
    schema: options.Schema = "public",
    user_column: UserColumn = "user_id",
    snapshot: options.Snapshot = False,
    bell: Annotated[
        bool,
        typer.Option(
            "--bell", help="Ring the terminal's bell for each new notification.", rich_help_panel=ACTING
        ),
    ] = False,
    exec_: Annotated[
        str | None,
        typer.Option(
            "--exec",
            metavar="CMD",
            help=(
                "Run CMD for each new notification, and pass it the event as JSON on standard input. "
                "CMD is started without a shell."
            ),
            rich_help_panel=ACTING,
        ),
    ] = None,
    include: options.Include = None,
    exclude: options.Exclude = None,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    highlight: options.Highlight = None,
    record: options.Record = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    count: options.Count = None,
    duration: options.Duration = None,
    idle: options.Idle = None,
    timeout: options.Timeout = None,
    agent: options.Agent = False,
    expect: options.Expect = None,
    backfill: options.Backfill = True,
    since: options.Since = None,
    cursor: options.Cursor = None,
    key: options.Key = None,
    edit: options.Edit = False,
    reconnect: options.Reconnect = True,
    max_reconnects: options.MaxReconnects = None,
    wait_for_server: options.WaitForServer = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Show the live notifications of a user: toasts on a terminal, NDJSON in a pipe.

    Unread notifications stand above those that were read, and newer ones above older ones. Without a command,
    prt watches until Ctrl-C or until an option of "When to stop" ends it.

    prt notify --local --snapshot

    prt notify --user 5eed0000-0000-4000-8000-0000000000a1 --as service --bell

    prt notify --exec 'tee -a notifications.ndjson'

    prt notify send --title 'Doors open' --message 'Gate 3' --type info

    prt notify read --all
    """
    if context.invoked_subcommand is not None:
        return 0
    from prt.app.actions import Actions
    from prt.app.notifications.table import remedies, user_of_session
    from prt.app.watch import watch
    from prt.app.watch_request import WatchRequest
    from prt.cli.options.connection import check_edit, connected_project
    from prt.cli.options.notifications import notification_table
    from prt.cli.options.outputs import form_of
    from prt.cli.options.recovery import parse_recovery
    from prt.state.conditions.bounds import parse_bounds
    from prt.state.conditions.expectations import parse_expectations
    from prt.state.notifications import Own, is_new_notification
    from prt.stream.live.supervisor import Policy
    from prt.views.sinks.stderr import notice

    target = notification_table(table, schema, user_column)
    form = form_of(
        json=json, output=output, template=template, only=only, highlight=highlight, no_color=no_color
    )
    bounds = parse_bounds(count=count, duration=duration, idle=idle, timeout=timeout, agent=agent)
    expectations = parse_expectations(expect or ())
    recovery = parse_recovery(
        backfill=backfill, snapshot=snapshot, since=since, cursor=cursor, keys=key or ()
    )
    its_key = recovery.keys_of(target.bindings("")).get((target.schema, target.table), ("id",))
    own = Own(user_column, include or (), exclude or (), key=its_key)
    actions = Actions(
        bell=bell,
        command=exec_,
        wanted=is_new_notification,
        report=None if form.is_table or quiet else notice,
    )

    def bindings(endpoint: Endpoint) -> Sequence[Binding]:
        own.user = user_of_session(endpoint, user)
        return target.bindings(own.user)

    def views_of(screen: Screen) -> Sequence[View]:
        from prt.state.notifications import Notifications
        from prt.views.panels.notifications import Toasts

        state = Notifications(target.schema, target.table, lambda *_: its_key)
        return [Toasts(state, screen, user=own.user)]

    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        if edit:
            check_edit(project, is_drawn=form.is_table)
        request = WatchRequest(
            source=project,
            bindings=bindings,
            form=form,
            bounds=bounds,
            expectations=expectations,
            matching=own,
            recovery=recovery,
            policy=Policy(max_reconnects=max_reconnects if reconnect else 0, is_patient=wait_for_server),
            views_of=views_of,
            actions=actions,
            record=record,
            is_quiet=quiet,
            can_edit=edit,
            notifications=target,
            remedies=remedies(),
        )
        return watch(request)


@app.command("send")
def send(
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Title of the notification.", rich_help_panel=WHAT)
    ],
    message: Annotated[
        str | None,
        typer.Option("--message", metavar="TEXT", help="Text of the notification.", rich_help_panel=WHAT),
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Type of the notification, such as info or success.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="COL=VALUE",
            help="Set another column of the row to VALUE, which is JSON or text; repeatable.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    user: User = None,
    table: Table = "notifications",
    schema: options.Schema = "public",
    user_column: UserColumn = "user_id",
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar="TIME",
            help="Exit with 1 if the notification does not come back over Realtime within TIME (10s, 1m).",
        ),
    ] = "10s",
    no_wait: Annotated[
        bool,
        typer.Option(
            "--no-wait", help="Exit after writing, without waiting for the notification to come back."
        ),
    ] = False,
    json: Results = False,
    quiet: options.Quiet = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Write a notification and wait until it comes back over Realtime.

    The exit code is 1 if it does not come back in time.

    prt notify send --title 'Doors open' --message 'Gate 3' --type info

    prt notify send --title 'Truck 4 is here' --set 'payload={"dock": 3}'

    prt notify send --title Hi --user 5eed0000-0000-4000-8000-0000000000a1 --as service
    """
    from prt.app.notifications.sending import SendRequest, send_one
    from prt.cli.options.assignments import assignments_of
    from prt.cli.options.connection import connected_project
    from prt.cli.options.notifications import notification_table
    from prt.errors import UsageError
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    target = notification_table(table, schema, user_column)
    seconds = parse_duration(timeout, "--timeout")
    if not title.strip():
        raise UsageError("--title is empty", "as in --title 'Doors open'")
    given = {"title": title, "message": message, "type": type_}
    columns: dict[str, object] = {name: text for name, text in given.items() if text is not None}
    columns |= assignments_of(set_ or (), "--set")
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        request = SendRequest(
            project=project,
            target=target,
            user=user,
            columns=columns,
            seconds=seconds,
            is_awaited=not no_wait,
            is_json=json,
        )
        return send_one(request)


@app.command("read")
def read(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of the notifications to mark as read.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Mark all unread notifications of the user.")] = False,
    user: User = None,
    table: Table = "notifications",
    schema: options.Schema = "public",
    user_column: UserColumn = "user_id",
    json: Results = False,
    quiet: options.Quiet = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Mark notifications as read over REST.

    Name the notifications by their ids, or give --all.

    prt notify read --all

    prt notify read 5eed0000-0007-4000-8000-000000000004

    prt notify read --all --as maya@example.com
    """
    from prt.app.notifications.marking import MarkRequest, mark
    from prt.cli.options.connection import connected_project
    from prt.cli.options.notifications import notification_table
    from prt.errors import UsageError
    from prt.views.sinks.stderr import notice

    if bool(ids) is all_:
        raise UsageError("name notifications by their ids, or --all", "prt notify read ID ID, or --all")
    target = notification_table(table, schema, user_column)
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        return mark(MarkRequest(project=project, target=target, ids=ids or (), user=user, is_json=json))
