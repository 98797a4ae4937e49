"""`prt test`: smoke tests of a project's realtime, for people and for CI."""

# ruff: noqa: PLC0415, PLR0917 - imports cost where they are used; parameters are what Typer makes options of

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from prt.cli.options import shared as options

TESTS: Final = "What is tested"
LEVELS: Final = "Objectives"
REPORTS: Final = "Reports"
LOAD: Final = "Latency and load"


class PlanLimit(StrEnum):
    """The plans whose limits `load` keeps."""

    FREE = "free"
    PRO = "pro"
    NO_CAP = "no-cap"
    NONE = "none"


def run_tests(
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="SUITE", help="Suites to run, as --list names them [all but load]."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the suites and what each needs.", rich_help_panel=TESTS)
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Only remove the rows that test runs left.", rich_help_panel=TESTS)
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="SUITE",
            help="Fail if a check of SUITE is skipped; repeatable.",
            rich_help_panel=TESTS,
        ),
    ] = None,
    allow_writes: Annotated[
        bool,
        typer.Option(
            "--allow-writes",
            help="Write test rows on a project that is not on loopback.",
            rich_help_panel=TESTS,
        ),
    ] = False,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="[SCHEMA.]TABLE",
            help="Table in which test rows are made.",
            show_default="notifications",
            rich_help_panel=TESTS,
        ),
    ] = None,
    marker: Annotated[
        str | None,
        typer.Option(
            "--marker",
            metavar="COL",
            help="Text column of the table that holds the mark.",
            rich_help_panel=TESTS,
        ),
    ] = None,
    stranger: Annotated[
        str | None,
        typer.Option(
            "--stranger",
            metavar="EMAIL",
            help="A second user, who is not a member [PRT_STRANGER_PASSWORD].",
            rich_help_panel=TESTS,
        ),
    ] = None,
    private_topic: Annotated[
        str | None,
        typer.Option(
            "--private-topic",
            metavar="TOPIC",
            help="Private topic that the tests may use.",
            rich_help_panel=TESTS,
        ),
    ] = None,
    repeat: Annotated[
        int,
        typer.Option("--repeat", metavar="N", min=1, help="Run everything N times.", rich_help_panel=TESTS),
    ] = 1,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="TIME", help="Wait TIME at most for what must come.", rich_help_panel=TESTS
        ),
    ] = "15s",
    samples: Annotated[
        int,
        typer.Option(
            "--samples", metavar="N", min=1, help="Rows that the suite latency writes.", rich_help_panel=LOAD
        ),
    ] = 50,
    clients: Annotated[
        int,
        typer.Option(
            "--clients", metavar="N", min=1, help="Subscribers of the suite load.", rich_help_panel=LOAD
        ),
    ] = 5,
    rate: Annotated[
        float,
        typer.Option(
            "--rate", metavar="N", min=0.1, help="Rows a second of the suite load.", rich_help_panel=LOAD
        ),
    ] = 20.0,
    duration: Annotated[
        str,
        typer.Option(
            "--duration",
            metavar="TIME",
            help="Length of the suite load, with its ramp.",
            rich_help_panel=LOAD,
        ),
    ] = "10s",
    limit: Annotated[
        PlanLimit,
        typer.Option("--limit", help="Stop the suite load at the limit of this plan.", rich_help_panel=LOAD),
    ] = PlanLimit.FREE,
    max_lag: Annotated[
        list[str] | None,
        typer.Option(
            "--max-lag",
            metavar="p95=500ms",
            help="Fail above this lag of p50, p95, p99 or max; repeatable.",
            rich_help_panel=LEVELS,
        ),
    ] = None,
    min_delivery: Annotated[
        float | None,
        typer.Option(
            "--min-delivery",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Fail if less than PERCENT of the changes is delivered.",
            rich_help_panel=LEVELS,
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write a report as JUnit XML.", rich_help_panel=REPORTS),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a report as one HTML page.", rich_help_panel=REPORTS
        ),
    ] = None,
    json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Test a project's realtime: a live table on a terminal, NDJSON in a pipe.

    It changes only rows that it made and removes them at its end. What a project does not offer is skipped,
    with the reason.

    prt test

    prt test connect latency --max-lag p95=2s --junit out.xml

    prt test load --clients 5 --rate 5 --duration 4s --min-delivery 99.9

    prt local run -- prt test --junit out.xml --report out.html
    """
    from prt.app.test_run import RunRequest, cleaned, listed, run_suites
    from prt.checks.test.plan import chosen
    from prt.checks.test.service_levels import MEASURING, parse_limit
    from prt.checks.test.settings import CONNECTIONS, Settings
    from prt.checks.test.suites.registry import SUITES
    from prt.cli.options.connection import connected_project
    from prt.cli.options.outputs import form_of
    from prt.cli.options.targets import parse_table
    from prt.errors import UsageError
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    form = form_of(json=json, output=output, no_color=no_color)
    picked = chosen(SUITES, suites or [], require or [])
    if list_:
        listed(SUITES, is_json=json)
        return 0
    if (max_lag or min_delivery is not None) and all(suite.name not in MEASURING for suite in picked):
        raise UsageError("an objective needs a suite that measures it", "add latency or load")
    most = CONNECTIONS[limit.value]
    if most and clients > most and any(suite.name == "load" for suite in picked):
        raise UsageError(
            f"{clients} clients are more than the plan's {most} connections", "--limit pro or none"
        )
    schema, name = parse_table("notifications" if table is None else table)
    request = RunRequest(
        suites=picked,
        required=tuple(require or ()),
        limits=tuple(parse_limit(text) for text in max_lag or ()),
        min_delivery=min_delivery,
        repeat=repeat,
        stranger=stranger,
        allows_writes=allow_writes,
        junit=junit,
        report=report,
        settings=Settings(
            schema=schema,
            table=name,
            is_table_named=table is not None,
            marker=marker,
            wait_seconds=parse_duration(wait, "--wait"),
            samples=samples,
            clients=clients,
            rate=rate,
            duration_seconds=parse_duration(duration, "--duration"),
            plan=limit.value,
            private_topic=private_topic,
        ),
    )
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        if clean:
            return cleaned(project, request, is_quiet=quiet)
        return run_suites(project, request, form, is_quiet=quiet)
