"""The live view of `prt watch`: a head, the newest changes newest first with the gaps between them, a foot
with what needs attention.

Only the terminal's own colours are used, which its owner chose for its background, and no meaning is
carried by colour alone. The column that any text can stand in is the last: whatever a terminal makes of
a script or an emoji, the columns before it stay straight.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from prt.state.difference import Line
from prt.state.newest import Entry
from prt.state.screen import Screen
from prt.views.cells import cut, cut_middle, safe, wrapped
from prt.views.changed import LEGEND, changed, mark_of
from prt.views.figures import clock, milliseconds, table_name
from prt.views.head import head, waiting
from prt.views.interruptions import gap_line, interruption, whole

EVENTS = {"INSERT": "green", "UPDATE": "magenta", "DELETE": "red"}
SOURCES = {"backfill": "↺", "snapshot": "◦"}
"""What stands in place of a lag where a row did not come from the stream."""

_LEGEND = {**LEGEND, "backfill": "↺ backfill", "snapshot": "◦ snapshot"}

_LAG, _EVENT = 7, 6


class Widths(Struct, frozen=True, kw_only=True):
    """Cells of each column; one cell lies between two."""

    time: int
    table: int
    key: int
    changed: int


class Table:
    """A Rich renderable of a screen's state as it is when it is drawn; `now` in µs, `tz` None is local."""

    def __init__(
        self,
        screen: Screen,
        *,
        title: str = "",
        tz: tzinfo | None = None,
        highlight: Sequence[re.Pattern[str]] = (),
    ) -> None:
        self.now = 0
        self._screen = screen
        self._title = safe(title)
        self._tz = tz
        self._highlight = highlight

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.lines(options.max_width, options.height or options.max_height)

    def lines(self, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` cells."""
        top = head(self._screen, self._title, self.now, width, self._tz)
        room = max(height - len(top) - 1, 0)
        newest = self._screen.lines(room)
        foot = self._foot(newest, width, height // 3, room)
        shown = newest[: max(room - len(foot), 0)]
        if not shown:
            return [*top, Text(""), _line(waiting(self._screen), width, "italic"), *foot][:height]
        widths = widths_of([entry for entry in shown if isinstance(entry, Line)], width)
        rows = [row for entry in shown for row in self.rows(entry, widths, width)][: room - len(foot)]
        space = [Text("")] * (room - len(rows) - len(foot)) if foot else []
        return [*top, heading(widths), *rows, *space, *foot][:height]

    def rows(self, entry: Entry, widths: Widths, width: int) -> list[Text]:
        """A change is one; a gap may need more."""
        if isinstance(entry, Line):
            return [self._change(entry, widths)]
        return interruption(entry, width, widths.time, self._tz)

    def row(self, entry: Entry, widths: Widths) -> Text:
        """One, however long that of a gap is."""
        if isinstance(entry, Line):
            return self._change(entry, widths)
        return whole(entry, widths.time, self._tz)

    def _change(self, line: Line, widths: Widths) -> Text:
        text = Text(no_wrap=True, overflow="crop")
        lag = milliseconds(line.lag_ms) if line.source == "stream" else SOURCES[line.source]
        text.append(clock(line.at, self._tz, is_fine=widths.time > len("00:00:00")) + " ")
        text.append(f"{lag:>{_LAG}} ")
        text.append(_padded(cut(safe(table_name(line.schema, line.table)), widths.table), widths.table))
        text.append(f"{line.event_type:{_EVENT}} ", f"bold {EVENTS[line.event_type]}")
        text.append(_padded(cut_middle(safe(line.key), widths.key), widths.key))
        text.append_text(changed(line, widths.changed))
        for pattern in self._highlight:
            text.highlight_regex(pattern, "reverse")
        return text

    def _foot(self, newest: Sequence[Entry], width: int, most: int, room: int) -> list[Text]:
        """What needs attention, in at most `most` lines, then what the marks mean."""
        screen = self._screen
        notes = _notes(screen, width)
        lines = [entry for entry in newest if isinstance(entry, Line)]
        marks = {mark for line in lines if (mark := mark_of(line))} | {line.source for line in lines}
        legend = "   ".join(said for mark, said in _LEGEND.items() if mark in marks)
        gap = screen.last_incomplete_gap
        visible = newest[: max(room - min(len(notes), most) - bool(legend), 0)]
        if gap is not None and not any(entry is gap for entry in visible):
            notes.insert(0, _line(gap_line(gap, self._tz), width, "bold red"))
        if len(notes) > most > 0:
            notes = [*notes[: most - 1], _line(f"  and {len(notes) - most + 1} lines more", width)]
        return [*notes, _line(legend, width, "italic")] if legend else notes


def widths_of(lines: list[Line], width: int) -> Widths:
    """The columns for these lines: what is not needed before the last column goes to it."""
    widest = widest_of(width)
    table = max((cell_len(safe(table_name(line.schema, line.table))) for line in lines), default=0)
    key = max((cell_len(safe(line.key)) for line in lines), default=0)
    table = max(min(table, widest.table), len("table"))
    key = max(min(key, widest.key), len("key"))
    gained = widest.table - table + widest.key - key
    return Widths(time=widest.time, table=table, key=key, changed=widest.changed + gained)


def widest_of(width: int) -> Widths:
    """The columns for lines that are not known yet."""
    is_narrow, is_wide = width < 100, width >= 160
    time = len("00:00:00") if is_narrow else len("00:00:00.000")
    table = 18 if is_narrow else 32 if is_wide else 24
    key = 9 if is_narrow else 36 if is_wide else 13
    taken = time + 1 + _LAG + 1 + table + 1 + _EVENT + 1 + key + 1
    return Widths(time=time, table=table, key=key, changed=max(width - taken, 0))


def heading(widths: Widths) -> Text:
    title = (
        f"{'time':{widths.time}} {'lag':>{_LAG}} {'table':{widths.table}} {'event':{_EVENT}} "
        f"{'key':{widths.key}} {'what changed':{widths.changed}}"
    )
    text = Text(title.rstrip(), "underline", no_wrap=True, overflow="crop")
    text.truncate(widths.time + _LAG + widths.table + _EVENT + widths.key + 5 + widths.changed)
    return text


def _notes(screen: Screen, width: int) -> list[Text]:
    notes: list[Text] = []
    for refusal in screen.refused.values():
        notes.append(_line(f"✗ {refusal.table}: {refusal.reason or 'refused'}", width, "bold red"))
        if refusal.hint:
            notes += _lines(f"hint: {refusal.hint}", width)
    if screen.last_malformed is not None:
        notes.append(_line(f"! unreadable frame: {screen.last_malformed.reason}", width, "bold"))
    for schema, table in sorted(screen.keyless):
        notes.append(_line(f"! {table_name(schema, table)}: no key known, --key names it", width))
    return notes


def _line(text: str, width: int, style: str = "") -> Text:
    return Text(cut(safe(text), width), style, no_wrap=True, overflow="crop")


def _lines(text: str, width: int) -> list[Text]:
    """Uncut: what is to be typed must be whole."""
    return [Text(line, no_wrap=True, overflow="crop") for line in wrapped(safe(text), width)]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text) + 1)
