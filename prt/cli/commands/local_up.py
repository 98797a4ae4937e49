"""`prt local up` and `prt local run`: they start an embedded project and determine how long it runs."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prt.cli.commands.local_migrations import offered
from prt.cli.options.shared import Debug
from prt.config.environment import environment
from prt.signals import SIGNALLED
from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from prt.local.project.embedded import Project
    from prt.local.project.options import Options
    from prt.local.project.registry import Entry

RATE: Final = 2.0
PROJECT: Final = "The project"
HOSTED: Final = "As a hosted project"
HOSTED_POLL: Final = "100ms"
HOSTED_PLAN: Final = "free"

Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="N",
        min=0,
        max=65535,
        help="Listen on port N of 127.0.0.1; 0 takes a free port. [default: 54321, or a free port]",
        rich_help_panel=PROJECT,
    ),
]
PortOfRun = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="N",
        min=0,
        max=65535,
        help="Listen on port N of 127.0.0.1; 0 takes a free port.",
        rich_help_panel=PROJECT,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Keep the database and the keys in the folder DIR. [default: delete them at the end]",
        rich_help_panel=PROJECT,
    ),
]
Migrations = Annotated[
    list[Path] | None,
    typer.Option(
        "--migrations",
        metavar="PATH",
        help=(
            "Run your own SQL instead of the demo's: a file, or the files of a folder in the order of "
            "their names; without PATH, supabase/migrations and its seeds; repeatable."
        ),
        rich_help_panel=PROJECT,
    ),
]
NoSeed = Annotated[
    bool, typer.Option("--no-seed", help="Start without the demo's tables and rows.", rich_help_panel=PROJECT)
]
Traffic = Annotated[
    bool,
    typer.Option(
        "--traffic",
        help=(
            "Simulate people at work on the demo's tables: rows change, colleagues come, go and move cursors."
        ),
        rich_help_panel=PROJECT,
    ),
]
Rate = Annotated[
    float,
    typer.Option(
        "--rate",
        metavar="N",
        help="Number of changes per second that --traffic makes.",
        rich_help_panel=PROJECT,
    ),
]
PlanName = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Enforce the limits of a Supabase plan: free, pro or no-cap. [default: no limits]",
        rich_help_panel=HOSTED,
    ),
]
Poll = Annotated[
    str | None,
    typer.Option(
        "--poll",
        metavar="TIME",
        help=(
            "Deliver changes every TIME (100ms, 1s), or every 500ms while nothing changes, as a "
            "hosted project does. [default: at once]"
        ),
        rich_help_panel=HOSTED,
    ),
]
LikeHosted = Annotated[
    bool,
    typer.Option(
        "--like-hosted",
        help="Behave like a hosted project: the same as --poll 100ms --plan free.",
        rich_help_panel=HOSTED,
    ),
]
LikeCli = Annotated[
    bool,
    typer.Option(
        "--like-cli",
        help=(
            "Use the ports, keys and passwords of `supabase start`, so that an app that is set "
            "up for it runs unchanged."
        ),
        rich_help_panel=PROJECT,
    ),
]
SigningKeyName = Annotated[
    str | None,
    typer.Option(
        "--signing-key",
        metavar="KIND",
        help=(
            "Sign users' tokens with a key pair of this KIND: es256 or rs256. [default: with the JWT secret]"
        ),
        rich_help_panel=HOSTED,
    ),
]
AnonymousSignIns = Annotated[
    bool,
    typer.Option(
        "--anonymous-sign-ins",
        help="Let clients sign in without an email or a password, as signInAnonymously() does.",
        rich_help_panel=HOSTED,
    ),
]


def up(
    port: Port = None,
    data_dir: DataDir = None,
    migrations: Migrations = None,
    no_seed: NoSeed = False,
    traffic: Traffic = False,
    rate: Rate = RATE,
    plan: PlanName = None,
    poll: Poll = None,
    like_hosted: LikeHosted = False,
    like_cli: LikeCli = False,
    signing_key: SigningKeyName = None,
    anonymous_sign_ins: AnonymousSignIns = False,
    debug: Debug = False,
) -> None:
    """Start the embedded project in the foreground.

    The project runs until Ctrl-C or `prt local stop`. Without --data-dir it leaves nothing behind. Without
    --port it listens on port 54321, or on a free port if that is taken. Unless --migrations or --no-seed is
    given, it has the demo's 30 tables with some rows. In a folder with supabase/migrations, prt asks whether
    to run these instead. As in a hosted project, your SQL runs as the role postgres, not as a superuser.

    prt local up --traffic

    prt local up --migrations

    prt local up --data-dir supabase-data

    prt local up --like-hosted
    """
    from prt.local.project import hosting, registry
    from prt.local.project.lifecycle import prepared

    if like_hosted:
        plan, poll = plan or HOSTED_PLAN, poll or HOSTED_POLL
    if not (migrations or no_seed or traffic):
        migrations = offered(data_dir)
    options = _options(port, data_dir, migrations, no_seed, traffic, rate, plan, poll)
    options = _as_asked(options, like_cli, signing_key, anonymous_sign_ins)
    environ = environment()
    with registry.slot(registry.runtime_folder(environ)) as slot, prepared(options, environ) as project:

        def announce() -> None:
            slot.announce(_entry(project))
            _introduce(project)

        ended_by = hosting.hold(project, announce)
    raise typer.Exit(SIGNALLED + ended_by)


def run(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="The command to run, with its own options, such as `pytest -q`.",
            show_default=False,
        ),
    ],
    port: PortOfRun = 0,
    data_dir: DataDir = None,
    migrations: Migrations = None,
    no_seed: NoSeed = False,
    traffic: Traffic = False,
    rate: Rate = RATE,
    plan: PlanName = None,
    poll: Poll = None,
    like_hosted: LikeHosted = False,
    like_cli: LikeCli = False,
    signing_key: SigningKeyName = None,
    anonymous_sign_ins: AnonymousSignIns = False,
    debug: Debug = False,
) -> None:
    """Run a command against an embedded project of its own.

    The project starts before COMMAND and ends with it. COMMAND finds the URL and the keys in the variables
    that `prt local env` prints, and in those of web frameworks, such as VITE_SUPABASE_URL. Inside COMMAND,
    `prt local` and --local mean this project only. The exit code is that of COMMAND.

    prt local run -- pytest

    prt local run --migrations -- npm test

    prt local run --traffic -- prt watch --count 5
    """
    from prt.config.constants.frameworks import browser_variables
    from prt.local.project import hosting, registry
    from prt.local.project.lifecycle import prepared

    if like_hosted:
        plan, poll = plan or HOSTED_PLAN, poll or HOSTED_POLL
    options = _options(port, data_dir, migrations, no_seed, traffic, rate, plan, poll)
    options = _as_asked(options, like_cli, signing_key, anonymous_sign_ins)
    environ = environment()
    with registry.slot(registry.runtime_folder(environ)) as slot, prepared(options, environ) as project:
        own = {registry.RUN: str(slot.announce(_entry(project), is_private=True))}
        # In `.venv/bin/prt local run -- prt test`, the second prt means the one in the same folder.
        path = os.pathsep.join(filter(None, [environ.get("PATH"), str(Path(sys.argv[0]).parent.absolute())]))
        its = project.environment()
        code = hosting.run(project, command, environ | browser_variables(its) | its | own | {"PATH": path})
    raise typer.Exit(code)


def _options(
    port: int | None,
    data_dir: Path | None,
    migrations: list[Path] | None,
    no_seed: bool,
    traffic: bool,
    rate: float,
    plan: str | None,
    poll: str | None,
) -> Options:
    from prt.local.project.migration_files import with_seeds
    from prt.local.project.options import Options
    from prt.state.conditions.bounds import parse_duration

    return Options(
        port=port,
        data_dir=data_dir,
        migrations=with_seeds([path.absolute() for path in migrations or ()]),
        seed=not no_seed,
        traffic=traffic,
        rate=rate,
        plan=plan,
        poll_seconds=None if poll is None else parse_duration(poll, "--poll"),
    )


def _as_asked(options: Options, like_cli: bool, signing_key: str | None, anonymous_sign_ins: bool) -> Options:
    """Return the options with the ways to sign in, and with the ports and keys of the CLI's local project."""
    import msgspec

    from prt.config import local_stack

    options = msgspec.structs.replace(options, signing_key=signing_key, anonymous_sign_ins=anonymous_sign_ins)
    if not like_cli:
        return options
    found = local_stack.of_folder(Path.cwd())
    stack = local_stack.Stack() if found is None else found[1]
    return msgspec.structs.replace(
        options,
        stack=stack,
        # `run` uses a free port unless one is given.
        port=options.port or None,
        anonymous_sign_ins=anonymous_sign_ins or stack.has_anonymous_sign_ins,
    )


def _entry(project: Project) -> Entry:
    import time

    import msgspec

    from prt.local.project.registry import Entry

    data_dir = project.options.data_dir
    return Entry(
        pid=os.getpid(),
        port=project.port,
        url=project.url,
        started_at=time.time(),
        environment=project.environment(),
        data_dir=None if data_dir is None else str(data_dir.expanduser().absolute()),
        folder=_working_folder(),
        signing=tuple(msgspec.to_builtins(project.keys.signing)),
    )


def _working_folder() -> str | None:
    try:
        return os.fsencode(Path.cwd()).decode(errors="replace")
    except FileNotFoundError:  # it was removed
        return None


def _introduce(project: Project) -> None:
    from prt.local.project import registry
    from prt.local.project.options import DEFAULT_PORT

    options = project.options
    if options.port is None and options.stack is None and project.port != DEFAULT_PORT:
        notice(f"port {DEFAULT_PORT} is taken, this is a free one")
    notice(f"the embedded project is up at {project.url}")
    if environment().get(registry.RUN):
        notice(
            "commands in this shell still use the project of `prt local run`; unset "
            f"{registry.RUN} to use the new one"
        )
        return
    is_alone = len(registry.visible(environment())) <= 1
    port = None if is_alone and project.port == DEFAULT_PORT else project.port
    for line in banner(port, is_alone=is_alone, keeps_data=options.data_dir is not None):
        typer.echo(line, err=True)


def banner(port: int | None, *, is_alone: bool, keeps_data: bool) -> list[str]:
    """Return what a user can do now, in lines of at most 60 columns.

    Args:
        port: The port by which to choose the project; None if that is not necessary.
        is_alone: Whether no other project runs, so that --local means this one.
        keeps_data: Whether the project has a data folder.
    """
    which = "" if port is None else f" --port {port}"
    watch = ("prt watch --local" if is_alone else "prt watch", "shows its changes")
    keys = (f'eval "$(prt local env{which})"', "sets URL and keys")
    stop = ("Ctrl-C", "stops it, keeps data" if keeps_data else "stops and deletes it")
    lines = [watch, keys, stop] if is_alone else [keys, watch, stop]
    return [f"  {command:36} {what}" for command, what in lines]
