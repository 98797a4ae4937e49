"""The whole screen of a live view: the head, the views below it, and at the foot what needs attention."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from prt.inputs import Input
from prt.state.screen import Screen
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.figures import table_name
from prt.views.panels.head import head
from prt.views.panels.layout import arranged
from prt.views.panels.view import View


class Page:
    """A Rich renderable of the state as it is when it is drawn; `now` in µs, `tz` None is local."""

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
        self._screen = screen
        self._views = views
        self._title = safe(title)
        self._said = notes
        self._tz = tz
        self._body: list[Text] = []
        self._events_before: int | None = None

    def toggle_pause(self) -> None:
        """Paused, the views stay as they were drawn; the head goes on and counts what came."""
        self._events_before = self._screen.events if self._events_before is None else None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.lines(options.max_width, options.height or options.max_height)

    def lines(self, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` cells."""
        before = self._events_before
        came = None if before is None else self._screen.events - before
        has_own_head = all(getattr(view, "has_own_head", False) for view in self._views)
        top = (
            []
            if has_own_head
            else head(self._screen, self._title, self.now, width, self._tz, came_while_paused=came)
        )
        foot = _foot(self._screen, self._said, width, height // 3)
        room = max(height - len(top) - len(foot), 0)
        if came is None:
            self._body = arranged(self._views, width, room, self.now)
        body = [_cropped(line, width) for line in self._body[:room]]
        space = [Text("")] * (room - len(body)) if foot else []
        return [*top, *body, *space, *foot][:height]


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
