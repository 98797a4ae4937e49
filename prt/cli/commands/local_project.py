"""The commands for a running embedded project: its status, its keys, its traffic, reset and stop."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from prt import quoting
from prt.cli.commands.local_up import RATE
from prt.cli.options.shared import Debug
from prt.config import dotenv
from prt.config.environment import environment
from prt.errors import UnreachableError, UsageError
from prt.signals import SIGNALLED, stopping
from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from prt.local.project.registry import Entry

CHOICE: Final = "Which project, if several run"

ChosenPort = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="N",
        min=1,
        max=65535,
        help="Choose the project that listens on port N.",
        rich_help_panel=CHOICE,
    ),
]
ChosenDataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Choose the project that keeps its data in the folder DIR.",
        rich_help_panel=CHOICE,
    ),
]


class Format(StrEnum):
    """The forms of the output of `prt local env`."""

    EXPORT = "export"
    DOTENV = "dotenv"
    JSON = "json"
    GITHUB = "github"


def status(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Show the running projects: URL, age, data folder, and whether they answer.

    Without --port and --data-dir all running projects are shown. The exit code is 4 if none runs, or one does
    not answer.

    prt local status

    prt local status --port 54321

    prt local status --data-dir supabase-data
    """
    from prt.local.project import registry, remote

    entries = registry.visible(environment())
    if port is not None or data_dir is not None:
        entries = [_chosen(port, data_dir)]
    if not entries:
        raise registry.nothing_runs(environment())
    answers = [remote.answers(entry.url, entry.environment["SUPABASE_ANON_KEY"]) for entry in entries]
    for entry, is_answering in zip(entries, answers, strict=True):
        typer.echo(f"{entry.what}: {'answers' if is_answering else 'does not answer'}, up {_age(entry)}")
    if not all(answers):
        raise UnreachableError(
            "a project does not answer", "stop it with `prt local stop` and start it again"
        )


def env(
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help=(
                "Write lines for a shell (export), a .env file (dotenv), one JSON object (json), or "
                "lines for the file $GITHUB_ENV (github)."
            ),
        ),
    ] = Format.EXPORT,
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> None:
    """Print the URL and the keys of the running project, for a shell or a .env file.

    Set them in a shell with `eval "$(prt local env)"`. One line on standard error says which project it is.
    With --format github, the lines that mask the secrets in the log of a GitHub job go there, too.

    prt local env --format dotenv > .env

    prt local env --format github >> "$GITHUB_ENV"

    prt local env --format json | jq -r .SUPABASE_URL
    """
    from prt.local.project.variables import renewed

    entry = _chosen(port, data_dir)
    variables = renewed(entry)
    started = "" if entry.folder is None else f", started in {entry.folder}"
    notice(f"{entry.url}: up {_age(entry)}, {entry.data_dir or 'ephemeral'}{started}")
    if form is Format.GITHUB:
        for name, value in variables.items():
            if name != "SUPABASE_URL":
                typer.echo(f"::add-mask::{value.replace('%', '%25')}", err=True)
    typer.echo(written(variables, form), nl=False)


def token(
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="Database role of the token, such as anon, authenticated or service_role.",
        ),
    ] = "authenticated",
    sub: Annotated[
        str | None,
        typer.Option(
            "--sub", metavar="UUID", help="Id of the user to whom the token belongs. [default: no user]"
        ),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim",
            metavar="NAME=VALUE",
            help="Add a claim, whose VALUE is JSON or text, such as team=7; repeatable.",
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="Let the token expire after TIME (30s, 5m, 2h).")
    ] = "1h",
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> None:
    """Print a token that the running project accepts, with any role, user and claims.

    prt local token --sub 5eed0000-0000-4000-8000-0000000000b2 --expires 5m

    prt local token --claim 'app_metadata={"team": 7}'

    prt local token --role service_role --port 54321
    """
    from prt.local.project.variables import keys_of
    from prt.state.conditions.bounds import parse_duration

    seconds = parse_duration(expires, "--expires")
    claims = {"aud": "authenticated", "role": role} | ({} if sub is None else {"sub": sub})
    claims |= dict(_claim(text) for text in claim or [])
    entry = _chosen(port, data_dir)
    typer.echo(keys_of(entry.environment, entry.signing).sign(claims, seconds=seconds))


def traffic(
    rate: Annotated[float, typer.Option("--rate", metavar="N", help="Make N changes per second.")] = RATE,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            help="Seed of the random changes: the same N makes the same changes. [default: random]",
        ),
    ] = None,
    port: ChosenPort = None,
    data_dir: ChosenDataDir = None,
    debug: Debug = False,
) -> int:
    """Simulate people at work in the running project, until Ctrl-C.

    The project must have the demo's 30 tables, whose rows are changed. Colleagues join and leave the topic
    user-presence, and move their cursors on the topic document:7.

    prt local traffic

    prt local traffic --rate 50

    prt local traffic --seed 7 --data-dir supabase-data
    """
    import asyncio

    entry = _chosen(port, data_dir)
    if rate <= 0:
        raise UsageError(f"--rate must be above 0, not {rate:g}", "it is changes a second")
    from prt.local.project import extra

    extra.require()
    import psycopg

    from prt.local.seed import traffic

    async def played(work: Coroutine[Any, Any, None]) -> int:
        # asyncio's own handler of Ctrl-C is not enough if something else cancels the task as well.
        with stopping() as caught:
            try:
                await work
            except asyncio.CancelledError:
                if not caught:
                    raise
                return SIGNALLED + caught[0]
        return 0

    notice(f"traffic to {entry.url} at {rate:g} changes a second; Ctrl-C ends it")
    try:
        its = entry.environment
        database, key = its["SUPABASE_DB_URL"], its["SUPABASE_ANON_KEY"]
        return asyncio.run(played(traffic.play(database, entry.url, key, rate=rate, seed=seed)))
    except psycopg.errors.UndefinedTable as error:
        raise UsageError(
            "the project has no tables of the seed",
            "traffic is for projects without --migrations and --no-seed",
        ) from error
    except psycopg.OperationalError as error:
        raise UnreachableError(f"{entry.url} is gone", "start it again with `prt local up`") from error


def reset(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Reset the running project to the tables and rows of its start; the keys stay the same.

    prt local reset

    prt local reset --port 54321

    prt local reset --data-dir supabase-data
    """
    from prt.local.project import remote

    entry = _chosen(port, data_dir)
    remote.reset(entry.url, entry.environment["SUPABASE_SECRET_KEY"])
    notice(f"{entry.url} is as it was at its start")


def stop(port: ChosenPort = None, data_dir: ChosenDataDir = None, debug: Debug = False) -> None:
    """Stop the running project and wait until it has ended.

    prt local stop

    prt local stop --port 54321

    prt local stop --data-dir supabase-data
    """
    from prt.local.project import remote

    entry = _chosen(port, data_dir)
    remote.stop(entry)
    notice(f"{entry.url} has stopped")


def _chosen(port: int | None, data_dir: Path | None) -> Entry:
    from prt.local.project import registry

    environ = environment()
    entry = registry.the_one(environ, port=port, data_dir=data_dir)
    if entry is None:
        if port is not None or data_dir is not None:
            others = ", ".join(other.what for other in registry.visible(environ))
            scope = "in this `prt local run`" if environ.get(registry.RUN) else "running"
            raise UnreachableError(
                f"no embedded project runs {f'on port {port}' if port is not None else f'in {data_dir}'}",
                f"{scope}: {others}" if others else "start one with `prt local up`",
            )
        raise registry.nothing_runs(environ)
    return entry


def _age(entry: Entry) -> str:
    import time

    seconds = int(time.time() - entry.started_at)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def written(variables: Mapping[str, str], form: Format) -> str:
    """Return the variables in one of the forms, with a newline at the end.

    Each value is printable. A secret of supabase/config.toml can have any printable character in it.
    """
    import json

    if form is Format.JSON:
        return json.dumps(variables, indent=2) + "\n"
    if form is Format.EXPORT:
        lines = [f"export {name}={quoting.word(value)}" for name, value in variables.items()]
    elif form is Format.DOTENV:
        lines = [f"{name}={dotenv.value_text(value)}" for name, value in variables.items()]
    else:
        lines = [f"{name}={value}" for name, value in variables.items()]
    return "".join(f"{line}\n" for line in lines)


def _claim(text: str) -> tuple[str, Any]:
    import json

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            f'--claim expects NAME=VALUE, not "{text}"', "as in --claim 'app_metadata={\"team\": 7}'"
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
