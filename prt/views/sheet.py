"""The present rows of one table as a table, kept live: what changed a moment ago is lit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.state.sheet import Sheet, SheetRow
from prt.views.cells import cut, cut_middle, safe
from prt.views.figures import counted
from prt.views.fixed import fitted, plain

_WIDEST = 32
_KEY = 13
"""Cells of the first column where the screen is narrow: both ends of a key tell keys apart."""
_NARROW = 160
_LEAST = 6


class SheetView:
    """`waiting` says what an empty one waits for."""

    def __init__(self, sheet: Sheet, *, waiting: Callable[[], str] = lambda: "") -> None:
        self.sheet = sheet
        self._waiting = waiting

    @property
    def title(self) -> str:
        return self.sheet.table

    def apply(self, event: Event) -> None:
        self.sheet.apply(event)

    def summary(self) -> list[str]:
        return [f"{safe(self.sheet.table)}: {counted(len(self.sheet), 'row')}"] if len(self.sheet) else []

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        sheet = self.sheet
        if not len(sheet) or height < 1:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        columns = sheet.columns()
        room = height - 1
        is_cut = len(sheet) > room or sheet.forgotten > 0
        rows = sheet.rows(columns, max(room - is_cut, 0), now)
        told = [index for index in range(len(columns)) if any(row.cells[index] for row in rows)]
        columns = tuple(columns[index] for index in told)
        rows = [_kept(row, told) for row in rows]
        widths = _widths(columns, rows, width)
        lines = [_heading(columns, widths), *(_row(row, widths) for row in rows)]
        if is_cut:
            more = f"  +{len(sheet) - len(rows):,} more rows"
            more += f", {sheet.forgotten:,} are not kept" if sheet.forgotten else ""
            order = f", by {sheet.sort}" if sheet.sort else ", --sort -updated_at shows the latest first"
            lines.append(plain(cut(safe(more + order), width), "italic"))
        return fitted(lines, width, height)


def _kept(row: SheetRow, told: Sequence[int]) -> SheetRow:
    """Without the columns in which nothing stands."""
    lit = frozenset(place for place, index in enumerate(told) if index in row.lit)
    return SheetRow(tuple(row.cells[index] for index in told), lit, row.is_new)


def _widths(columns: Sequence[str], rows: Sequence[SheetRow], width: int) -> list[int]:
    """Of as many columns as fit; the last one takes what is left."""
    widest = [
        max([cell_len(safe(column)), *(cell_len(safe(row.cells[index][:_WIDEST])) for row in rows)])
        for index, column in enumerate(columns)
    ]
    widths: list[int] = []
    left = width - 2
    for index, needed in enumerate(widest):
        most = _KEY if index == 0 and width < _NARROW else _WIDEST
        each = min(needed, most, left)
        if each < min(needed, _LEAST):
            break
        widths.append(each)
        left -= each + 1
        if left < 1:
            break
    return widths


def _heading(columns: Sequence[str], widths: Sequence[int]) -> Text:
    names = (_padded(cut(safe(name), each), each) for name, each in zip(columns, widths, strict=False))
    return plain("  " + " ".join(names), "underline")


def _row(row: SheetRow, widths: Sequence[int]) -> Text:
    line = plain().append("+ " if row.is_new else "▸ " if row.lit else "  ", "bold")
    for index, each in enumerate(widths):
        text = safe(row.cells[index])
        shown = cut_middle(text, each) if index == 0 else cut(text, each)
        line.append(" " if index else "")
        line.append(shown, "bold reverse" if row.is_new or index in row.lit else "")
        line.append(" " * (each - cell_len(shown)))
    return line


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
