"""`--view feed`: what happens, sentence by sentence, newest first; and the same as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import get_args

from rich.text import Text

from prt.errors import UsageError
from prt.events import Alert, Event, EventType, Gap
from prt.state.feed import Entry, Feed, Sentence, Write, alert_text
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import clock
from prt.views.drawing.lines import fitted, plain
from prt.views.drawing.notices import gap_text
from prt.views.sinks.template import compile_template


class FeedView:
    """`waiting` says what an empty one waits for; `tz` None is local."""

    title = "feed"
    least_width = 60

    def __init__(
        self, feed: Feed, *, tz: tzinfo | None = None, waiting: Callable[[], str] = lambda: ""
    ) -> None:
        self.feed = feed
        self._tz = tz
        self._waiting = waiting

    def apply(self, event: Event) -> None:
        self.feed.apply(event)

    def summary(self) -> list[str]:
        return []

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        entries = self.feed.entries(height)
        if not entries:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        return fitted([self._line(entry, width) for entry in entries], width, height)

    def _line(self, entry: Entry, width: int) -> Text:
        line = plain(clock(entry.at, self._tz) + " ")
        room = max(width - line.cell_len, 0)
        match entry:
            case Alert():
                line.append(cut(safe(f"! {alert_text(entry)}"), room), "bold red")
            case Gap():
                line.append(cut(safe(f"! gap {gap_text(entry)}"), room), "bold red")
            case Sentence():
                _append(line, entry, room)
        line.truncate(width)
        return line


def _append(line: Text, sentence: Sentence, room: int) -> None:
    """The row's name gives way before what happened to it, down to a third of the line."""
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
    """The templates of a profile, compiled: `TABLE` or `TABLE:EVENT` to its text. Raises UsageError."""
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
