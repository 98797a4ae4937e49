"""The view for `--details`: the last change in full, and of a long value only the lines that differ."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from datetime import tzinfo

import msgspec
from msgspec import Raw
from rich.cells import cell_len
from rich.text import Text

from prt.events import Change, Event, Known
from prt.state.rows.cache import Rows
from prt.state.rows.difference import NOISE, rank_of, value_text
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import clock, table_name
from prt.views.drawing.lines import fitted, plain

_CONTEXT = 1
_MOST_LINES = 2000
"""How many lines of a value are compared at most; comparing more would delay the drawing."""
_ARROW = " → "
_FIRST_HUNK = re.compile(r"@@ -[01]\b")
"""The head of a hunk before which no line is left out."""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class DetailsView:
    """A view of the last change.

    `waiting` returns what the view is waiting for, and `tz` is the time zone; None is the local one.
    """

    title = "last change"
    least_width = 60

    def __init__(
        self, *, rows: Rows | None = None, tz: tzinfo | None = None, waiting: Callable[[], str] = lambda: ""
    ) -> None:
        self._rows = rows or Rows()
        self._tz = tz
        self._waiting = waiting
        self._last: tuple[Change, bytes | None] | None = None
        self._drawn: tuple[int, list[Text]] | None = None

    def apply(self, event: Event) -> None:
        """Apply an event, and keep the last change."""
        if type(event) is Known:
            for row in event.changes():
                self._rows.apply(row)
        if type(event) is not Change:
            return
        previous = self._rows.apply(event)
        if event.source != "snapshot":
            self._last, self._drawn = (event, previous), None

    def summary(self) -> list[str]:
        """Return nothing, because the last change is on the screen already."""
        return []

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the last change in full, in at most `height` lines of at most `width` cells."""
        if self._last is None:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._whole(*self._last, width))
        lines = self._drawn[1]
        if len(lines) > height > 0:
            more = plain(f"+{len(lines) - height + 1:,} lines", "italic")
            lines = [*lines[: height - 1], more]
        return fitted(lines, width, height)

    def _whole(self, change: Change, previous: bytes | None, width: int) -> list[Text]:
        head = f"{clock(change.at, self._tz)} {change.event_type} {table_name(change.schema, change.table)}"
        lines = [plain(cut(safe(head), width), "bold")]
        lines += [plain(cut(safe(error), width), "bold red") for error in change.errors or ()]
        try:
            new, old = _columns_of(change.new), _columns_of(change.old)
            earlier = {} if previous is None else _columns_of(previous)
        except (msgspec.DecodeError, RecursionError) as exc:
            return [*lines, plain(cut(safe(f"unreadable row: {exc}"), width), "bold red")]
        before = earlier | old
        names = sorted({**new, **(before if change.event_type == "DELETE" else {})}, key=rank_of)
        for name in names:
            is_same = name in before and name in new and bytes(before[name]) == bytes(new[name])
            if change.event_type == "UPDATE" and before and is_same:
                continue
            if change.event_type == "UPDATE" and name in NOISE and len(names) > len(NOISE):
                continue
            lines += _column(name, before.get(name), new.get(name), width)
        if change.event_type == "UPDATE" and not earlier and len(old) < len(new):
            lines.append(plain(cut("? the row before is not known", width), "italic"))
        return lines


def differences(before: bytes, after: bytes, width: int) -> Iterator[Text]:
    """Yield the columns whose values differ between two rows (JSON objects), bookkeeping columns last.

    Columns that only one of the rows has are left out.
    """
    try:
        old, new = _columns_of(before), _columns_of(after)
    except msgspec.DecodeError as exc:
        yield plain(cut(safe(f"unreadable row: {exc}"), width), "bold red")
        return
    for name in sorted(set(old) & set(new), key=rank_of):
        if bytes(old[name]) != bytes(new[name]):
            yield from _column(name, old[name], new[name], width)


def _column(name: str, before: Raw | None, after: Raw | None, width: int) -> Iterator[Text]:
    """Yield a column on one line if both values fit, otherwise the lines of the value that differ."""
    label = f"{safe(name)} "
    sides = [safe(value_text(side)) for side in (before, after) if side is not None]
    joined = _ARROW.join(sides)
    if cell_len(label) + cell_len(joined) <= width:
        line = plain(label)
        if len(sides) == 2:
            line.append(sides[0]).append(_ARROW).append(sides[1], "bold")
        else:
            line.append(joined, "bold" if after is not None else "strike")
        yield line
        return
    yield plain(cut(label.rstrip(), width), "bold")
    yield from _compared(_spread(before), _spread(after), width)


def _compared(before: list[str], after: list[str], width: int) -> Iterator[Text]:
    skipped = False
    for line in difflib.unified_diff(before[:_MOST_LINES], after[:_MOST_LINES], lineterm="", n=_CONTEXT):
        if line.startswith(("---", "+++")) and not skipped:
            skipped = line.startswith("+++")
            continue
        if line.startswith("@@"):
            if not _FIRST_HUNK.match(line):
                yield plain(cut("  …", width), "dim")
            continue
        style = {"-": "red", "+": "green"}.get(line[:1], "")
        yield plain(cut(f"  {line[:1]} {safe(line[1:])}", width), style)


def _spread(value: Raw | None) -> list[str]:
    """Return a value over several lines: JSON indented, a text by its own lines."""
    if value is None:
        return []
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return [value_text(value)]
    if isinstance(found, str):
        return found.splitlines() or [""]
    return json.dumps(found, indent=1, ensure_ascii=False).splitlines()
