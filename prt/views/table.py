"""The live view of `prt watch`: a head, the newest changes newest first, a foot with what needs attention.

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
from prt.state.screen import Screen
from prt.views.cells import cut, cut_middle, safe, wrapped
from prt.views.changed import LEGEND, changed, mark_of
from prt.views.figures import clock, counted, milliseconds, per_second, table_name

CONNECTIONS = {
    "connected": ("●", "bold green"),
    "error": ("✗", "bold red"),
    "timeout": ("◷", "bold red"),
    "disconnected": ("○", "bold red"),
}
EVENTS = {"INSERT": "green", "UPDATE": "magenta", "DELETE": "red"}
SOURCES = {"snapshot": "present", "backfill": "missed"}
"""What stands in place of a lag where a row did not come from the stream."""

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
        screen = self._screen
        head = _head(screen, self._title, self.now, width)
        newest = screen.lines(max(height - len(head) - 1, 0))
        foot = _foot(screen, newest, width, height // 3, self._tz)
        shown = newest[: max(height - len(head) - 1 - len(foot), 0)]
        if not shown:
            return [*head, Text(""), _line(_waiting(screen), width, "italic"), *foot][:height]
        widths = widths_of(shown, width)
        rows = [self.row(line, widths) for line in shown]
        gap = [Text("")] * (height - len(head) - 1 - len(rows) - len(foot)) if foot else []
        return [*head, heading(widths), *rows, *gap, *foot][:height]

    def row(self, line: Line, widths: Widths) -> Text:
        """One change."""
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


def _head(screen: Screen, title: str, now: int, width: int) -> list[Text]:
    glyph, style = CONNECTIONS.get(screen.connection or "", ("◌", "bold"))
    state = Text(no_wrap=True, overflow="crop")
    state.append(f"{glyph} {screen.connection or 'connecting'}", style)
    if screen.channel:
        state.append(f" · {screen.channel}")
    if screen.joined:
        state.append(f" · {counted(len(screen.joined), 'table')}")
    fitted = cut(title, max(width - state.cell_len - 2, 0))
    state.append(" " * (width - state.cell_len - cell_len(fitted)) + fitted, "bold")
    figures = [counted(screen.events, "event"), per_second(screen.rate.per_second(now))]
    lag = screen.lag.summary()
    if lag:
        figures.append(f"lag p50 {milliseconds(lag['p50'])}, p95 {milliseconds(lag['p95'])}")
    if screen.gaps:
        figures.append(counted(screen.gaps, "gap"))
    if screen.malformed:
        figures.append(f"{screen.malformed:,} malformed")
    lines = [state, _line(" · ".join(figures), width)]
    if screen.connection not in (None, "connected") and screen.reason:
        lines.append(_line(screen.reason, width, "bold red"))
        if screen.hint:
            lines += _lines(f"hint: {screen.hint}", width)
    return lines


def _waiting(screen: Screen) -> str:
    if screen.channel == "READY":
        return "waiting for the first change"
    if screen.channel == "SUBSCRIBED":
        return "joined; waiting until the server says that changes flow"
    return "connecting" if screen.channel is None else ""


def _foot(screen: Screen, lines: list[Line], width: int, most: int, tz: tzinfo | None) -> list[Text]:
    foot: list[Text] = []
    for refusal in screen.refused.values():
        foot.append(_line(f"✗ {refusal.table}: {refusal.reason or 'refused'}", width, "bold red"))
        if refusal.hint:
            foot += _lines(f"hint: {refusal.hint}", width)
    if screen.last_gap is not None:
        foot.append(_line(f"! {gap_text(screen, tz)}", width, "bold red"))
    if screen.last_malformed is not None:
        foot.append(_line(f"! unreadable frame: {screen.last_malformed.reason}", width, "bold"))
    for schema, table in sorted(screen.keyless):
        foot.append(_line(f"! {table_name(schema, table)}: no key known, --key names it", width))
    if len(foot) > most > 0:
        foot = [*foot[: most - 1], _line(f"  and {len(foot) - most + 1} lines more", width)]
    marks = {mark for line in lines if (mark := mark_of(line))}
    legend = "   ".join(said for mark, said in LEGEND.items() if mark in marks)
    return [*foot, _line(legend, width, "italic")] if legend else foot


def gap_text(screen: Screen, tz: tzinfo | None) -> str:
    """The last gap, and how many there were."""
    gap = screen.last_gap
    if gap is None:
        return ""
    outcome = f"{gap.recovered:,} recovered" if gap.recovered else "nothing recovered"
    window = f"{clock(gap.start, tz)} to {clock(gap.end, tz)}"
    return (
        f"gap {window}, {counted(len(gap.tables), 'table')}: {gap.cause} "
        f"({outcome}, {'complete' if gap.complete else 'events may be missing'})"
    )


def _line(text: str, width: int, style: str = "") -> Text:
    return Text(cut(safe(text), width), style, no_wrap=True, overflow="crop")


def _lines(text: str, width: int) -> list[Text]:
    """Uncut: what is to be typed must be whole."""
    return [Text(line, no_wrap=True, overflow="crop") for line in wrapped(safe(text), width)]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text) + 1)
