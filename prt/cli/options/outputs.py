"""From the output options to an output: their check before anything is opened, then the sink itself."""

# ruff: noqa: PLC0415 - a pipe must not pay for Rich, nor a table for templates

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from prt.cli.options.shared import OutputForm
from prt.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from prt.events import Event
    from prt.state.screen import Screen
    from prt.views.panels.view import View
    from prt.views.sinks.batched import Sink
    from prt.views.sinks.output import LineOutput, Output
    from prt.views.sinks.svg import Pictured

TYPES: Final = (
    "change",
    "broadcast",
    "presence",
    "status",
    "gap",
    "malformed",
    "alert",
    "conflict",
    "end",
)
"""The `type` of the contract's lines."""
STDOUT: Final = 1
PICTURE_COLUMNS: Final = 120

KeyColumns = Mapping[tuple[str, str], tuple[str, ...]] | None
"""By (schema, table)."""


class Form(Struct, frozen=True, kw_only=True):
    """What was asked for, checked; `encode` writes lines of another kind, as a compiled `--template` does."""

    kind: OutputForm
    encode: Callable[[Event], bytes] | None
    only: frozenset[str] | None
    highlight: tuple[re.Pattern[str], ...]
    has_color: bool | None
    """None: as the terminal and NO_COLOR say."""
    batch: float | None = None
    """Seconds of a window in which the changes of a row are merged."""
    export: Path | None = None
    """Where the last screen is drawn to."""


def form_of(
    *,
    json: bool,
    output: OutputForm | None,
    template: str | None,
    only: Sequence[str] | None,
    highlight: Sequence[str] | None,
    no_color: bool,
    batch: int | None = None,
    export: Path | None = None,
) -> Form:
    """UsageError where options contradict each other, or one of them can't be read."""
    if json and output not in (None, OutputForm.JSON):
        raise UsageError(f"--json and --output {output} are two forms", "leave one of them out")
    if template is not None and (json or output is not None):
        raise UsageError("--template is a form of its own", "leave --json and --output out")
    kind = OutputForm.JSON if json else output
    encode = None
    if template is not None:
        from prt.views.sinks.template import compile_template

        kind, encode = OutputForm.TEXT, compile_template(template, is_terminal=is_terminal())
    if kind is None:
        kind = OutputForm.TABLE if is_terminal() else OutputForm.JSON
    if export is not None and export.suffix.lower() != ".svg":
        raise UsageError(f"--export draws SVG, not {export.suffix or export.name}", "name a FILE.svg")
    return Form(
        kind=kind,
        encode=encode,
        only=_types(only or ()),
        highlight=tuple(_pattern(text) for text in highlight or ()),
        has_color=False if no_color else None,
        batch=None if batch is None else batch / 1000,
        export=export,
    )


@contextmanager
def opened(
    form: Form,
    host: str,
    keys: KeyColumns = None,
    views_of: Callable[[Screen], Sequence[View]] | None = None,
    notes: Collection[str] = (),
    *,
    is_once: bool = False,
    shown_time: Callable[[], int] | None = None,
) -> Iterator[Output]:
    """The sink of a command; `host` is the project's, for the view's head, `keys` by (schema, table).

    `views_of` makes what is drawn on a terminal, None the table of events; `notes`, as they are then, stand
    at its foot. `is_once` prints what there is at the end, and has no screen. `shown_time` is
    what a screen takes for now (µs), None the time.
    """
    if is_once and form.kind is OutputForm.TABLE:
        from prt.state.screen import Screen
        from prt.views.panels.table import Table
        from prt.views.sinks.once import OnceViews
        from prt.views.sinks.screen import terminal_console

        state = Screen(keys=keys)
        views = [Table(state, highlight=form.highlight)] if views_of is None else views_of(state)
        yield OnceViews(terminal_console(form.has_color, is_stderr=False), state, views)
    elif form.kind is OutputForm.TABLE:
        from prt.views.sinks.screen import ScreenOutput

        with ScreenOutput(
            host=host,
            highlight=form.highlight,
            has_color=form.has_color,
            keys=keys,
            views_of=views_of,
            notes=notes,
            shown_time=shown_time,
            export=form.export,
        ) as screen:
            yield _batched(screen, form, keys)
    else:
        lines = _lines(form)
        yield _batched(
            lines if form.export is None else _pictured(lines, form, host, keys, views_of), form, keys
        )


def _lines(form: Form) -> LineOutput:
    if form.kind is OutputForm.JSON and form.encode is None:
        from prt.views.sinks.output import JsonOutput

        return JsonOutput(STDOUT, only=form.only, is_terminal=is_terminal())
    from prt.views.sinks.output import LineOutput
    from prt.views.sinks.text import TextLines

    return LineOutput(STDOUT, form.encode or TextLines().encode, only=form.only)


def _pictured(
    lines: Sink,
    form: Form,
    host: str,
    keys: KeyColumns,
    views_of: Callable[[Screen], Sequence[View]] | None,
) -> Pictured:
    from prt.config.project import environment
    from prt.state.screen import Screen
    from prt.views.panels.table import Table
    from prt.views.sinks.svg import HEIGHT, Pictured

    assert form.export is not None  # noqa: S101 - who wants a picture says where
    state = Screen(keys=keys)
    views = [Table(state, highlight=form.highlight)] if views_of is None else views_of(state)
    said = environment()
    size = (_number(said.get("COLUMNS"), PICTURE_COLUMNS), _number(said.get("LINES"), HEIGHT))
    return Pictured(lines, form.export, state, views, title=host, size=size)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) else otherwise


def _batched(sink: Sink, form: Form, keys: KeyColumns) -> Output:
    if form.batch is None:
        return sink
    import time

    from prt.state.rows.batching import Batch
    from prt.views.sinks.batched import Batched

    return Batched(sink, Batch(keys), form.batch, time.monotonic)


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _types(texts: Sequence[str]) -> frozenset[str] | None:
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    for name in names:
        if name not in TYPES:
            close = get_close_matches(name, TYPES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"types: {', '.join(TYPES)}"
            raise UsageError(f"--only knows no type {name}", hint)
    return frozenset(names) if names else None


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as exc:
        raise UsageError(
            f"--highlight is no regular expression: {exc}", "escape . * [ ( where they are meant"
        ) from exc
