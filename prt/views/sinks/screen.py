"""The live view on a terminal: drawn on the alternate screen, at most ten times a second whatever comes.

At its end the terminal is as it was, and a summary stands on standard error; so it is while the process is
stopped (Ctrl-Z) or goes on in the background. Where the screen can't be drawn over (a pipe, a dumb terminal)
the changes are appended line by line.
"""

from __future__ import annotations

import atexit
import re
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
"""µs between two drawings, at least."""

ENTER, LEAVE = "\x1b[?1049h\x1b[H\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The alternate screen without a cursor, and back."""

IDLE_REDRAW = 1_000_000
"""µs until a screen on which nothing happened is drawn again: its rate falls."""

WHOLE_REDRAW = 10_000_000
"""µs until every line is written again: another program may have written over the screen."""


_SUMMARY_LINES = 8
"""Lines that are left for the summary below the last rows."""


class ScreenSettings(Struct, frozen=True, kw_only=True):
    """The settings of a screen: what it shows, and how.

    Attributes:
        host: The project's, for the head.
        highlight: What the table of events marks.
        has_color: None is as the terminal and NO_COLOR say.
        keys: The key columns by (schema, table).
        views_of: Makes the views that share the screen from what its head knows; None is the table of events.
        notes: Lines for the foot, read at each drawing.
        tz: The zone of the times that are shown; None is local.
        export: Where the last screen is drawn to.
        keep: How many events can be scrolled back to.
        has_keys: Whether somebody types; None is as standard input says.
        controls: What keys do beyond the view.
    """

    host: str = ""
    highlight: Sequence[re.Pattern[str]] = ()
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
    """An Output that draws the screen of the settings; nothing is drawn before the first `drain`."""

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
            settings: What is shown, and how.
            console: Where the screen is drawn; None is standard output.
            errors: Where the summary goes at the end; None is standard error.
            clock: Gives µs since the epoch.
            shown_time: What the screen takes for now (µs), if that is another time.
        """
        self._settings = settings
        self._console = console or terminal_console(settings.has_color, is_stderr=False)
        self._errors = errors or terminal_console(settings.has_color, is_stderr=True)
        # FORCE_COLOR makes Rich take a pipe for a terminal: colours may go there, a screen may not.
        self._is_drawn_over = (
            is_terminal(self._console.file)
            and self._console.is_interactive
            and not self._console.is_dumb_terminal
        )
        self._clock = clock
        self._shown_time = shown_time or clock
        self._painter = Painter(self._console)
        self._is_taken = False
        self._whole_at: int | None = None
        self._drawn_at: int | None = None
        self._drawn_size = self._console.size
        self._is_dirty = True
        self._is_suspended = False
        self._has_heading = False
        self._appended = 0  # of the screen's entries
        self._build()

    def _build(self) -> None:
        """Make the state and its views, with nothing seen yet."""
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
        """Return what makes a view of this screen and hands it what was kept."""
        screen, sharing = self.screen, self._sharing

        def made() -> View:
            view = make(screen)
            sharing.add(view)
            return view

        return made

    def _rewind(self) -> None:
        """Forget what was seen, but not what is searched for, filtered, and looked at."""
        page = self._page
        self._build()
        self._page.take_over(page)

    @property
    def pending(self) -> int:
        """Return 1 if the screen has to be drawn again, else 0."""
        return int(self._is_dirty)

    @property
    def keys(self) -> KeyHandler | None:
        """Return what takes the keys, None if the page has no use for them."""
        return self if self._page.has_keys else None

    def press(self, name: str, *, is_text: bool = False) -> bool:
        """Take a key."""
        self._is_dirty = True
        is_going_on = self._interaction.press(name, is_text=is_text)
        self._sharing.hold(is_held=self._page.viewport.paused_at is not None)
        return is_going_on

    def answer(self) -> None:
        """Draw at once what the keys have changed."""
        if self._is_taken and self._is_at_hand():
            self._draw(self._clock())

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._console.file.fileno()

    def __enter__(self) -> ScreenOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.restore()

    def write(self, event: Event) -> None:
        """Take in an event."""
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
        """Take in an event that was counted."""
        self._sharing.show(event)
        self._is_dirty = True
        if self._settings.controls is not None:
            self._settings.controls.seen(event)
        if not self._is_drawn_over and self.screen.entries - self._appended >= NEWEST:
            self._append()  # the screen's memory of the newest is short

    def drain(self) -> bool:
        """Draws if it is time to; never leaves anything to wait for."""
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
        """Draw now, or append the new rows if nothing is drawn over."""
        if not self._is_drawn_over:
            self._append()
        elif self._is_at_hand():
            self._draw(self._clock())

    def close(self, end: End) -> None:
        """Give the terminal back, with the last rows and the summary on it."""
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
        except (OSError, ReaderGoneError):  # nobody is left to be told
            return

    def _leave_rows(self) -> None:
        """Leave the last rows above the summary: what came last has been seen, and can be scrolled to."""
        size = self._console.size
        try:
            for line in self._page.last_lines(size.width, max(size.height - _SUMMARY_LINES, 1)):
                self._console.print(line, soft_wrap=True)
        except (OSError, ReaderGoneError):  # the terminal is gone
            return

    def _save(self) -> None:
        if self._settings.export is not None:
            from prt.views.sinks.svg import save  # noqa: PLC0415 - only where one is asked for

            save(self._settings.export, self._page, *self._console.size, self._shown_time())

    def restore(self) -> None:
        """The terminal as it was; again and again does no harm."""
        if not self._is_taken:
            return
        self._is_taken, self._whole_at = False, None
        atexit.unregister(self.restore)
        try:
            self._console.file.write(LEAVE)
            self._console.file.flush()
        except (OSError, ReaderGoneError):  # the terminal is gone, and nothing is left to restore
            return

    def suspend(self) -> None:
        """Give the terminal back to the shell before the process stops.

        The view comes back by itself at the first `drain` at which the terminal is ours again: at once after
        `fg`, and not after `bg`.
        """
        if self._is_drawn_over:
            self.restore()
            self._is_suspended = True

    def resume(self) -> None:
        """Draw the whole view again after the process goes on (SIGCONT)."""
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
            if not self._is_taken:
                self._is_taken = True
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
