"""`prt audit`: the account of every committed change."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from typing import Annotated

import typer

from prt.cli.options import shared as options

AUDIT = "What counts"
SAFETY = "What it may do"
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
            "--duration", metavar="TIME", help="Account for the commits of TIME [60s].", rich_help_panel=AUDIT
        ),
    ] = DURATION,
    late_after: Annotated[
        str,
        typer.Option(
            "--late-after",
            metavar="TIME",
            help="Count a change as late if it arrives later than TIME after its commit [5s].",
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
            help="Exit with 1 if less arrives whole and in time.",
            rich_help_panel=AUDIT,
        ),
    ] = None,
    allow_slot: Annotated[
        bool,
        typer.Option(
            "--allow-slot",
            help="Open a replication slot on a database that is not on this machine.",
            rich_help_panel=SAFETY,
        ),
    ] = False,
    max_wal: Annotated[
        str,
        typer.Option(
            "--max-wal",
            metavar="SIZE",
            help="Stop if the slot makes the server keep more log than SIZE [64MB].",
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

    It reads the database's own log through a temporary replication slot, over the direct connection in
    SUPABASE_DB_URL, and watches as the given identity. Without TABLE: every published table of the schema,
    or the tables of the profile. Exit code 1 means that something was lost.

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
