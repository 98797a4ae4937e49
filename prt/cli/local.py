"""`prt local`: the embedded Supabase. What it needs is imported by the command that needs it."""

# ruff: noqa: PLC0415, PLR0917 - imports cost where they are used; parameters are what Typer makes options of

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prt import config
from prt.cli.stderr import notice
from prt.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from prt.local.options import Options
    from prt.local.project import Project
    from prt.local.registry import Entry

RATE: Final = 2.0

app = typer.Typer(
    help="The embedded Supabase: a real PostgreSQL, Realtime, REST and Auth on one port of 127.0.0.1.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """The forms of `prt local env`."""

    EXPORT = "export"
    DOTENV = "dotenv"
    JSON = "json"
    GITHUB = "github"


PROJECT: Final = "The project"
CHOICE: Final = "Which project, where several run"

Port = Annotated[
    int | None,
    typer.Option("--port", metavar="N", min=0, max=65535, help="0 is a free one.", rich_help_panel=PROJECT),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Keep it there.", rich_help_panel=PROJECT),
]
Migrations = Annotated[
    list[Path] | None,
    typer.Option(
        "--migrations",
        metavar="PATH",
        help="Your SQL instead of the seed; repeatable.",
        rich_help_panel=PROJECT,
    ),
]
NoSeed = Annotated[bool, typer.Option("--no-seed", help="No tables of the seed.", rich_help_panel=PROJECT)]
Traffic = Annotated[
    bool, typer.Option("--traffic", help="A day of the production, compressed.", rich_help_panel=PROJECT)
]
Rate = Annotated[
    float, typer.Option("--rate", metavar="N", help="Traffic's changes a second.", rich_help_panel=PROJECT)
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")]
ChosenPort = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="N", min=1, max=65535, help="The one on this port.", rich_help_panel=CHOICE
    ),
]
ChosenDataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", help="The one that keeps its data there.", rich_help_panel=CHOICE
    ),
]


@app.command("up")
def up(
    port: Port = None,
    data_dir: DataDir = None,
    migrations: Migrations = None,
    no_seed: NoSeed = False,
    traffic: Traffic = False,
    rate: Rate = RATE,
    debug: Debug = False,
) -> None:
    """Start the embedded project, in the foreground.

    It is up until Ctrl-C or `prt local stop`. Without --data-dir nothing of it is left at the end. It takes
    port 54321, or a free one where that is taken.

    prt local up --traffic

    prt local up --port 54321 --migrations supabase/migrations

    prt local up --data-dir supabase-data
    """
    from prt.local import hosting, registry
    from prt.local.project import prepared

    options = _options(port, data_dir, migrations, no_seed, traffic, rate)
    environ = config.environment()
    with registry.slot(registry.runtime_folder(environ)) as slot, prepared(options, environ) as project:

        def announce() -> None:
            slot.announce(_entry(project))
            _introduce(project)

        ended_by = hosting.hold(project, announce)
    raise typer.Exit(128 + ended_by)


@app.command("run", context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", show_default=False)],
    port: Port = 0,
    data_dir: DataDir = None,
    migrations: Migrations = None,
    no_seed: NoSeed = False,
    traffic: Traffic = False,
    rate: Rate = RATE,
    debug: Debug = False,
) -> None:
    """Run a command against a project of its own.

    The command finds the project by the variables of `prt local env`; prt ends with its exit code.

    prt local run -- pytest

    prt local run --migrations supabase/migrations -- npm test

    prt local run --traffic -- prt watch --count 5
    """
    from prt.local import hosting
    from prt.local.project import prepared

    options = _options(port, data_dir, migrations, no_seed, traffic, rate)
    environ = config.environment()
    with prepared(options, environ) as project:
        # Whoever runs `.venv/bin/prt local run -- prt test` means the prt beside it.
        path = os.pathsep.join(filter(None, [environ.get("PATH"), str(Path(sys.argv[0]).parent.absolute())]))
        code = hosting.run(project, command, environ | project.environment() | {"PATH": path})
    raise typer.Exit(code)


@app.command("status")
def status(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Show what runs: URL, age, where its data is, whether it answers.

    prt local status

    prt local status --port 54321

    prt local status --data-dir supabase-data
    """
    from prt.local import registry, remote

    folder = registry.runtime_folder(config.environment())
    entries = registry.running(folder)
    if port is not None or data_dir is not None:
        entries = [_chosen(port, data_dir)]
    if not entries:
        raise _nothing_runs()
    answers = [remote.answers(entry.url, entry.environment["SUPABASE_ANON_KEY"]) for entry in entries]
    for entry, is_answering in zip(entries, answers, strict=True):
        typer.echo(f"{entry.what}: {'answers' if is_answering else 'does not answer'}, up {_age(entry)}")
    if not all(answers):
        raise UnreachableError(
            "a project does not answer", "stop it with `prt local stop` and start it again"
        )


@app.command("env")
def env(
    form: Annotated[
        Format, typer.Option("--format", metavar="FORM", help="export, dotenv, json or github.")
    ] = Format.EXPORT,
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> None:
    """Print the URL and the keys, for a shell or a .env file.

    A shell takes them with `eval "$(prt local env)"`. With --format github the lines that mask the secrets
    go to standard error.

    prt local env --format dotenv > .env

    prt local env --format github >> "$GITHUB_ENV"

    prt local env --format json | jq -r .SUPABASE_URL
    """
    from prt.local.variables import renewed

    environment = renewed(_chosen(port, data_dir).environment)
    if form is Format.GITHUB:
        for name, value in environment.items():
            if name != "SUPABASE_URL":
                typer.echo(f"::add-mask::{value}", err=True)
    typer.echo(written(environment, form), nl=False)


@app.command("token")
def token(
    role: Annotated[str, typer.Option("--role", help="The database's role.")] = "authenticated",
    sub: Annotated[str | None, typer.Option("--sub", metavar="UUID", help="The user's id.")] = None,
    claim: Annotated[
        list[str] | None, typer.Option("--claim", metavar="NAME=VALUE", help="JSON or text; repeatable.")
    ] = None,
    expires: Annotated[str, typer.Option("--expires", metavar="TIME", help="From now on.")] = "1h",
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> None:
    """Print a token that the project accepts, as a session of anybody.

    prt local token --sub 5eed0000-0000-4000-8000-0000000000b2 --expires 5m

    prt local token --claim 'app_metadata={"team": 7}'

    prt local token --role service_role --port 54321
    """
    from prt.local.variables import keys_of
    from prt.state.bounds import parse_duration

    seconds = parse_duration(expires, "--expires")
    claims = {"aud": "authenticated", "role": role} | ({} if sub is None else {"sub": sub})
    claims |= dict(_claim(text) for text in claim or [])
    typer.echo(keys_of(_chosen(port, data_dir).environment).sign(claims, seconds=seconds))


@app.command("traffic")
def traffic_(
    rate: Annotated[float, typer.Option("--rate", metavar="N", help="Changes a second.")] = RATE,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The same number, the same day.")
    ] = None,
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> None:
    """Play a day of the production, compressed, into the running project.

    Until Ctrl-C rows change at --rate; colleagues come and go on the topic user-presence, and point at
    document:7.

    prt local traffic

    prt local traffic --rate 50

    prt local traffic --seed 7 --data-dir supabase-data
    """
    import asyncio

    entry = _chosen(port, data_dir)
    if rate <= 0:
        raise UsageError(f"--rate must be above 0, not {rate:g}", "it is changes a second")
    from prt.local import extra

    extra.require()
    import psycopg

    from prt.local import traffic

    notice(f"traffic to {entry.url} at {rate:g} changes a second; Ctrl-C ends it")
    try:
        environment = entry.environment
        database, key = environment["SUPABASE_DB_URL"], environment["SUPABASE_ANON_KEY"]
        asyncio.run(traffic.play(database, entry.url, key, rate=rate, seed=seed))
    except psycopg.errors.UndefinedTable as error:
        raise UsageError(
            "the project has no tables of the seed",
            "traffic is for projects without --migrations and --no-seed",
        ) from error
    except psycopg.OperationalError as error:
        raise UnreachableError(f"{entry.url} is gone", "start it again with `prt local up`") from error


@app.command("reset")
def reset(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Put the seed (or the migrations) back; the keys stay.

    prt local reset

    prt local reset --port 54321

    prt local reset --data-dir supabase-data
    """
    from prt.local import remote

    entry = _chosen(port, data_dir)
    remote.reset(entry.url, entry.environment["SUPABASE_SECRET_KEY"])
    notice(f"{entry.url} is as it was at its start")


@app.command("stop")
def stop(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Stop the running project, and wait until it is gone.

    prt local stop

    prt local stop --port 54321

    prt local stop --data-dir supabase-data
    """
    from prt.local import remote

    entry = _chosen(port, data_dir)
    remote.stop(entry)
    notice(f"{entry.url} has stopped")


def _options(
    port: int | None,
    data_dir: Path | None,
    migrations: list[Path] | None,
    no_seed: bool,
    traffic: bool,
    rate: float,
) -> Options:
    from prt.local.options import Options

    return Options(
        port=port,
        data_dir=data_dir,
        migrations=tuple(path.absolute() for path in migrations or ()),
        seed=not no_seed,
        traffic=traffic,
        rate=rate,
    )


def _entry(project: Project) -> Entry:
    import os
    import time

    from prt.local.registry import Entry

    data_dir = project.options.data_dir
    return Entry(
        pid=os.getpid(),
        port=project.port,
        url=project.url,
        started_at=time.time(),
        environment=project.environment(),
        data_dir=None if data_dir is None else str(data_dir.expanduser().absolute()),
    )


def _introduce(project: Project) -> None:
    from prt.local.options import DEFAULT_PORT

    options = project.options
    which = "" if project.port == DEFAULT_PORT else f" --port {project.port}"
    if options.port is None and project.port != DEFAULT_PORT:
        notice(f"port {DEFAULT_PORT} is taken, this is a free one")
    notice(f"the embedded project is up at {project.url}")
    keeps = f"its data stays in {options.data_dir}" if options.data_dir else "nothing of it stays"
    for command, what in (
        ("prt watch --local", "shows its changes"),
        (f'eval "$(prt local env{which})"', "sets its URL and keys for your own clients"),
        ("Ctrl-C", f"stops it; {keeps}"),
    ):
        typer.echo(f"  {command:36} {what}", err=True)


def _chosen(port: int | None, data_dir: Path | None) -> Entry:
    from prt.local import registry

    folder = registry.runtime_folder(config.environment())
    entry = registry.the_one(folder, port=port, data_dir=data_dir)
    if entry is None:
        if port is not None or data_dir is not None:
            others = ", ".join(other.what for other in registry.running(folder))
            raise UnreachableError(
                f"no embedded project runs {f'on port {port}' if port is not None else f'in {data_dir}'}",
                f"running: {others}" if others else "start one with `prt local up`",
            )
        raise _nothing_runs()
    return entry


def _nothing_runs() -> UnreachableError:
    return UnreachableError("no embedded project runs", "start one with `prt local up`")


def _age(entry: Entry) -> str:
    import time

    seconds = int(time.time() - entry.started_at)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def written(environment: Mapping[str, str], form: Format) -> str:
    """The variables in one of the forms, each line ended."""
    import json
    import shlex

    if form is Format.JSON:
        return json.dumps(environment, indent=2) + "\n"
    if form is Format.EXPORT:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    else:
        # Neither a key nor a URL of ours holds a quote, a space, a `$` or a `#`.
        lines = [f"{name}={value}" for name, value in environment.items()]
    return "".join(f"{line}\n" for line in lines)


def _claim(text: str) -> tuple[str, Any]:
    import json

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--claim is no NAME=VALUE: {text}", "as in --claim 'app_metadata={\"team\": 7}'")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
