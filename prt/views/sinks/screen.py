"""The live view on a terminal: it's drawn on the alternate screen, at most ten times a second.

At the end the terminal is restored, and a summary is printed to standard error. The terminal is also restored
while the process is stopped (Ctrl-Z) or in the background. If the screen can't be drawn on (a pipe, a dumb
terminal), the changes are appended line by line.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from types import TracebackType

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from prt.clock import wall_clock
from prt.config.terminal import is_terminal
from prt.errors import ReaderGoneError
from prt.events import Change, End, Event, Rewound
from prt.state.conditions.pattern import Pattern
from prt.state.newest import KEPT, NEWEST
from prt.state.rows.cache import Table as TableName
from prt.state.screen import Screen
from prt.views.panels.active import Other
from prt.views.panels.dispatch import Sharing
from prt.views.panels.page import Page
from prt.views.panels.registry import ChosenViews
from prt.views.panels.summary import summary
from prt.views.panels.table import Table, heading, widest_of
from prt.views.panels.view import View
from prt.views.sinks.output import KeyHandler
from prt.views.terminal.console import is_in_foreground, terminal_console
from prt.views.terminal.interaction import Controls, Interaction
from prt.views.terminal.painter import Painter

REDRAW = 100_000
"""The least time between two drawings (µs)."""

ENTER, LEAVE = "\x1b[?1049h\x1b[H\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The sequences that enter the alternate screen and hide the cursor, and that undo both."""

IDLE_REDRAW = 1_000_000
"""How long until a screen without new events is drawn again (µs), because its rates fall."""

WHOLE_REDRAW = 10_000_000
"""How long until every line is written again (µs): another program may have overwritten the screen."""


_SUMMARY_LINES = 8
"""Lines that are kept for the summary below the last rows."""


class ScreenSettings(Struct, frozen=True, kw_only=True):
    """The settings of a screen.

    Attributes:
        host: The project's host, for the head.
        highlight: What the table of events marks.
        has_color: Whether to use colours; if None, the terminal and NO_COLOR decide.
        keys: The key columns by (schema, table).
        views_of: Builds the views that share the screen; None is the table of events.
        notes: Lines for the foot, read at each drawing.
        tz: The time zone of displayed times; None is the local one.
        export: The SVG file that the last screen is saved to.
        keep: How many events can be scrolled back to.
        has_keys: Whether a person types; None asks standard input.
        controls: Actions of keys beyond the views.
    """

    host: str = ""
    highlight: Sequence[Pattern] = ()
    has_color: bool | None = None
    keys: Mapping[TableName, tuple[str, ...]] | None = None
    views_of: Callable[[Screen], Sequence[View]] | None = None
    notes: Collection[str] = ()
    tz: tzinfo | None = None
    export: Path | None = None
    keep: int = KEPT
    has_keys: bool | None = None
    controls: Controls | None = None


class ScreenOutput:
    """An output that draws a screen on the terminal; the first `drain` draws first."""

    def __init__(
        self,
        settings: ScreenSettings,
        *,
        console: Console | None = None,
        errors: Console | None = None,
        clock: Callable[[], int] = wall_clock,
        shown_time: Callable[[], int] | None = None,
    ) -> None:
        """Prepare the screen.

        Args:
            settings: The settings of the screen.
            console: The console to draw on; None is standard output.
            errors: The console for the summary; None is standard error.
            clock: Returns µs since the epoch.
            shown_time: Returns the time that the screen shows as now (µs), if it isn't the present.
        """
        self._settings = settings
        self._console = console or terminal_console(settings.has_color, is_stderr=False)
        self._errors = errors or terminal_console(settings.has_color, is_stderr=True)
        # With FORCE_COLOR, Rich treats a pipe as a terminal: it may get colours, but not a screen.
        self._is_drawn_over = (
            is_terminal(self._console.file)
            and self._console.is_interactive
            and not self._console.is_dumb_terminal
        )
        self._clock = clock
        self._shown_time = shown_time or clock
        self._painter = Painter(self._console)
        self._is_drawing = False
        self._whole_at: int | None = None
        self._drawn_at: int | None = None
        self._drawn_size = self._console.size
        self._is_dirty = True
        self._is_suspended = False
        self._has_heading = False
        self._appended = 0  # how many of the screen's entries were appended
        self._build()

    def _build(self) -> None:
        """Create the state and its views, without any events."""
        settings = self._settings
        self.screen = Screen(keys=settings.keys, keep=settings.keep if self._is_drawn_over else NEWEST)
        self._table = Table(self.screen, tz=settings.tz, highlight=settings.highlight)
        views_of = settings.views_of
        self._views: list[View] = [self._table] if views_of is None else list(views_of(self.screen))
        self._sharing = Sharing(self.screen, self._views)
        makers = views_of.others() if isinstance(views_of, ChosenViews) else {}
        self._page = Page(
            self.screen,
            self._views,
            others=[Other(name, self._joining(make)) for name, make in makers.items()],
            title=settings.host,
            notes=settings.notes,
            tz=settings.tz,
        )
        is_typed = is_terminal(sys.stdin)
        self._page.has_keys = self._is_drawn_over and (
            is_typed if settings.has_keys is None else settings.has_keys
        )
        if settings.controls is not None:
            settings.controls.attach(self._page)
        self._interaction = Interaction(
            self.screen,
            self._page,
            write=self._send,
            size=lambda: (self._console.size.width, self._console.size.height),
            redraw=self._painter.forget,
            controls=settings.controls,
        )

    def _joining(self, make: Callable[[Screen], View]) -> Callable[[], View]:
        """Return a function that builds a view and passes it the events that are kept."""
        screen, sharing = self.screen, self._sharing

        def made() -> View:
            view = make(screen)
            sharing.add(view)
            return view

        return made

    def _rewind(self) -> None:
        """Drop all events, but keep the search, the filter, and the view that is shown."""
        page = self._page
        self._build()
        self._page.take_over(page)

    @property
    def pending(self) -> int:
        """1 if the screen has to be drawn again, otherwise 0."""
        return int(self._is_dirty)

    @property
    def keys(self) -> KeyHandler | None:
        """The handler of keys; None if the page has no keys."""
        return self if self._page.has_keys else None

    def press(self, name: str, *, is_text: bool = False) -> bool:
        """Handle a key. Return False if the key ends the watch."""
        self._is_dirty = True
        is_going_on = self._interaction.press(name, is_text=is_text)
        self._sharing.hold(is_held=self._page.viewport.paused_at is not None)
        return is_going_on

    def answer(self) -> None:
        """Draw at once what the keys changed."""
        if self._is_drawing and self._is_at_hand():
            self._draw(self._clock())

    def fileno(self) -> int:
        """Return the file descriptor of the terminal."""
        return self._console.file.fileno()

    def __enter__(self) -> ScreenOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.restore()

    def write(self, event: Event) -> None:
        """Apply an event to the screen."""
        if type(event) is Change:
            self.note(event)
        elif type(event) is Rewound:
            self._rewind()
            return
        self.show(event)

    def note(self, change: Change) -> None:
        """Count a change."""
        self._sharing.note(change)
        self._is_dirty = True

    def show(self, event: Event) -> None:
        """Apply an event that was counted before."""
        self._sharing.show(event)
        self._is_dirty = True
        if self._settings.controls is not None:
            self._settings.controls.observe(event)
        if not self._is_drawn_over and self.screen.entries - self._appended >= NEWEST:
            self._append()  # the screen keeps only the newest entries

    def drain(self) -> bool:
        """Draw the screen if a drawing is due. Return True, because nothing is left to wait for."""
        if not self._is_drawn_over:
            self._append()
            return True
        if not self._is_at_hand():
            return True
        now, size = self._clock(), self._console.size
        since = REDRAW if self._drawn_at is None else now - self._drawn_at
        is_changed = self._is_dirty or size != self._drawn_size or since >= IDLE_REDRAW
        if is_changed and not 0 <= since < REDRAW:
            self._draw(now)
        return True

    def flush(self) -> None:
        """Draw at once, or append the new rows if the screen can't be drawn on."""
        if not self._is_drawn_over:
            self._append()
        elif self._is_at_hand():
            self._draw(self._clock())

    def close(self, end: End) -> None:
        """Restore the terminal, and print the last rows and the summary."""
        self._sharing.hold(is_held=False)
        self.write(end)
        self._append()
        was_drawn = self._drawn_at is not None
        self.restore()
        self._save()
        if was_drawn:
            self._leave_rows()
        try:
            own = [line for view in self._views for line in view.summary()]
            for line in (*summary(self.screen, title=self._settings.host), *own):
                self._errors.print(Text(line), soft_wrap=True)
        except (OSError, ReaderGoneError):  # nobody reads it any more
            return

    def _leave_rows(self) -> None:
        """Print the last rows above the summary, so that they stay visible."""
        size = self._console.size
        try:
            for line in self._page.last_lines(size.width, max(size.height - _SUMMARY_LINES, 1)):
                self._console.print(line, soft_wrap=True)
        except (OSError, ReaderGoneError):  # the terminal is gone
            return

    def _save(self) -> None:
        if self._settings.export is not None:
            from prt.views.sinks.svg import save  # noqa: PLC0415 - only if a picture was asked for

            save(self._settings.export, self._page, *self._console.size, self._shown_time())

    def restore(self) -> None:
        """Restore the terminal; further calls have no effect."""
        if not self._is_drawing:
            return
        self._is_drawing, self._whole_at = False, None
        atexit.unregister(self.restore)
        try:
            self._console.file.write(LEAVE)
            self._console.file.flush()
        except (OSError, ReaderGoneError):  # the terminal is gone, and nothing is left to restore
            return

    def suspend(self) -> None:
        """Restore the terminal before the process is stopped.

        The view returns at the first `drain` at which the process is in the foreground: at once after `fg`,
        but not after `bg`.
        """
        if self._is_drawn_over:
            self.restore()
            self._is_suspended = True

    def resume(self) -> None:
        """Draw the whole view again after the process was continued (SIGCONT)."""
        self.suspend()

    def _is_at_hand(self) -> bool:
        if self._is_suspended and is_in_foreground(self._console.file):
            self._is_suspended, self._drawn_at, self._is_dirty = False, None, True
        return not self._is_suspended

    def _draw(self, now: int) -> None:
        self._page.now = self._shown_time()
        size = self._console.size
        self._drawn_at, self._drawn_size, self._is_dirty = now, size, False
        if self._whole_at is None or not 0 <= now - self._whole_at < WHOLE_REDRAW:
            self._whole_at = now
            self._painter.forget()
        frame = self._painter.paint(self._page.lines(size.width, size.height), (size.width, size.height))
        try:
            if not self._is_drawing:
                self._is_drawing = True
                atexit.register(self.restore)
                self._console.file.write(ENTER)
            if frame:
                self._send(frame)
        except OSError as exc:
            raise ReaderGoneError from exc

    def _send(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()

    def _append(self) -> None:
        count = self.screen.entries - self._appended
        if self._is_drawn_over or not count:
            return
        self._appended += count
        widths = widest_of(self._console.width)
        if not self._has_heading:
            self._has_heading = True
            self._console.print(heading(widths), soft_wrap=True)
        for entry in reversed(self.screen.lines(count)):
            self._console.print(self._table.row(entry, widths), soft_wrap=True)
