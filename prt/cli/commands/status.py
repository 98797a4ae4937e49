"""`prt status`: a diagnosis of every layer up to a live subscription, each with its state and remedy."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from prt.cli.options import shared as options

if TYPE_CHECKING:
    from collections.abc import Sequence, Set
    from contextlib import AbstractContextManager

    from prt.app.bundle.bundle import Bundle
    from prt.cli.options.targets import Targets
    from prt.config.project import Project
    from prt.state.conditions.bounds import Bounds
    from prt.stream.binding import Binding
    from prt.stream.topic import TopicSettings
    from prt.views.panels.layers import Reporter

TOPIC: Final = "prt-status"


class StatusFormat(StrEnum):
    """The forms of the output of a diagnosis."""

    TEXT = "text"
    JSON = "json"
    NAGIOS = "nagios"
    PROMETHEUS = "prometheus"


ONE_SHOT: Final = (StatusFormat.NAGIOS, StatusFormat.PROMETHEUS)

Topic = Annotated[
    str,
    typer.Option(
        "--topic",
        metavar="TOPIC",
        help="Topic of the channel that the diagnosis joins.",
        rich_help_panel=options.SELECTION,
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        "-w",
        help="After the diagnosis, go on watching and compare the traffic with the limits of --plan.",
        rich_help_panel=options.OUTPUT,
    ),
]
Plan = Annotated[
    str,
    typer.Option(
        "--plan",
        metavar="NAME",
        help="Plan of the project (free, pro or no-cap), to whose limits --watch compares its figures.",
        rich_help_panel=options.OUTPUT,
    ),
]
Duration = Annotated[
    str | None,
    typer.Option(
        "--duration",
        metavar="TIME",
        help="Stop --watch after TIME (30s, 5m, 2h). [default: at Ctrl-C]",
        rich_help_panel=options.BOUNDS,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 if there are warnings, even if nothing failed.")
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Write NDJSON, with one line for each finding.", rich_help_panel=options.OUTPUT
    ),
]
BundlePath = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE.zip",
        help="Create FILE.zip for a bug report, which holds no secrets and no values of rows.",
        rich_help_panel=options.OUTPUT,
    ),
]
Format = Annotated[
    StatusFormat | None,
    typer.Option(
        "--format",
        help=(
            "Write sentences (text), NDJSON as with --json (json), metrics (prometheus), or one line "
            "with the exit codes 0 to 3 of a monitoring plugin (nagios). [default: text]"
        ),
        rich_help_panel=options.OUTPUT,
    ),
]


@dataclass(frozen=True)
class Asked:
    """The checked options of a diagnosis; `bounds` are those of `--watch`."""

    topic: str
    is_private: bool
    plan: str
    bounds: Bounds
    has_color: bool


def status(
    tables: options.Tables = None,
    schema: options.Schema = "public",
    event: options.Events = None,
    filter: options.Filters = None,  # noqa: A002 - the option's name
    select: options.Select = None,
    private: options.Private = False,
    topic: Topic = TOPIC,
    strict: Strict = False,
    watch: Watch = False,
    plan: Plan = "free",
    duration: Duration = None,
    agent: options.Agent = False,
    json: Json = False,
    format: Format = None,  # noqa: A002 - the option's name
    bundle: BundlePath = None,
    no_color: options.NoColor = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Find out why no changes arrive: check everything from here to the tables, and print how to mend it.

    The layers are checked in this order: the configuration, the network, the sign-in, the websocket, a
    channel, and each TABLE. After a layer that fails, the rest is skipped. If SUPABASE_DB_URL is set, the
    database is asked as well, which finds more causes. Without TABLE, the tables of the profile are checked;
    if the profile has none, those of the demo's tables that exist in the project.

    The exit code is 0 if nothing failed, otherwise that of the first failure (`prt help exit-codes`).

    prt status

    prt status project_tasks --filter status=eq.done --as maya@example.com

    prt status --format nagios

    prt status notifications --bundle report.zip

    prt status --watch --plan pro
    """
    from prt.cli.options.connection import connected_project
    from prt.cli.options.targets import parse_targets
    from prt.config.constants.plans import limits_of
    from prt.config.report import present_settings
    from prt.errors import UsageError
    from prt.results import exit_code_of, is_live, of_error
    from prt.state.conditions.bounds import parse_bounds
    from prt.views.sinks.stderr import notice

    def targets_of(words: Sequence[str]) -> Targets:
        return parse_targets(words, schema=schema, events=event or (), filters=filter or (), select=select)

    limits_of(plan)
    if duration is not None and not watch:
        raise UsageError("--duration is how long to watch", "add --watch")
    form = _checked_format(format, json=json, is_kept_live=watch)
    bounds = parse_bounds(count=None, duration=duration, idle=None, timeout=None, agent=agent)
    asked = Asked(topic=topic, is_private=private, plan=plan, bounds=bounds, has_color=not no_color)
    targets = targets_of(tables or [])
    if watch and bundle is not None:
        raise UsageError("--bundle is written at the end of a diagnosis", "leave --watch out")
    reporter = _reporter(asked, form)
    with nullcontext() if bundle is None else _opened_bundle(bundle) as report:
        try:
            with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
                if not tables and project.defaults.tables:
                    targets = targets_of(list(project.defaults.tables))
                if project.identity == "service":
                    for line in project.notices:
                        notice(line)
                is_default = not (tables or project.defaults.tables)
                _diagnosed(project, targets, reporter, asked, is_default=is_default)
                code = exit_code_of(reporter.found, is_strict=strict)
                if watch and is_live(reporter.found):
                    code = reporter.end(code)
                    return _kept_live(project, targets, reporter, asked) or code
                if report is not None and any(
                    one.layer == "handshake" and one.is_reached for one in reporter.found
                ):
                    report.watch(project, _watchable(targets, reporter, asked), _own_topic_settings(asked))
        except UsageError as exc:
            if reporter.found or local:
                raise
            reporter.report(of_error("configuration", exc, figure="can't be used"))
            code = exc.exit_code
        if report is not None:
            report.write(present_settings(url, profile), reporter.found)
            notice(f"written to {bundle}: look through it before you attach it to an issue")
    return reporter.end(code)


def _opened_bundle(path: Path) -> AbstractContextManager[Bundle]:
    from prt.app.bundle.bundle import opened_bundle

    return opened_bundle(path)


def _checked_format(form: StatusFormat | None, *, json: bool, is_kept_live: bool) -> StatusFormat:
    """Return the form of the output.

    Raises:
        UsageError: Two forms were given, or one that `--watch` can't use.
    """
    from prt.errors import UsageError

    if json and form not in (None, StatusFormat.JSON):
        raise UsageError(f"--json and --format {form} are two forms", "leave one of them out")
    if is_kept_live and form in ONE_SHOT:
        raise UsageError(f"--format {form} is a check that ends", "leave --watch out, or take --format json")
    return StatusFormat.JSON if json else form or StatusFormat.TEXT


def _diagnosed(
    project: Project, targets: Targets, reporter: Reporter, asked: Asked, *, is_default: bool
) -> None:
    """Check all layers, and report each finding as it arrives."""
    import asyncio

    from prt.checks.status.diagnosis import Plan, diagnose
    from prt.checks.status.layers import source_listener
    from prt.config.constants.seed_tables import TABLES

    plan = Plan(
        bindings=tuple(targets.bindings),
        known=TABLES,
        topic=asked.topic,
        is_private=asked.is_private,
        is_default=is_default,
        timing=source_listener.TIMING,
    )
    reporter.expect([binding.table for binding in targets.bindings])

    asyncio.run(diagnose(project, plan, reporter.report))


def _kept_live(project: Project, targets: Targets, reporter: Reporter, asked: Asked) -> int:
    """Watch the tables, or the private channel, until a bound or a signal. Return the exit code."""
    from prt.app.watch import watch
    from prt.app.watch_request import RecoveryRequest, WatchRequest
    from prt.cli.options.outputs import form_of
    from prt.config.constants.plans import limits_of
    from prt.state.conditions.expectations import Expectations
    from prt.state.conditions.matching import Matching
    from prt.state.figures.usage import Usage
    from prt.views.panels.status import FiguresOutput, StatusView
    from prt.views.sinks.form import STDOUT, is_terminal

    settings = _own_topic_settings(asked)
    usage = Usage(limits_of(asked.plan))
    is_drawn = is_terminal() and not reporter.is_json
    request = WatchRequest(
        source=project,
        bindings=_watchable(targets, reporter, asked),
        topics=() if settings is None else [settings],
        form=form_of(json=not is_drawn, no_color=not asked.has_color),
        bounds=asked.bounds,
        expectations=Expectations(),
        matching=Matching(),
        recovery=RecoveryRequest(backfill=False),
        views_of=lambda _: [StatusView(reporter.found, usage, plan=asked.plan)],
        output=None if is_drawn else FiguresOutput(STDOUT, usage, is_json=reporter.is_json),
        is_quiet=True,
    )
    return watch(request)


def _watchable(targets: Targets, reporter: Reporter, asked: Asked) -> list[Binding]:
    """Return the tables that are READY; none if only a private channel is watched."""
    ready = {one.table for one in reporter.found if one.check == "READY" and one.state == "ok"}
    return [] if asked.is_private else [one for one in targets.bindings if _is_ready(one, ready)]


def _own_topic_settings(asked: Asked) -> TopicSettings | None:
    from prt.stream.topic import TopicSettings

    return TopicSettings(topic=asked.topic, events=(), is_private=True) if asked.is_private else None


def _is_ready(binding: Binding, ready: Set[str | None]) -> bool:
    return binding.name in ready or (binding.table == "*" and bool(ready))


def _reporter(asked: Asked, form: StatusFormat) -> Reporter:
    if form in ONE_SHOT:
        from prt.views.monitoring.status import PageReporter, PluginReporter

        return PluginReporter() if form is StatusFormat.NAGIOS else PageReporter()
    from prt.views.panels.layers import JsonReporter, LineReporter

    if form is StatusFormat.JSON:
        return JsonReporter()
    return LineReporter(has_color=None if asked.has_color else False)
