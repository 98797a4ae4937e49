"""`prt test`: smoke tests of a project's Realtime, for people and for CI."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from prt.cli.options import shared as options

TESTS: Final = "What is tested"
CONTRACT: Final = "Contract"
LEVELS: Final = "Objectives (of the suites latency and load)"
REPORTS: Final = "Reports"
LOAD: Final = "Latency and load"


class PlanLimit(StrEnum):
    """The plans whose limits the suite `load` respects."""

    FREE = "free"
    PRO = "pro"
    NO_CAP = "no-cap"
    NONE = "none"


def run_tests(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUITE",
            help=(
                "Suites to run, such as connect or rls; `prt test --list` lists them. [default: all but load]"
            ),
        ),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option(
            "--list", help="List the suites and what each of them needs, and exit.", rich_help_panel=TESTS
        ),
    ] = False,
    clean: Annotated[
        bool,
        typer.Option(
            "--clean",
            help="Only delete the rows that interrupted test runs left behind, and exit.",
            rich_help_panel=TESTS,
        ),
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="SUITE",
            help="Exit with 1 if a check of SUITE (see --list) is skipped; repeatable.",
            rich_help_panel=TESTS,
        ),
    ] = None,
    allow_writes: Annotated[
        bool,
        typer.Option(
            "--allow-writes",
            help=(
                "Write test rows also to a project that is not on this machine. [default: skip the "
                "checks that write]"
            ),
            rich_help_panel=TESTS,
        ),
    ] = False,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            metavar="[SCHEMA.]TABLE",
            help=(
                "Table in which the tests write rows; repeatable with --write-contract. [default: "
                "notifications]"
            ),
            rich_help_panel=TESTS,
        ),
    ] = None,
    marker: Annotated[
        str | None,
        typer.Option(
            "--marker",
            metavar="COL",
            help=(
                "Text column in which the tests mark their own rows. [default: one of the usual names, "
                "such as title or name]"
            ),
            rich_help_panel=TESTS,
        ),
    ] = None,
    stranger: Annotated[
        str | None,
        typer.Option(
            "--stranger",
            metavar="EMAIL",
            help=(
                "Sign in as a second user, EMAIL, who must not see the first user's rows; the "
                "password is read from PRT_STRANGER_PASSWORD."
            ),
            rich_help_panel=TESTS,
        ),
    ] = None,
    private_topic: Annotated[
        list[str] | None,
        typer.Option(
            "--private-topic",
            metavar="TOPIC",
            help=(
                "Private topic that the tests may use; repeatable with --write-contract. [default: "
                "new topics that begin with prt-test:]"
            ),
            rich_help_panel=TESTS,
        ),
    ] = None,
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat", metavar="N", min=1, help="Run the chosen suites N times.", rich_help_panel=TESTS
        ),
    ] = 1,
    wait: Annotated[
        str,
        typer.Option(
            "--wait",
            metavar="TIME",
            help="Wait at most TIME (15s, 1m) for each answer or event.",
            rich_help_panel=TESTS,
        ),
    ] = "15s",
    contract: Annotated[
        Path | None,
        typer.Option(
            "--contract",
            metavar="FILE",
            help=(
                "Check that everybody (anon, service, a user) receives exactly the events that FILE "
                "lists (`prt help contract`); exit with 1 if not."
            ),
            rich_help_panel=CONTRACT,
        ),
    ] = None,
    write_contract: Annotated[
        Path | None,
        typer.Option(
            "--write-contract",
            metavar="FILE",
            help="Find out who receives which events now, and write it to FILE, for --contract.",
            rich_help_panel=CONTRACT,
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            "--samples",
            metavar="N",
            min=1,
            help="Number of rows that the `latency` suite writes.",
            rich_help_panel=LOAD,
        ),
    ] = 50,
    clients: Annotated[
        int,
        typer.Option(
            "--clients",
            metavar="N",
            min=1,
            help="Number of subscribers in the `load` suite.",
            rich_help_panel=LOAD,
        ),
    ] = 5,
    rate: Annotated[
        float,
        typer.Option(
            "--rate",
            metavar="N",
            min=0.1,
            help="Number of rows per second in the `load` suite.",
            rich_help_panel=LOAD,
        ),
    ] = 20.0,
    duration: Annotated[
        str,
        typer.Option(
            "--duration",
            metavar="TIME",
            help="Write rows in the `load` suite for TIME (10s, 5m); the rate rises in four steps.",
            rich_help_panel=LOAD,
        ),
    ] = "10s",
    limit: Annotated[
        PlanLimit,
        typer.Option(
            "--limit",
            help="Keep the `load` suite within the message limit of this Supabase plan.",
            rich_help_panel=LOAD,
        ),
    ] = PlanLimit.FREE,
    max_lag: Annotated[
        list[str] | None,
        typer.Option(
            "--max-lag",
            metavar="p95=500ms",
            help=(
                "Exit with 1 if this percentile of the lag (p50, p95, p99 or max) is above the "
                "limit, such as p95=500ms; repeatable."
            ),
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
            help="Exit with 1 if less than PERCENT (such as 99.9) of the changes are delivered.",
            rich_help_panel=LEVELS,
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit",
            metavar="FILE",
            help="Also write the results to FILE as JUnit XML.",
            rich_help_panel=REPORTS,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Also write the results to FILE as one HTML page.",
            rich_help_panel=REPORTS,
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

    The tests change only rows that they made themselves, and delete them at the end. A check that the project
    does not allow is skipped, and the reason is printed. The exit code is 1 if a check fails.

    prt test

    prt test connect latency --max-lag p95=2s --junit out.xml

    prt test --write-contract realtime.toml --table notifications

    prt test load --clients 5 --rate 5 --duration 4s --min-delivery 99.9

    prt local run -- prt test --junit out.xml --report out.html
    """
    from msgspec import structs

    from prt.app.test_contract import agreed, planned
    from prt.app.test_run import RunRequest, cleaned, listed, run_suites
    from prt.checks.test.plan import chosen, gate_of
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
    if contract is not None and write_contract is not None:
        raise UsageError(
            "--contract and --write-contract exclude each other", "hold a project to one, or write one"
        )
    for option, given in (("--table", table), ("--private-topic", private_topic)):
        if given and len(given) > 1 and write_contract is None:
            raise UsageError(f"several {option} go with --write-contract only", "name one")
    agreement = None if contract is None else agreed(contract)
    bounds = None if agreement is None else agreement.contract.bounds
    limits = (*(parse_limit(text) for text in max_lag or ()), *(bounds.limits if bounds else ()))
    least = min_delivery if min_delivery is not None or bounds is None else bounds.min_delivery
    named = [*(suites or []), *(["latency"] if bounds and not suites else [])]
    has_contract = contract is not None or write_contract is not None
    if has_contract and not named and not require:
        picked = gate_of(SUITES)
    else:
        picked = chosen(SUITES, [*named, *(require or [])] if has_contract else named, require or [])
    if list_:
        listed(SUITES, is_json=json)
        return 0
    if (limits or least is not None) and all(suite.name not in MEASURING for suite in picked):
        raise UsageError("an objective needs a suite that measures it", "add latency or load")
    most = CONNECTIONS[limit.value]
    if most and clients > most and any(suite.name == "load" for suite in picked):
        raise UsageError(
            f"{clients} clients are more than the plan's {most} connections", "--limit pro or none"
        )
    tables = [parse_table(word) for word in table or ()]
    agreed_tables = (
        [] if agreement is None else [(one.schema, one.table) for one in agreement.contract.tables]
    )
    default = ("public", "notifications")
    schema, name = next(iter(tables or ([] if default in agreed_tables else agreed_tables)), default)
    request = RunRequest(
        suites=picked,
        named=tuple(suites or ()),
        required=tuple(require or ()),
        limits=limits,
        min_delivery=least,
        repeat=repeat,
        stranger=stranger,
        allows_writes=allow_writes,
        junit=junit,
        report=report,
        agreement=agreement,
        settings=Settings(
            schema=schema,
            table=name,
            is_table_named=bool(table),
            marker=marker,
            wait_seconds=parse_duration(wait, "--wait"),
            samples=samples,
            clients=clients,
            rate=rate,
            duration_seconds=parse_duration(duration, "--duration"),
            plan=limit.value,
            private_topic=next(iter(private_topic or ()), None),
        ),
    )
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        if clean:
            return cleaned(project, request, is_quiet=quiet)
        if write_contract is not None:
            plan = planned(project, write_contract, tables=tables, topics=private_topic or (), marker=marker)
            for line in plan.notices:
                notice(line)
            request = structs.replace(request, agreement=plan)
        return run_suites(project, request, form, is_quiet=quiet)
