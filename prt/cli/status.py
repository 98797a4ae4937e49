"""`prt status`: every layer between here and a live subscription, each with its state and its remedy."""

# ruff: noqa: PLC0415, PLR0917 - imports cost where they are used; parameters are what Typer makes options of

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from prt.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prt.cli.targets import Targets
    from prt.config import Project
    from prt.views.layers import Telling

TOPIC: Final = "prt-status"

Topic = Annotated[
    str,
    typer.Option(
        "--topic",
        metavar="TOPIC",
        help="Where broadcast and presence are tried.",
        rich_help_panel=options.SELECTION,
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings too.")]
Json = Annotated[
    bool, typer.Option("--json", help="NDJSON, a line a finding.", rich_help_panel=options.OUTPUT)
]


def status(
    tables: options.Tables = None,
    schema: options.Schema = "public",
    event: options.Events = None,
    filter: options.Filters = None,  # noqa: A002 - the option's name
    select: options.Select = None,
    private: options.Private = False,
    topic: Topic = TOPIC,
    strict: Strict = False,
    json: Json = False,
    no_color: options.NoColor = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Every layer between here and a live subscription: its state, its figure, its remedy.

    From the configuration down to each TABLE and the channels beside them; below a layer that fails
    nothing is guessed. With SUPABASE_DB_URL the database is asked too, else the wire tells what it can.

    prt status

    prt status todos --filter 'user_id=eq.7' --as maya@example.com
    """
    from prt.cli.connection import connected_project
    from prt.cli.targets import GROUPS, parse_targets
    from prt.errors import UsageError
    from prt.state.finding import exit_code_of, of_error

    def targets_of(words: Sequence[str]) -> Targets:
        return parse_targets(words, schema=schema, events=event or (), filters=filter or (), select=select)

    targets = targets_of(tables or [])
    telling = _telling(is_json=json, has_color=False if no_color else None)
    try:
        with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
            if not tables and project.defaults.tables:
                targets = targets_of(list(project.defaults.tables))
            _diagnosed(project, targets, telling, topic=topic, is_private=private, known=GROUPS["all"])
    except UsageError as exc:
        if telling.found or local:
            raise
        telling.tell(of_error("configuration", exc, figure="can't be used"))
    code = exit_code_of(telling.found, is_strict=strict)
    telling.end(code)
    return code


def _diagnosed(
    project: Project,
    targets: Targets,
    telling: Telling,
    *,
    topic: str,
    is_private: bool,
    known: tuple[str, ...],
) -> None:
    """Goes down the layers; each finding is told as it comes."""
    import asyncio
    from contextlib import aclosing

    from prt.checks.diagnosis import Plan, diagnose
    from prt.checks.layers import wire

    plan = Plan(
        bindings=tuple(targets.bindings),
        known=known,
        topic=topic,
        is_private=is_private,
        timing=wire.TIMING,
    )
    telling.expect([binding.table for binding in targets.bindings])

    async def main() -> None:
        async with aclosing(diagnose(project, plan)) as findings:
            async for finding in findings:
                telling.tell(finding)

    asyncio.run(main())


def _telling(*, is_json: bool, has_color: bool | None) -> Telling:
    from prt.cli.outputs import is_terminal
    from prt.views.layers import JsonTelling, LineTelling

    return JsonTelling(is_terminal=is_terminal()) if is_json else LineTelling(has_color=has_color)
