"""The whole screen of a live view: the head, the views below it, and at the foot what needs attention."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from prt.inputs import Input
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.state.viewport.kinds import Kind, Overlay
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.figures import counted, table_name
from prt.views.panels.head import head
from prt.views.panels.inspection import FOLDED, Inspected, inspection_lines
from prt.views.panels.keys import LIST, PLAYED, Hint, foot, help_lines
from prt.views.panels.layout import arranged
from prt.views.panels.table import Table
from prt.views.panels.view import View


class Bar(Protocol):
    """Where one is in a recording, as a line."""

    def line(self, width: int) -> Text: ...


class Page:
    """A Rich renderable of the state as it is when it is drawn; `now` in µs, `tz` None is local.

    `has_keys` adds the foot with the keys; `message` stands there until the next key.
    """

    def __init__(
        self,
        screen: Screen,
        views: Sequence[View],
        *,
        title: str = "",
        notes: Collection[str] = (),
        tz: tzinfo | None = None,
    ) -> None:
        self.now = 0
        self.has_keys = False
        self.can_edit = False
        self.bar: Bar | None = None
        self.message = ""
        self._screen = screen
        self._views = views
        self._active: int | None = None if len(views) > 1 else 0
        self._title = safe(title)
        self._said = notes
        self._tz = tz
        self._body: list[Text] = []
        self._events_before: int | None = None
        self._folded = FOLDED
        self._is_moved = False
        self._has_own_head = all(getattr(view, "has_own_head", False) for view in views)

    @property
    def active(self) -> View:
        """The view that the keys act on: the one that is shown alone, else the first."""
        return self._views[self._active or 0]

    @property
    def shown(self) -> Sequence[View]:
        """The views that are drawn: one that was chosen, or all that share the screen."""
        return self._views if self._active is None else [self.active]

    def show_view(self, number: int) -> bool:
        """Show one of the views alone, by its place from 0; the same again shows all of them."""
        if number >= len(self._views):
            return False
        is_same = self._active == number and len(self._views) > 1
        self._active = None if is_same else number
        self._is_moved = True
        return True

    def show_next_view(self) -> None:
        """Show the next view alone; after the last one, all that share the screen."""
        count = len(self._views)
        following = 0 if self._active is None else self._active + 1
        self._active = following if following < count else (None if count > 1 else 0)
        self._is_moved = True

    def touch(self) -> None:
        """Lay the views out again at the next drawing, also while they are paused."""
        self._is_moved = True

    def allow_editing(self) -> None:
        """Show the keys that write."""
        self.can_edit = True
        for view in self._views:
            if hasattr(view, "can_edit"):
                view.can_edit = True

    def take_over(self, former: Page) -> None:
        """Show the view that another page showed."""
        self._active, self.message = former._active, former.message

    def press(self, intent: Intent) -> bool:
        """Do what a key asks. Return whether it was anything that the page or its views can do."""
        viewport = self._screen.viewport
        self._is_moved = True
        self.message = ""
        if viewport.overlay is Overlay.DETAILS and intent in (Intent.LEFT, Intent.RIGHT):
            self._folded = max(self._folded + (1 if intent is Intent.RIGHT else -1), 1)
            return True
        was_paused = viewport.paused_at is not None
        is_done = self._pressed(intent)
        if (viewport.paused_at is not None) != was_paused:
            self._events_before = None if was_paused else self._screen.events
        return is_done

    def _pressed(self, intent: Intent) -> bool:
        viewport, own = self._screen.viewport, getattr(self.active, "press", None)
        if viewport.overlay is not None:
            return viewport.apply(intent)
        if own is not None and own(intent):
            return True
        if intent is Intent.OPEN and not isinstance(self.active, Table):
            if self.inspected() is not None:
                viewport.overlay, viewport.overlay_top = Overlay.DETAILS, 0
            return True
        return viewport.apply(intent)

    def inspected(self) -> Inspected | None:
        """Return what is selected in the active view; None if it can't be opened."""
        own = getattr(self.active, "inspected", None)
        found: Inspected | None = None if own is None else own()
        return found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.lines(options.max_width, options.height or options.max_height)

    def lines(self, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` cells."""
        before = self._events_before
        came = None if before is None else self._screen.events - before
        top = (
            []
            if self._has_own_head
            else head(self._screen, self._title, self.now, width, self._tz, came_while_paused=came)
        )
        below = [*_foot(self._screen, self._said, width, height // 3), *self._keys(width)]
        room = max(height - len(top) - len(below), 0)
        body = self._overlay(width, room) if self._screen.viewport.overlay else None
        if body is None:
            if came is None or self._is_moved or len(self._body) != room:
                self._body = arranged(self.shown, width, room, self.now)
            self._is_moved = False
            body = [_cropped(line, width) for line in self._body[:room]]
        space = [Text("")] * (room - len(body)) if below else []
        return [*top, *body, *space, *below][:height]

    def last_lines(self, width: int, height: int) -> list[Text]:
        """Return the newest of the views, without a head or a foot, as they are left at the end."""
        self._screen.viewport.follow()
        lines = arranged(self.shown, width, height, self.now)
        while lines and not lines[-1].plain.strip():
            lines.pop()
        return [_cropped(line, width) for line in lines]

    def _overlay(self, width: int, height: int) -> list[Text]:
        """Return the lines that lie over the view, scrolled to where one is."""
        viewport = self._screen.viewport
        if viewport.overlay is Overlay.HELP:
            title = "keys"
            lines = help_lines(width, is_replay=self.bar is not None, can_edit=self.can_edit)
        else:
            title, one = "details", self.inspected()
            gone = [_line("it is no longer kept", width, "italic")]
            lines = gone if one is None else inspection_lines(one, width, self._folded)
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

    def _keys(self, width: int) -> list[Text]:
        """Return the line that is being typed or what one has to know, the bar, and the keys."""
        if not self.has_keys or self._has_own_head:
            return []
        viewport = self._screen.viewport
        lines: list[Text] = []
        state = self._state(width)
        if state is not None:
            lines.append(state)
        if self.bar is not None:
            lines.append(self.bar.line(width))
        hints: tuple[Hint, ...] = getattr(self.active, "hints", ())
        return [*lines, foot(viewport, width, hints, LIST if self.bar is None else PLAYED)]

    def _state(self, width: int) -> Text | None:
        """Return how the list is searched, filtered and scrolled; None if there is nothing to say."""
        viewport = self._screen.viewport
        prompt = viewport.prompt
        if prompt is None and self.message:
            return _line(self.message, width, "bold")
        parts = []
        if viewport.query:
            place, count = viewport.position()
            found = f"{place:,} of {count:,}" if place else counted(count, "match", "matches")
            parts.append(f"/{viewport.query.text}  {found}" if prompt is None else found)
        if viewport.is_narrowed:
            if viewport.filter and prompt is None:
                parts.append(f"filter: {viewport.filter.text}")
            missing = [kind.value for kind in Kind if kind not in viewport.kinds]
            parts += [f"without {', '.join(missing)}"] if missing else []
            parts.append(f"{viewport.hidden:,} hidden")
        if prompt is None and not viewport.is_following and isinstance(self.active, Table):
            parts.append(f"↑ {viewport.newer():,} newer")
        if prompt is not None:
            label = "/" if prompt.intent is Intent.SEARCH else "filter: "
            typed = _tail(safe(label + prompt.text), max(width - 30, 10))
            line = Text(typed, "bold", no_wrap=True, overflow="crop").append("▏")
            line.append("  " + " · ".join(parts), "not bold") if parts else None
            line.truncate(width)
            return line
        return _line(" · ".join(parts), width, "bold") if parts else None


def _tail(text: str, width: int) -> str:
    """Return the end of what is being typed."""
    return text if len(text) <= width else "…" + text[1 - width :]


def _cropped(line: Text, width: int) -> Text:
    """What was drawn for another width, where a terminal grew narrower meanwhile."""
    if line.cell_len > width:
        line = line.copy()
        line.truncate(width)
    return line


def _foot(screen: Screen, said: Collection[str], width: int, most: int) -> list[Text]:
    notes = [*_notes(screen, width), *(_line(f"! {one}", width) for one in said)]
    if len(notes) > most > 0:
        notes = [*notes[: most - 1], _line(f"  and {len(notes) - most + 1} lines more", width)]
    return notes


def _notes(screen: Screen, width: int) -> list[Text]:
    notes: list[Text] = []
    for refusal in screen.refused.values():
        notes.append(_line(f"✗ {refusal.table}: {refusal.reason or 'refused'}", width, "bold red"))
        if refusal.hint:
            notes += _lines(f"hint: {refusal.hint}", width)
    if screen.last_malformed is not None:
        notes.append(_line(f"! unreadable frame: {screen.last_malformed.reason}", width, "bold"))
    for schema, table in sorted(screen.keyless):
        notes.append(_line(f"! {table_name(schema, table)}: no key known, {Input.KEY} names it", width))
    return notes


def _line(text: str, width: int, style: str = "") -> Text:
    return Text(cut(safe(text), width), style, no_wrap=True, overflow="crop")


def _lines(text: str, width: int) -> list[Text]:
    """Uncut: what is to be typed must be whole."""
    return [Text(line, no_wrap=True, overflow="crop") for line in wrapped(safe(text), width)]
