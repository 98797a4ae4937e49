"""The view `table`: the newest changes of all tables, newest first, with the gaps between them.

It uses only the terminal's own colours, which suit its background, and colour is never the only sign. Free
text stands in the last column: terminals draw some scripts and emoji in other widths than expected, and the
columns before it stay aligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from msgspec import Struct, structs
from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.state.conditions.pattern import Pattern
from prt.state.newest import NEWEST, Entry
from prt.state.roster import PresenceLine
from prt.state.rows.difference import Line
from prt.state.screen import Screen
from prt.state.topics.messages import BroadcastLine
from prt.state.viewport.viewport import Viewport
from prt.views.drawing.cells import cut, cut_middle, safe
from prt.views.drawing.changes import LEGEND, changed, mark_of
from prt.views.drawing.figures import clock, milliseconds, table_name
from prt.views.drawing.lines import line_of
from prt.views.drawing.topics import EVENTS as TOPIC_EVENTS
from prt.views.drawing.topics import TopicLine, carried, kind_of, name_of
from prt.views.panels.head import waiting_for_rows
from prt.views.panels.inspection import Inspected, inspected
from prt.views.panels.interruptions import gap_line, interruption, whole

EVENTS = {"INSERT": "green", "UPDATE": "magenta", "DELETE": "red"}
SOURCES = {"backfill": "↺", "snapshot": "◦"}
"""The marks in place of a lag, for rows that didn't arrive on the stream."""

REPLAYED = "↻"
"""The mark in place of a lag, for broadcasts that were sent before we joined."""

_LEGEND = {**LEGEND, "backfill": "↺ backfill", "snapshot": "◦ snapshot", "replayed": f"{REPLAYED} replayed"}

SELECTED, FOUND = "▸", "•"
"""The marks after the time: of the selected row, and of rows that a search found."""

_LAG, _EVENT = 7, 6
_NARROWEST = 72
"""The width in cells below which names and keys are cut, and lags left out, for the sake of what changed."""


class Widths(Struct, frozen=True, kw_only=True):
    """The cells of each column; columns are one cell apart. A `lag` of one cell shows only marks."""

    time: int
    table: int
    key: int
    changed: int
    event: int = _EVENT
    lag: int = _LAG


class Table:
    """A view of the newest events, drawn from the state that the screen keeps.

    `tz` None is the local time zone.
    """

    title = "events"

    def __init__(
        self,
        screen: Screen,
        *,
        tz: tzinfo | None = None,
        highlight: Sequence[Pattern] = (),
    ) -> None:
        self.viewport = screen.viewport
        self._screen = screen
        self._tz = tz
        self._highlight = highlight
        self._former_widths: tuple[int, Widths] | None = None
        self._drawn_rows: dict[int, tuple[Entry, object, list[Text]]] = {}

    def apply(self, event: Event) -> None:
        """Ignore the event: the screen has applied it already."""

    def summary(self) -> list[str]:
        """Return nothing, because the summary of the screen has it all."""
        return []

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the newest rows in at most `height` lines of at most `width` cells."""
        body, foot = self._parts(width, height)
        space = [Text("")] * (height - len(body) - len(foot)) if foot else []
        return [*body, *space, *foot][:height]

    def all_lines(self, width: int, now: int) -> list[Text]:
        """Return all events that are kept; a gap may take several lines."""
        body, foot = self._parts(width, 2 * NEWEST)
        if self._screen.entries > NEWEST:
            text = f"the latest {NEWEST:,} of {self._screen.entries:,}; one table's rows are shown whole"
            foot.append(line_of(text, width, "italic"))
        return [*body, *foot]

    def inspected(self) -> Inspected | None:
        """Return the details of the event that is open, otherwise of the selected one."""
        viewport = self._screen.viewport
        number = viewport.current() if viewport.opened is None else viewport.opened
        kept = None if number is None else self._screen.newest.kept(number)
        return None if kept is None else inspected(kept, self._screen.rows.key_columns, self._tz)

    def _parts(self, width: int, height: int) -> tuple[list[Text], list[Text]]:
        """Return the rows, and the foot that explains their marks."""
        viewport = self._screen.viewport
        newest = self._entries(viewport.window(height))
        foot = self._foot([entry for _, entry in newest], width, height)
        room = max(height - 1 - len(foot), 0)
        shown = self._entries(viewport.window(room)) if room else []
        if not shown:
            words = reason_for_none(viewport) or waiting_for_rows(self._screen)
            return [Text(""), line_of(words, width, "italic")], foot
        widths = self._widths(shown, width)
        rows = self._drawn(shown, widths, width, room)
        self._drawn_rows = {
            number: self._drawn_rows[number] for number, _ in shown if number in self._drawn_rows
        }
        return [heading(widths), *rows], foot

    def _entries(self, numbers: Sequence[int]) -> list[tuple[int, Entry]]:
        newest = self._screen.newest
        found = ((number, newest.entry(number)) for number in numbers)
        return [(number, entry) for number, entry in found if entry is not None]

    def _drawn(self, shown: list[tuple[int, Entry]], widths: Widths, width: int, room: int) -> list[Text]:
        """Return the rows that fit.

        The selected one is among them, even if a gap above it takes several lines.
        """
        selected = self._screen.viewport.selected
        while True:
            rows: list[Text] = []
            is_seen = selected is None
            for number, entry in shown:
                rows += self._kept_rows(number, entry, widths, width)
                is_seen |= number == selected and len(rows) <= room
            if is_seen or len(shown) < 2 or shown[0][0] == selected:
                return rows[:room]
            self._screen.viewport.push_down()
            shown = shown[1:]

    def _kept_rows(self, number: int, entry: Entry, widths: Widths, width: int) -> list[Text]:
        """Return the rows of an entry, reused from the last drawing if nothing about them has changed."""
        viewport = self._screen.viewport
        mark = " "
        if number == viewport.selected:
            mark = SELECTED
        elif viewport.query and viewport.is_match(number):
            mark = FOUND
        state = (widths, width, mark, viewport.query.text)
        known = self._drawn_rows.get(number)
        if known is not None and known[0] is entry and known[1] == state:
            return known[2]
        rows = self.rows(entry, widths, width)
        if mark != " ":
            rows = [self._marked(row, mark, widths, width) for row in rows]
        self._drawn_rows[number] = (entry, state, rows)
        return rows

    def _marked(self, row: Text, mark: str, widths: Widths, width: int) -> Text:
        """Put the mark after the time, in place of a space, and highlight the matches of a search."""
        column = widths.time
        if row.plain[column : column + 1] == " ":
            row = row[:column].append(mark, "bold").append_text(row[column + 1 :])
            row.no_wrap, row.overflow = True, "crop"
        pattern = self._screen.viewport.query.pattern
        if pattern is not None:
            row.highlight_regex(pattern, "bold underline")
        if mark == SELECTED:
            row.append(" " * max(width - row.cell_len, 0))
            row.stylize("reverse")
        return row

    def _widths(self, shown: Sequence[tuple[int, Entry]], width: int) -> Widths:
        """Return the widths of the columns.

        They only grow, so that rows don't move when others come and go.
        """
        former = self._former_widths if self._former_widths and self._former_widths[0] == width else None
        drawn = self._drawn_rows
        entries = [entry for number, entry in shown if former is None or number not in drawn]
        if former is not None and not entries:
            return former[1]
        wanted = widths_of(entries, width)
        if former is not None:
            had = former[1]
            table, key = max(had.table, wanted.table), max(had.key, wanted.key)
            event = max(had.event, wanted.event)
            grown = table - wanted.table + key - wanted.key + event - wanted.event
            changed = max(wanted.changed - grown, 0)
            wanted = structs.replace(wanted, table=table, key=key, changed=changed, event=event)
        self._former_widths = (width, wanted)
        return wanted

    def rows(self, entry: Entry, widths: Widths, width: int) -> list[Text]:
        """Return an entry as lines: one for a change, or several for a gap."""
        if isinstance(entry, Line):
            return [self._change(entry, widths)]
        if isinstance(entry, BroadcastLine | PresenceLine):
            return [self._topic(entry, widths)]
        return interruption(entry, width, widths.time, self._tz)

    def row(self, entry: Entry, widths: Widths) -> Text:
        """Return an entry as one line, however long."""
        if isinstance(entry, Line):
            return self._change(entry, widths)
        if isinstance(entry, BroadcastLine | PresenceLine):
            return self._topic(entry, widths)
        return whole(entry, widths.time, self._tz)

    def _change(self, line: Line, widths: Widths) -> Text:
        lag = milliseconds(line.lag_ms) if line.source == "stream" else SOURCES[line.source]
        table = cut(safe(table_name(line.schema, line.table)), widths.table)
        style = f"bold {EVENTS[line.event_type]}"
        text = self._begun(line.at, lag, table, line.key, (line.event_type, style, widths))
        return self._highlighted(text.append_text(changed(line, widths.changed)))

    def _topic(self, line: TopicLine, widths: Widths) -> Text:
        """Return a broadcast or a presence event, with its topic in the column of the table."""
        lag = REPLAYED if isinstance(line, BroadcastLine) and line.is_replayed else ""
        topic, kind = cut_middle(safe(line.topic), widths.table), kind_of(line)
        style = f"bold {TOPIC_EVENTS[kind]}"
        text = self._begun(line.at, lag, topic, name_of(line), (kind, style, widths))
        return self._highlighted(text.append_text(carried(line, widths.changed)))

    def _begun(self, at: int, lag: str, table: str, key: str, event: tuple[str, str, Widths]) -> Text:
        """Return all columns but the last; `event` has the event's word, its style and all widths."""
        word, style, widths = event
        text = Text(no_wrap=True, overflow="crop")
        text.append(clock(at, self._tz, is_fine=widths.time > len("00:00:00")) + " ")
        text.append(f"{lag if len(lag) <= widths.lag else '':>{widths.lag}} ")
        text.append(_padded(table, widths.table))
        text.append(f"{word:{widths.event}} ", style)
        return text.append(_padded(cut_middle(safe(key), widths.key), widths.key))

    def _highlighted(self, text: Text) -> Text:
        for pattern in self._highlight:
            for start, end in pattern.spans(text.plain):
                text.stylize("reverse", start, end)
        return text

    def _foot(self, newest: Sequence[Entry], width: int, height: int) -> list[Text]:
        """Return the last incomplete gap, if it's no longer visible, and the meaning of the marks."""
        lines = [entry for entry in newest if isinstance(entry, Line)]
        marks = {mark for line in lines if (mark := mark_of(line))} | {line.source for line in lines}
        if any(isinstance(entry, BroadcastLine) and entry.is_replayed for entry in newest):
            marks.add("replayed")
        legend = "   ".join(value_text for mark, value_text in _LEGEND.items() if mark in marks)
        foot = [line_of(legend, width, "italic")] if legend else []
        gap = self._screen.last_incomplete_gap
        visible = newest[: max(height - 1 - len(foot), 0)]
        if gap is not None and not any(entry is gap for entry in visible):
            foot.insert(0, line_of(gap_line(gap, self._tz), width, "bold red"))
        return foot


def reason_for_none(viewport: Viewport) -> str:
    """Return why an empty list leaves out the events that are kept; an empty text if it leaves out none."""
    if not viewport.hidden:
        return ""
    return "nothing matches" if viewport.is_narrowed else "cleared; waiting for the next event"


def widths_of(entries: Sequence[Entry], width: int) -> Widths:
    """Return the widths for these entries; the last column gets the cells that the others don't need."""
    widest = widest_of(width)
    tables, keys, event = [], [], _EVENT
    for entry in entries:
        if isinstance(entry, Line):
            tables.append(table_name(entry.schema, entry.table))
            keys.append(entry.key)
        elif isinstance(entry, BroadcastLine | PresenceLine):
            tables.append(entry.topic)
            keys.append(name_of(entry))
            event = max(event, len(kind_of(entry)))
    table = max(min(max(map(_width, tables), default=0), widest.table), len("table"))
    key = max(min(max(map(_width, keys), default=0), widest.key), len("key"))
    gained = widest.table - table + widest.key - key + _EVENT - event
    changed = max(widest.changed + gained, 0)
    return structs.replace(widest, table=table, key=key, changed=changed, event=event)


def widest_of(width: int) -> Widths:
    """Return the greatest widths, for lines that are not known yet."""
    is_narrow, is_wide = width < 100, width >= 160
    time = len("00:00:00") if is_narrow else len("00:00:00.000")
    table = 18 if is_narrow else 32 if is_wide else 24
    key = 9 if is_narrow else 36 if is_wide else 13
    lag = _LAG
    if width < _NARROWEST:
        table, key, lag = 14, 6, 1
    taken = time + 1 + lag + 1 + table + 1 + _EVENT + 1 + key + 1
    return Widths(time=time, table=table, key=key, changed=max(width - taken, 0), lag=lag)


def heading(widths: Widths) -> Text:
    """Return the heading of the table."""
    lag = "lag" if widths.lag == _LAG else ""
    title = (
        f"{'time':{widths.time}} {lag:>{widths.lag}} {'table':{widths.table}} {'event':{widths.event}} "
        f"{'key':{widths.key}} {'what changed':{widths.changed}}"
    )
    text = Text(title.rstrip(), "underline", no_wrap=True, overflow="crop")
    text.truncate(widths.time + widths.lag + widths.table + widths.event + widths.key + 5 + widths.changed)
    return text


def _width(text: str) -> int:
    return cell_len(safe(text))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text) + 1)
