"""`prt local up` and `prt local run`: they start an embedded project and determine how long it runs."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperOption

from prt.cli.options.shared import Debug
from prt.config.environment import environment
from prt.signals import SIGNALLED
from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        help="Listen on port N; 0 takes a free one.",
        rich_help_panel=PROJECT,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Keep the data in DIR.", rich_help_panel=PROJECT),
]
Migrations = Annotated[
    list[Path] | None,
    typer.Option(
        "--migrations",
        metavar="PATH",
        help="Run your own SQL instead of the seed; repeatable [supabase/migrations and its seed.sql].",
        rich_help_panel=PROJECT,
    ),
]
NoSeed = Annotated[
    bool, typer.Option("--no-seed", help="Create none of the seed's tables.", rich_help_panel=PROJECT)
]
Traffic = Annotated[
    bool,
    typer.Option("--traffic", help="Simulate a day of the production, compressed.", rich_help_panel=PROJECT),
]
Rate = Annotated[
    float,
    typer.Option("--rate", metavar="N", help="Changes a second of the traffic.", rich_help_panel=PROJECT),
]
PlanName = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Keep the limits of a plan: free, pro or no-cap [no limits].",
        rich_help_panel=HOSTED,
    ),
]
Poll = Annotated[
    str | None,
    typer.Option(
        "--poll",
        metavar="TIME",
        help="Poll for changes every TIME, and every 500ms if idle [streamed].",
        rich_help_panel=HOSTED,
    ),
]
LikeHosted = Annotated[
    bool,
    typer.Option("--like-hosted", help="Same as --poll 100ms --plan free.", rich_help_panel=HOSTED),
]
LikeCli = Annotated[
    bool,
    typer.Option(
        "--like-cli",
        help="Take the ports, keys and passwords of `supabase start`.",
        rich_help_panel=PROJECT,
    ),
]
SigningKeyName = Annotated[
    str | None,
    typer.Option(
        "--signing-key",
        metavar="KIND",
        help="Sign tokens with a key pair, es256 or rs256 [the JWT secret].",
        rich_help_panel=HOSTED,
    ),
]
AnonymousSignIns = Annotated[
    bool,
    typer.Option(
        "--anonymous-sign-ins",
        help="Let clients sign in without an email or a password.",
        rich_help_panel=HOSTED,
    ),
]


class MigratingCommand(TyperCommand):
    """A command whose --migrations may stand without a value, which then is supabase/migrations."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, after the value that --migrations lacks has been put in."""
        return super().parse_args(ctx, list(self._completed(ctx, args)))

    def _completed(self, ctx: Any, args: list[str]) -> Iterator[str]:
        """Yield the arguments, of which those of a program that is to run stay as they are."""
        from prt.local.project.migration_files import MIGRATIONS

        valued = {
            name
            for option in self.params
            if isinstance(option, TyperOption) and not option.is_flag
            for name in option.opts
        }
        rest = list(reversed(args))
        while rest and rest[-1] != "--" and (rest[-1].startswith("-") or ctx.allow_interspersed_args):
            yield (name := rest.pop())
            if name == "--migrations" and (not rest or rest[-1].startswith("-")):
                yield str(MIGRATIONS)
            elif name in valued and rest:
                yield rest.pop()
        yield from reversed(rest)


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

    It runs until Ctrl-C or `prt local stop`. Without --data-dir it leaves nothing behind. It takes
    port 54321, or a free one if that is taken. Your SQL runs as the role postgres, which is not a superuser,
    as in a hosted project. In a folder with supabase/migrations you are asked whether to run them. With
    --like-cli, what was made for `supabase start` finds it unchanged.

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
        migrations = _offered(data_dir)
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
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", show_default=False)],
    port: Port = 0,
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

    The command finds the project by the variables of `prt local env`, and by the names that web frameworks
    give the URL and the client keys, such as VITE_SUPABASE_URL; prt ends with its exit code. Inside the
    command, `prt local` and --local mean this project and no other.

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


def _offered(data_dir: Path | None) -> list[Path] | None:
    """Return the migrations of the working folder if somebody at the terminal wants them to run.

    Nothing is asked if the data folder is filled already. Nobody is asked in a pipe, and no agent is: a
    notice names the option instead.
    """
    from prt.config.terminal import is_terminal
    from prt.local.project.lifecycle import is_filled
    from prt.local.project.migration_files import MIGRATIONS, found_in

    found = found_in(Path.cwd())
    if found is None or (data_dir is not None and is_filled(data_dir)):
        return None
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        notice(f"{MIGRATIONS} is not run; --migrations runs it")
        return None
    question = f"Run {MIGRATIONS} and its seed.sql, instead of the built-in seed?"
    return [found] if typer.confirm(question, default=False, err=True) else None


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
        signing=tuple(msgspec.to_builtins(project.keys.signing)),
    )


def _introduce(project: Project) -> None:
    from prt.local.project.options import DEFAULT_PORT

    options = project.options
    which = "" if project.port == DEFAULT_PORT else f" --port {project.port}"
    if options.port is None and options.stack is None and project.port != DEFAULT_PORT:
        notice(f"port {DEFAULT_PORT} is taken, this is a free one")
    notice(f"the embedded project is up at {project.url}")
    keeps = f"its data stays in {options.data_dir}" if options.data_dir else "nothing of it stays"
    for command, what in (
        ("prt watch --local", "shows its changes"),
        (f'eval "$(prt local env{which})"', "sets its URL and keys for your own clients"),
        ("Ctrl-C", f"stops it; {keeps}"),
    ):
        typer.echo(f"  {command:36} {what}", err=True)
