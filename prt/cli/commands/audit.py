"""`prt audit`: the account of every committed change."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from typing import Annotated

import typer

from prt.cli.options import shared as options

AUDIT = "What counts"
SAFETY = "Safety"
DURATION = "60s"
LATE_AFTER = "5s"
MAX_WAL = "64MB"


def audit(
    tables: options.Tables = None,
    schema: options.Schema = "public",
    filter: options.Filters = None,  # noqa: A002 - the option's name
    duration: Annotated[
        str,
        typer.Option(
            "--duration",
            metavar="TIME",
            help="Account for the changes that are committed within TIME (60s, 10m, 2h).",
            rich_help_panel=AUDIT,
        ),
    ] = DURATION,
    late_after: Annotated[
        str,
        typer.Option(
            "--late-after",
            metavar="TIME",
            help="Count a change as late if it arrives more than TIME (5s, 1m) after its commit.",
            rich_help_panel=AUDIT,
        ),
    ] = LATE_AFTER,
    min_delivery: Annotated[
        float | None,
        typer.Option(
            "--min-delivery",
            metavar="PERCENT",
            min=0,
            max=100,
            help=(
                "Also exit with 1 if less than PERCENT (such as 99.9) of the changes that should "
                "arrive come whole and in time."
            ),
            rich_help_panel=AUDIT,
        ),
    ] = None,
    allow_slot: Annotated[
        bool,
        typer.Option(
            "--allow-slot",
            help="Allow the audit to open its replication slot on a database that is not on this machine.",
            rich_help_panel=SAFETY,
        ),
    ] = False,
    max_wal: Annotated[
        str,
        typer.Option(
            "--max-wal",
            metavar="SIZE",
            help=(
                "Stop and exit with 1 if the slot makes the server keep more than SIZE (64MB, 1GB) "
                "of its write-ahead log."
            ),
            rich_help_panel=SAFETY,
        ),
    ] = MAX_WAL,
    json: options.Json = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Account for every committed change: arrived, hidden, filtered, cut, late, lost.

    The audit compares the changes that the database commits with those that arrive over Realtime for the
    identity of --as. It reads the commits from the write-ahead log through a temporary replication slot, over
    the direct connection in the variable SUPABASE_DB_URL, which is required. Without TABLE it audits the
    tables of the profile, or else every published table of the schema.

    Each change is counted as arrived; hidden by row level security; filtered out by --filter; cut, because
    its row was too large to be sent whole; lost; or unknown. Late changes are counted as arrived, too. The
    exit code is 1 if a change was lost.

    prt audit

    prt audit project_tasks --filter status=eq.done --duration 10m

    prt audit --allow-slot --min-delivery 99.9 --json
    """
    from dataclasses import replace

    from prt.app.audit.audit import audit as run
    from prt.app.audit.request import AuditRequest
    from prt.cli.options.connection import connected_project
    from prt.cli.options.outputs import form_of
    from prt.cli.options.sizes import parse_size
    from prt.cli.options.targets import Targets, parse_targets
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    def targets_of(words: list[str]) -> Targets:
        return parse_targets(words or ["*"], schema=schema, filters=filter or ())

    form = form_of(json=json, no_color=no_color)
    if not form.is_table:
        form = replace(form, only=frozenset({"status", "gap", "malformed", "loss", "audit"}))
    seconds, late_seconds = parse_duration(duration, "--duration"), parse_duration(late_after, "--late-after")
    wal_bytes = parse_size(max_wal, "--max-wal")
    targets = targets_of(tables or [])
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not tables and project.defaults.tables:
            targets = targets_of(list(project.defaults.tables))
        if not quiet:
            for line in project.notices:
                notice(line)
        return run(
            AuditRequest(
                project=project,
                bindings=targets.bindings,
                form=form,
                duration=seconds,
                late_after=late_seconds,
                min_delivery=min_delivery,
                max_wal=wal_bytes,
                allows_slot=allow_slot,
                is_quiet=quiet,
            )
        )
