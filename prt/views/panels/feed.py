"""The view `feed`: changes, alerts and gaps as sentences, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import get_args

from rich.text import Text

from prt.errors import UsageError
from prt.events import Alert, Event, EventType, Gap
from prt.state.feed import Feed, Sentence, Write, alert_text
from prt.state.newest import Kept, Shown
from prt.state.screen import Screen
from prt.state.viewport.viewport import Viewport
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import clock
from prt.views.drawing.lines import fitted, plain
from prt.views.panels.inspection import Inspected, inspected
from prt.views.panels.interruptions import gap_line
from prt.views.panels.table import FOUND, SELECTED, reason_for_none
from prt.views.sinks.template import compile_template


class FeedView:
    """A view of the changes, alerts and gaps of a screen as sentences.

    `waiting` returns what an empty view is waiting for, and `tz` is the time zone; None is the local one.
    """

    title = "feed"
    least_width = 60

    def __init__(
        self,
        screen: Screen,
        feed: Feed,
        *,
        tz: tzinfo | None = None,
        waiting: Callable[[], str] = lambda: "",
    ) -> None:
        self.viewport = Viewport(screen.newest, belongs=_belongs)
        self._screen = screen
        self._feed = feed
        self._tz = tz
        self._waiting = waiting
        self._sentences: dict[int, tuple[Kept, Sentence]] = {}

    def apply(self, event: Event) -> None:
        """Ignore the event: the screen has applied it already."""

    def summary(self) -> list[str]:
        """Return nothing, because the last sentences are on the screen already."""
        return []

    def inspected(self) -> Inspected | None:
        """Return the event whose details are open, otherwise the selected one."""
        number = self.viewport.current() if self.viewport.opened is None else self.viewport.opened
        kept = None if number is None else self._screen.newest.kept(number)
        return None if kept is None else inspected(kept, self._screen.rows.key_columns, self._tz)

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the sentences in at most `height` lines of at most `width` cells; `now` in µs."""
        numbers = self.viewport.window(height)
        if not numbers:
            words = reason_for_none(self.viewport) or self._waiting()
            return fitted([plain(cut(words, width), "italic")], width, height)
        kept = {number: one for number in numbers if (one := self._screen.newest.kept(number)) is not None}
        self._sentences = {
            number: self._sentence_of(number, one) for number, one in kept.items() if isinstance(one, Shown)
        }
        return fitted([self._line(number, one, width) for number, one in kept.items()], width, height)

    def _sentence_of(self, number: int, shown: Shown) -> tuple[Kept, Sentence]:
        """Return the sentence of a change, reused from the last drawing if possible."""
        known = self._sentences.get(number)
        if known is not None and known[0] is shown:
            return known
        return shown, self._feed.sentence_of(shown.change, shown.previous)

    def _line(self, number: int, kept: Kept, width: int) -> Text:
        viewport, is_selected = self.viewport, number == self.viewport.selected
        is_found = bool(viewport.query) and viewport.is_match(number)
        mark = SELECTED if is_selected else FOUND if is_found else " "
        at = kept.change.at if isinstance(kept, Shown) else getattr(kept, "at", 0)
        line = plain(clock(at, self._tz)).append(mark, "" if mark == " " else "bold")
        room = max(width - line.cell_len, 0)
        match kept:
            case Alert():
                line.append(cut(safe(f"! {alert_text(kept)}"), room), "bold red")
            case Gap():
                style = "bold green" if kept.complete else "bold red"
                line.append(cut(gap_line(kept, self._tz), room), style)
            case Shown():
                _append(line, self._sentences[number][1], room)
        line.truncate(width)
        if (is_found or is_selected) and viewport.query.pattern is not None:
            line.highlight_regex(viewport.query.pattern, "bold underline")
        if is_selected:
            line.append(" " * max(width - line.cell_len, 0))
            line.stylize("reverse")
        return line


def _belongs(kept: Kept) -> bool:
    """Return whether an event has a sentence; rows of a snapshot and known states have none."""
    if isinstance(kept, Shown):
        return kept.is_latest and kept.change.source != "snapshot"
    return isinstance(kept, Alert | Gap)


def _append(line: Text, sentence: Sentence, room: int) -> None:
    """Append a sentence in `room` cells; the row's name is cut first, but not below a third of the room."""
    noun, row, happened = safe(sentence.noun), safe(sentence.row or ""), safe(sentence.happened)
    if not row:
        line.append(cut(f"{noun} {happened}".rstrip(), room))
        return
    over = len(noun) + Text(row).cell_len + Text(happened).cell_len + 4 - room
    if over > 0:
        row = cut(row, max(Text(row).cell_len - over, room // 3))
    line.append(f"{noun} ").append(f"'{row}'", "bold").append(" ")
    line.append(cut(happened, max(room - len(noun) - Text(row).cell_len - 4, 0)))


def templates_of(feed: Mapping[str, str]) -> dict[str, Write]:
    """Return the compiled templates of a profile, by `TABLE` or `TABLE:EVENT`.

    Raises:
        UsageError: A template or its event is not valid.
    """
    return {name: _writer(name, text) for name, text in feed.items()}


def _writer(name: str, text: str) -> Write:
    event = name.partition(":")[2]
    if event not in {"", *get_args(EventType)}:
        raise UsageError(f"feed.{name} names no event {event}", f"there are {', '.join(get_args(EventType))}")
    try:
        encode = compile_template(text)
    except UsageError as exc:
        raise UsageError(f"feed.{name}: {exc.message}", exc.hint) from exc
    return lambda change: encode(change).decode().rstrip("\n")
