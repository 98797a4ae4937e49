"""The form of a command's output, and the output that is opened for it."""

# ruff: noqa: PLC0415 - help must not load msgspec, a pipe not Rich, and a table not templates

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from prt.config import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from prt.events import Event
    from prt.state.conditions.pattern import Pattern
    from prt.state.screen import Screen
    from prt.views.panels.view import View
    from prt.views.sinks.batched import Sink
    from prt.views.sinks.output import LineOutput, Output
    from prt.views.sinks.svg import Pictured
    from prt.views.terminal.interaction import Controls

STDOUT: Final = 1
PICTURE_COLUMNS: Final = 120

KeyColumns = Mapping[tuple[str, str], tuple[str, ...]] | None
"""Key columns by (schema, table)."""


class OutputForm(StrEnum):
    """The forms that a command's output can have."""

    TABLE = "table"
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Form:
    """The checked options for a command's output.

    Attributes:
        kind: The form: a screen for people, NDJSON or text.
        encode: Encodes events as other lines, as a compiled template does; None uses the lines of `kind`.
        only: The types of events to write; None is all.
        highlight: What the table of events marks.
    """

    kind: OutputForm
    encode: Callable[[Event], bytes] | None = None
    only: frozenset[str] | None = None
    highlight: tuple[Pattern, ...] = ()
    has_color: bool | None = None
    """Whether to use colours; if None, the terminal and NO_COLOR decide."""
    batch: float | None = None
    """The window in seconds in which changes of a row are merged; None merges none."""
    export: Path | None = None
    """The SVG file that the last screen is saved to."""
    keep: int = 10_000
    """How many events can be scrolled back to."""

    @property
    def is_table(self) -> bool:
        """Whether the output is a screen for people."""
        return self.kind is OutputForm.TABLE


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
    controls: Controls | None = None,
) -> Iterator[Output]:
    """Open the output of a command.

    Args:
        form: The options of the output.
        host: The project's host, for the head of the view.
        keys: The key columns by (schema, table).
        views_of: Builds the views for a terminal; None is the table of events.
        notes: Lines for the foot of the screen, read at each drawing.
        is_once: Whether to print the state once at the end, without a screen.
        shown_time: Returns the time that a screen shows as now (µs); None is the present.
        controls: Actions of keys beyond the views.
    """
    if is_once and form.is_table:
        from prt.state.screen import Screen
        from prt.views.panels.table import Table
        from prt.views.sinks.once import OnceViews
        from prt.views.terminal.console import terminal_console

        state = Screen(keys=keys)
        views = [Table(state, highlight=form.highlight)] if views_of is None else views_of(state)
        yield OnceViews(terminal_console(form.has_color, is_stderr=False), state, views)
    elif form.is_table:
        from prt.views.sinks.screen import ScreenOutput, ScreenSettings

        settings = ScreenSettings(
            host=host,
            highlight=form.highlight,
            has_color=form.has_color,
            keys=keys,
            views_of=views_of,
            notes=notes,
            export=form.export,
            keep=form.keep,
            controls=controls,
        )
        with ScreenOutput(settings, shown_time=shown_time) as screen:
            yield _batched(screen, form, keys)
    else:
        lines = _lines(form)
        yield _batched(
            lines if form.export is None else _pictured(lines, form, host, keys, views_of), form, keys
        )


def is_terminal() -> bool:
    """Return whether standard output is a terminal that a person looks at."""
    return terminal.is_terminal(sys.stdout)


def may_draw() -> bool:
    """Return whether a screen can be drawn on standard output."""
    return terminal.may_draw(sys.stdout)


def _lines(form: Form) -> LineOutput:
    if form.kind is OutputForm.JSON and form.encode is None:
        from prt.views.sinks.output import JsonOutput

        return JsonOutput(STDOUT, only=form.only)
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
    from prt.config.environment import environment
    from prt.state.screen import Screen
    from prt.views.panels.table import Table
    from prt.views.sinks.svg import HEIGHT, Pictured

    assert form.export is not None  # noqa: S101 - a picture needs a path
    state = Screen(keys=keys)
    views = [Table(state, highlight=form.highlight)] if views_of is None else views_of(state)
    variables = environment()
    size = (_number(variables.get("COLUMNS"), PICTURE_COLUMNS), _number(variables.get("LINES"), HEIGHT))
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
