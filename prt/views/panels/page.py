"""The whole screen of a live view: the head, the views, overlays such as the details, and the foot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import Final, Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from prt.inputs import Input
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.state.viewport.kinds import KIND_OF, Overlay
from prt.state.viewport.viewport import Viewport
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import counted
from prt.views.drawing.lines import line_of
from prt.views.panels.active import ActiveViews, Other
from prt.views.panels.foot import notes_of, state_of
from prt.views.panels.head import head
from prt.views.panels.inspection import FOLDED, Inspected, inspection_lines
from prt.views.panels.keys import HALTED, LIST, PLAYED, Hint, foot, help_lines
from prt.views.panels.layout import arranged
from prt.views.panels.view import View

_OF_EVENTS: Final = {
    Intent.FILTER: "f filters lists of events",
    Intent.CLEAR: "x clears lists of events",
    **dict.fromkeys(KIND_OF, "c b p s switch the kinds of lists of events"),
}
"""Messages for keys that only work in a list of events."""

_WRITING: Final = {
    Intent.MOVE_LEFT: "< moves a card of a board",
    Intent.MOVE_RIGHT: "> moves a card of a board",
    Intent.MARK_READ: "r marks a notification as read",
}
"""Messages for keys that write, if the active view has nothing to write."""

_SEARCHES: Final = frozenset({Intent.SEARCH, Intent.NEXT, Intent.PREVIOUS})
_MOVES: Final = frozenset(
    {
        *(Intent.UP, Intent.DOWN, Intent.LEFT, Intent.RIGHT),
        *(Intent.PAGE_UP, Intent.PAGE_DOWN, Intent.HOME, Intent.END),
    }
)


class Bar(Protocol):
    """A line that shows the position in a recording."""

    @property
    def is_halted(self) -> bool:
        """Whether the replay is paused."""
        ...

    def line(self, width: int) -> Text:
        """Return the line in at most `width` cells."""
        ...


class Page:
    """A Rich renderable that draws the current state.

    Attributes:
        now: The time to draw (µs).
        has_keys: Whether the foot shows the keys.
        can_edit: Whether keys may write.
        bar: The position in a recording, if one is played.
        message: A text for the foot, which stays until the next key.
    """

    def __init__(
        self,
        screen: Screen,
        views: Sequence[View],
        *,
        others: Sequence[Other] = (),
        title: str = "",
        notes: Collection[str] = (),
        tz: tzinfo | None = None,
    ) -> None:
        self.now = 0
        self.has_keys = False
        self.can_edit = False
        self.bar: Bar | None = None
        self.message = ""
        self.views = ActiveViews(screen, views, others)
        self._screen = screen
        self._title = safe(title)
        self._further_notes = notes
        self._tz = tz
        self._body: list[Text] = []
        self._head_width, self._head_lines = 0, 0
        """The width of the last head, and its lines; figures that become shorter leave a line empty."""
        self._paused: tuple[int, int] | None = None
        """The number of events before the pause, and when it began (µs); None if there is no pause."""
        self._folded = FOLDED
        self._details: tuple[tuple[Inspected, int, int], list[Text]] | None = None
        """What was opened last, with its width and depth, and its lines: 1 MB takes 0.1 s to lay out."""
        self._is_moved = False
        self._has_own_head = all(getattr(view, "has_own_head", False) for view in views)

    @property
    def active(self) -> View:
        """The view that keys act on."""
        return self.views.active

    @property
    def viewport(self) -> Viewport:
        """The state of the active view: what is searched, typed, opened and paused."""
        return self.views.viewport

    def show_view(self, number: int) -> bool:
        """Show a view alone, by its number from 0. Return whether there is such a view."""
        self._is_moved = True
        is_there = self.views.show(number)
        self._let_edit()
        return is_there

    def show_next_view(self) -> bool:
        """Show the next view alone; after the last one, show the views that were asked for.

        Returns:
            Whether there is more than one view.
        """
        self._is_moved = True
        self.views.show_next()
        self._let_edit()
        return len(self.views.names()) > 1

    def touch(self) -> None:
        """Lay the views out again at the next drawing, even while they are paused."""
        self._is_moved = True

    def allow_editing(self) -> None:
        """Show the keys that write."""
        self.can_edit = True
        self._let_edit()

    def take_over(self, former: Page) -> None:
        """Show the same view and message as another page."""
        self.views.take_over(former.views)
        self.message = former.message
        self._let_edit()

    def accept(self) -> None:
        """End the typing, and select the first match if it was a search."""
        self._is_moved = True
        listed = self.views.listed
        is_search = self.viewport.accept(selects=listed is None)
        if is_search and listed is not None:
            listed.find(self.viewport.query, includes_selected=True)

    def press(self, intent: Intent) -> bool:
        """Handle a key. Return whether the page or one of its views handles it."""
        self._is_moved = True
        self.message = ""
        if self.viewport.overlay is Overlay.DETAILS and intent in (Intent.LEFT, Intent.RIGHT):
            self._folded = max(self._folded + (1 if intent is Intent.RIGHT else -1), 1)
            return True
        was_paused = self.viewport.paused_at is not None
        is_done = self._pressed(intent)
        if self.viewport.overlay is None and self.views.listed is not None:
            self.views.listed.opened = None
        if (self.viewport.paused_at is not None) != was_paused:
            self._paused = None if was_paused else (self._screen.events, self.now)
            self.views.pause_all()
        return is_done

    def inspected(self) -> Inspected | None:
        """Return the details of what is selected in the active view; None if the view has no details."""
        own = getattr(self.active, "inspected", None)
        found: Inspected | None = None if own is None else own()
        return found

    def _pressed(self, intent: Intent) -> bool:
        viewport, listed = self.viewport, self.views.listed
        if intent in _WRITING:
            self.message = self._refused(_WRITING[intent])
            return True
        if intent in _SEARCHES and listed is None and not self.views.is_list:
            self.message = "there is nothing to search"
            return True
        if intent in (Intent.NEXT, Intent.PREVIOUS) and not viewport.query:
            self.message = "no search: / starts one"
            return True
        if intent is Intent.OPEN and viewport.overlay is None and self.inspected() is None:
            self.message = "there is nothing to open"
            return True
        if self.views.is_list:
            cleared = len(viewport.listed()) if intent is Intent.CLEAR else 0
            is_done = viewport.apply(intent)
            if is_done and intent is Intent.CLEAR:
                self.message = f"{counted(cleared, 'event')} cleared"
            return is_done
        if listed is not None and intent in (Intent.NEXT, Intent.PREVIOUS):
            listed.find(viewport.query, is_next=intent is Intent.NEXT)
            viewport.overlay_top = 0
            return True
        if viewport.overlay is not None:
            return viewport.apply(intent)
        if intent is Intent.BACK and viewport.query:
            viewport.end_search()
            return True
        if listed is not None and listed.press(intent):
            return True
        if intent is Intent.OPEN:
            if listed is not None:
                listed.opened = listed.selected
            viewport.overlay, viewport.overlay_top = Overlay.DETAILS, 0
            return True
        if intent in _OF_EVENTS:
            self.message = _OF_EVENTS[intent]
            return True
        if intent in _MOVES or intent is Intent.BACK:
            return True
        return viewport.apply(intent)

    def _refused(self, what: str) -> str:
        """Return why a key that writes has no effect here."""
        if self.bar is not None:
            return f"{what}, and a recording can't be changed"
        return what if self.can_edit else f"{what} with {Input.EDIT}"

    def _let_edit(self) -> None:
        for view in {id(one): one for one in (*self.views.asked, self.active)}.values():
            if self.can_edit and hasattr(view, "can_edit"):
                view.can_edit = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.lines(options.max_width, options.height or options.max_height)

    def lines(self, width: int, height: int) -> list[Text]:
        """Return the screen in at most `height` lines of at most `width` cells."""
        came = None if self._paused is None else self._screen.events - self._paused[0]
        top = (
            []
            if self._has_own_head
            else head(
                self._screen,
                self._title,
                self.now,
                width,
                self._tz,
                came_while_paused=came,
                least=self._head_lines if width == self._head_width and not self._screen.reason else 0,
            )
        )
        if not self._screen.reason:  # which takes further lines, but not for long
            self._head_width, self._head_lines = width, len(top)
        below = [*notes_of(self._screen, self._further_notes, width, height // 3), *self._keys(width)]
        room = max(height - len(top) - len(below), 0)
        body = self._overlay(width, room) if self.viewport.overlay else None
        if body is None:
            if came is None or self._is_moved or len(self._body) != room:
                self._body = self._arranged(width, room, is_numbered=self.has_keys)
            self._is_moved = False
            body = [_cropped(line, width) for line in self._body[:room]]
        space = [Text("")] * (room - len(body)) if below else []
        return [*top, *body, *space, *below][:height]

    def last_lines(self, width: int, height: int) -> list[Text]:
        """Return the newest content of the views for the end, without a head or a foot."""
        self._paused = None
        for view in self.views.shown:
            if hasattr(view, "viewport"):
                view.viewport.follow()
        lines = self._arranged(width, height, is_numbered=False)
        while lines and not lines[-1].plain.strip():
            lines.pop()
        return [_cropped(line, width) for line in lines]

    def _arranged(self, width: int, height: int, *, is_numbered: bool) -> list[Text]:
        """Return the views with the matches of a search highlighted; lists of events highlight their own."""
        now = self.now if self._paused is None else self._paused[1]
        lines = arranged(self.views.shown, width, height, now, is_numbered=is_numbered)
        pattern = self.viewport.query.pattern
        if pattern is None or self.views.listed is None:
            return lines
        lit = [line.copy() for line in lines]
        for line in lit:
            line.highlight_regex(pattern, "bold underline")
        return lit

    def _overlay(self, width: int, height: int) -> list[Text]:
        """Return the lines of the help or the details, at their scroll position."""
        viewport = self.viewport
        if viewport.overlay is Overlay.HELP:
            title = "keys"
            lines = help_lines(
                width,
                is_replay=self.bar is not None,
                can_edit=self.can_edit,
                has_lists=self.views.has_lists,
                views=self.views.names(),
                own=getattr(self.active, "help", ()),
            )
        else:
            title, one = "details", self.inspected()
            gone = [line_of("it is no longer kept", width, "italic")]
            lines = gone if one is None else self._lines_of(one, width)
        room = max(height - 1, 0)
        first = max(min(viewport.overlay_top, len(lines) - room), 0)
        viewport.overlay_top = first
        below = len(lines) - first - room
        more = (
            f" {first + 1:,} to {len(lines) - max(below, 0):,} of {len(lines):,} lines"
            if below > 0 or first
            else ""
        )
        rule = Text(f"── {title}{more} ", "bold", no_wrap=True, overflow="crop")
        rule.append("─" * max(width - rule.cell_len, 0))
        return [rule, *lines[first : first + room]][:height]

    def _lines_of(self, one: Inspected, width: int) -> list[Text]:
        form = (one, width, self._folded)
        if self._details is None or self._details[0] != form:
            self._details = (form, inspection_lines(one, width, self._folded))
        return self._details[1]

    def _keys(self, width: int) -> list[Text]:
        """Return the foot: what is typed or the message, the bar of a recording, and the keys.

        A view with its own head names its keys itself.
        """
        if not self.has_keys:
            return []
        viewport, listed = self.viewport, self.views.listed
        position = viewport.position() if listed is None else listed.position(viewport.query, self.now)
        lines = state_of(viewport, width, self.message, is_list=self.views.is_list, position=position)
        if self.bar is not None:
            lines.append(self.bar.line(width))
        hints: tuple[Hint, ...] = () if listed is None else listed.hints
        if self.bar is not None and listed is not None:  # the arrows to the sides seek
            hints = tuple((keys.replace("←→", " h l"), what) for keys, what in hints)
            hints = () if listed.selected is None else hints
        if self._has_own_head:
            if self._paused is not None:
                lines.append(line_of("‖ paused: space goes on", width, "bold reverse"))
            return [*lines, foot(viewport, width)] if viewport.overlay is not None else lines
        usual = LIST
        if self.bar is not None:
            usual = HALTED if self.bar.is_halted else PLAYED
        return [*lines, foot(viewport, width, hints, usual)]


def _cropped(line: Text, width: int) -> Text:
    """Return a line cropped to the width, in case the terminal became narrower since it was drawn."""
    if line.cell_len > width:
        line = line.copy()
        line.truncate(width)
    return line
