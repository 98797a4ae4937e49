"""`prt demo`: a temporary embedded project with simulated traffic, and a live view of it."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from prt.cli.options import shared as options
from prt.cli.options.shared import KEPT


def demo(
    rate: Annotated[
        float,
        typer.Option(
            "--rate",
            metavar="N",
            min=0.01,
            help="Make N changes per second.",
            rich_help_panel=options.SELECTION,
        ),
    ] = 3.0,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            help="Seed of the random changes: the same N makes the same demo. [default: random]",
            rich_help_panel=options.SELECTION,
        ),
    ] = None,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    highlight: options.Highlight = None,
    view: options.Views = None,
    keep: options.Keep = KEPT,
    edit: options.Edit = False,
    batch: options.Batch = None,
    verify: options.Verify = True,
    record: options.Record = None,
    export: options.Export = None,
    no_color: options.NoColor = False,
    count: options.Count = None,
    duration: options.Duration = None,
    idle: options.Idle = None,
    timeout: options.Timeout = None,
    agent: options.Agent = False,
    debug: options.Debug = False,
) -> int:
    """Show prt at work: an embedded project, simulated changes, a live view.

    The demo needs neither a Supabase project nor Docker, and leaves nothing behind. Rows of its 30 tables
    change; simulated colleagues come, go and move their cursors over a document (--view cursors). It goes on
    until Ctrl-C unless an option of "When to stop" ends it.

    prt demo

    prt demo --view board,budget,feed

    prt demo --rate 200 --view stats
    """
    from prt.app.watch import watch
    from prt.app.watch_request import RecoveryRequest, WatchRequest
    from prt.cli.options.outputs import form_of
    from prt.cli.options.targets import parse_targets
    from prt.cli.options.topics import parse_topics
    from prt.cli.options.views import parse_rules, parse_views
    from prt.config.project import resolve
    from prt.local.project.attach import ephemeral
    from prt.local.seed.story.colleagues import CURSOR, DOCUMENT, PRESENCE
    from prt.state.conditions.bounds import parse_bounds
    from prt.state.conditions.expectations import Expectations
    from prt.state.conditions.matching import Matching
    from prt.views.panels.registry import ViewOptions
    from prt.views.sinks.stderr import notice

    form = form_of(
        json=json,
        output=output,
        template=template,
        only=only,
        highlight=highlight,
        no_color=no_color,
        batch=batch,
        export=export,
    )
    viewing = parse_views(view)
    bounds = parse_bounds(count=count, duration=duration, idle=idle, timeout=timeout, agent=agent)
    # Cursors move so often that nothing else would be visible, so they are only watched if they are drawn.
    cursors = [f"{DOCUMENT}={CURSOR}"] if "cursors" in viewing.names else []
    notice("starting an embedded project with a day of its production; Ctrl-C ends it")
    with ephemeral(traffic=True, rate=rate, traffic_seed=seed) as environment:
        bindings = parse_targets([]).bindings
        request = WatchRequest(
            source=resolve(local=environment),
            bindings=bindings,
            form=replace(viewing.form(form), keep=keep),
            bounds=bounds,
            expectations=Expectations(),
            matching=Matching(),
            # The tables are small, and their rows have the names for ids on cards and in sentences.
            recovery=RecoveryRequest(
                snapshot=not {"board", "budget", "feed"}.isdisjoint(viewing.names), verify=verify
            ),
            views_of=viewing.views_of(ViewOptions(highlight=form.highlight), bindings),
            topics=parse_topics(cursors, [PRESENCE]),
            rules=parse_rules((), viewing),
            record=record,
            can_edit=edit,
        )
        return watch(request)
