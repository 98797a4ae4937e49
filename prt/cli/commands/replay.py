"""`prt replay`: a recording, played through the same views, outputs and expectations as a live watch."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prt.cli.options import shared as options
from prt.cli.options.shared import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.recording.file import Header
    from prt.views.panels.view import View

PLAYING = "What to play"


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The recording to play, made by `prt watch --record FILE`, for example.",
            show_default=False,
        ),
    ],
    speed: Annotated[
        str | None,
        typer.Option(
            "--speed",
            metavar="N",
            help=(
                "Play N times as fast as it was recorded, or max for no pauses at all. [default: 1 "
                "in a view, max in a pipe]"
            ),
            rich_help_panel=PLAYING,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Start at TIME: a timestamp, or a time after the start of the recording (30s, 5m, 2h).",
            rich_help_panel=PLAYING,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TIME",
            help="Stop at TIME: a timestamp, or a time after the start of the recording (30s, 5m, 2h).",
            rich_help_panel=PLAYING,
        ),
    ] = None,
    include: options.Include = None,
    exclude: options.Exclude = None,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    highlight: options.Highlight = None,
    view: options.Views = None,
    group_by: options.GroupBy = None,
    columns: options.Columns = None,
    wip: options.Wip = None,
    sort: options.Sort = None,
    plan: options.Plan = None,
    details: options.Details = False,
    once: options.Once = False,
    alert: options.AlertRules = None,
    fail_on_alert: options.FailOnAlert = None,
    keep: options.Keep = KEPT,
    batch: options.Batch = None,
    export: options.Export = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    count: options.Count = None,
    expect: options.Expect = None,
    debug: options.Debug = False,
) -> int:
    """Play a recording through the views, lines and expectations of `prt watch`.

    The last line says how the recorded watch ended. The exit code is 0 if the recording was played to the end
    and every expected event came.

    prt replay day.ndjson --speed 10 --view board

    prt replay day.ndjson --json --from 5m --to 10m

    prt replay day.ndjson --view board --export board.svg
    """
    from prt.app.watch import watch
    from prt.app.watch_request import WatchRequest
    from prt.cli.options.outputs import form_of
    from prt.cli.options.views import checked_severity, parse_rules, parse_views
    from prt.state.conditions.bounds import Bounds, parse_bounds
    from prt.state.conditions.expectations import parse_expectations
    from prt.state.conditions.matching import Matching
    from prt.stream.recording.file import Recording
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
    count_bound: Bounds = parse_bounds(count=count)
    expectations = parse_expectations(expect or ())
    matching = Matching(include or (), exclude or ())
    viewing = parse_views(
        view,
        group_by=group_by,
        columns=columns,
        wip=wip or (),
        sort=sort,
        plan=plan,
        details=details,
        wants_rows=once,
    )
    fails_on = checked_severity(fail_on_alert)
    is_drawn = form.is_table and not once
    recording = Recording(
        file,
        speed=_speed(speed, is_drawn=is_drawn),
        on_unreadable=lambda what: None if quiet else notice(what),
    )
    start = recording.started_at
    recording.keep(_moment(from_, "--from", start), _moment(to, "--to", start))
    bindings = bindings_of(recording.header)
    request = WatchRequest(
        source=recording,
        bindings=bindings,
        form=replace(viewing.form(form), keep=keep),
        bounds=count_bound,
        expectations=expectations,
        matching=matching,
        views_of=_tap_views(recording.header.host)
        if recording.header.command == "tap"
        else viewing.views_of(ViewOptions(highlight=form.highlight), bindings),
        rules=parse_rules(alert or (), viewing),
        fails_on=fails_on,
        is_once=once,
        is_quiet=quiet,
    )
    return watch(request)


def _tap_views(host: str) -> Callable[[Screen], Sequence[View]]:
    """Return a function that builds the view for a recording of `prt tap`."""
    from prt.state.tap import TapState
    from prt.views.panels.tap import TapView

    return lambda _: [TapView(TapState(), host=host)]


def bindings_of(header: Header) -> list[Binding]:
    """Return the bindings of the recorded watch; other members of the header are ignored."""
    from prt.stream.binding import Binding

    return [
        Binding(
            table=str(one.get("table", "*")),
            schema=str(one.get("schema", "public")),
            event=one["event"] if one.get("event") in ("INSERT", "UPDATE", "DELETE") else "*",
            filter=one.get("filter"),
        )
        for one in header.bindings
    ]


def _speed(text: str | None, *, is_drawn: bool) -> float | None:
    """Return the speed as a factor; None plays as fast as possible."""
    from prt.errors import UsageError

    if text is None:
        return 1.0 if is_drawn else None
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f'--speed expects a factor or max, not "{text}"', "write 0.5, 10 or max")
    return speed


def _moment(text: str | None, option: str, start: int) -> int | None:
    """Return a time in µs since the epoch; a duration counts from `start` (µs)."""
    from prt.errors import UsageError
    from prt.state.conditions.bounds import parse_duration
    from prt.stream import values

    if text is None:
        return None
    moment = values.moment(text)
    if moment is not None:
        return moment
    try:
        return start + round(parse_duration(text, option) * 1_000_000)
    except UsageError as exc:
        raise UsageError(exc.message, "write 90s or 5m after its start, or 2026-11-22T16:45:00Z") from exc
