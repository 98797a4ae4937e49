"""The view of one table's present rows, kept up to date; values that changed a moment ago are highlighted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.inputs import Input
from prt.state.sheet import Sheet, SheetRow
from prt.views.drawing.cells import cut, cut_middle, safe
from prt.views.drawing.figures import counted
from prt.views.drawing.lines import fitted, plain
from prt.views.panels.inspection import Inspected
from prt.views.panels.listed import Listed, marked

_WIDEST = 32
_KEY = 13
"""The cells of the first column on a narrow screen; its texts are cut in their middle."""
_NARROW = 160
_LEAST = 6
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class SheetView(Listed[bytes]):
    """A view of a table's present rows.

    `waiting` returns what an empty view is waiting for.
    """

    def __init__(self, sheet: Sheet, *, waiting: Callable[[], str] = lambda: "") -> None:
        super().__init__()
        self.sheet = sheet
        self._waiting = waiting

    @property
    def title(self) -> str:
        """The title: the name of the table."""
        return self.sheet.table

    def apply(self, event: Event) -> None:
        """Apply an event to the sheet."""
        self.sheet.apply(event)

    def summary(self) -> list[str]:
        """Return how many rows there are."""
        return [f"{safe(self.sheet.table)}: {counted(len(self.sheet), 'row')}"] if len(self.sheet) else []

    def row_keys(self) -> list[bytes]:
        """Return the keys of the rows in their order."""
        return self.sheet.keys()

    def content(self, key: bytes) -> bytes:
        """Return the text of a row that a search looks at: the row as JSON."""
        return self.sheet.sides(key)[1] or b""

    def inspect(self, key: bytes) -> Inspected | None:
        """Return the details of a row; None if the row is gone."""
        before, row = self.sheet.sides(key)
        if row is None:
            return None
        name = key.decode(errors="replace").strip('"')
        facts = ("as it was last seen",)
        if before is None:
            return Inspected(title=f"{self.sheet.table} {name}", facts=facts, payload=row, label="row")
        return Inspected(title=f"{self.sheet.table} {name}", facts=facts, before=before, after=row)

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the sheet in at most `height` lines of at most `width` cells; `now` in µs."""
        sheet = self.sheet
        if not len(sheet) or height < 1:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        columns = sheet.columns()
        room = height - 1
        foot = self._foot(columns, room)
        keys = self.row_keys()
        self.choice.sync(keys)
        indexes = self.choice.window(keys, max(room - bool(foot), 0))
        rows = [sheet.row(keys[index], columns, now) for index in indexes]
        filled = [index for index in range(len(columns)) if any(row.cells[index] for row in rows)]
        columns = tuple(columns[index] for index in filled)
        rows = [_kept(row, filled) for row in rows]
        widths = _widths(columns, rows, width)
        numeric = frozenset(index for index in range(1, len(columns)) if _are_numbers(rows, index))
        lines = [
            _heading(columns, widths, numeric, width),
            *(self._line(row, widths, numeric, width) for row in rows),
        ]
        if foot:
            lines.append(plain(cut(safe(foot), width), "italic"))
        return fitted(lines, width, height)

    def _line(self, row: SheetRow, widths: Sequence[int], numeric: Collection[int], width: int) -> Text:
        line = _row(row, widths, numeric)
        return marked(line[2:], width, is_selected=True) if row.key == self.selected else line

    def _foot(self, columns: Sequence[str], room: int) -> str:
        """Return how many rows don't fit, and how the rows are sorted."""
        sheet = self.sheet
        slip = f"! no row has a column {sheet.sort}" if sheet.sort and sheet.sort not in columns else ""
        if len(sheet) <= room and not sheet.forgotten:
            return slip
        parts = [f"+{max(len(sheet) - room + 1, 0):,} more rows"]
        parts += [f"{sheet.forgotten:,} are not kept"] if sheet.forgotten else []
        order = f"by {sheet.sort}" if sheet.sort else f"{Input.SORT} -updated_at shows the latest first"
        return "  " + ", ".join([*parts, slip or order])


def _kept(row: SheetRow, filled: Sequence[int]) -> SheetRow:
    """Return a row without the columns that are empty in all rows."""
    lit = frozenset(position for position, index in enumerate(filled) if index in row.lit)
    return SheetRow(tuple(row.cells[index] for index in filled), lit, row.is_new, row.key)


def _widths(columns: Sequence[str], rows: Sequence[SheetRow], width: int) -> list[int]:
    """Return the widths of as many columns as fit; the last one gets the cells that are left."""
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


def _are_numbers(rows: Sequence[SheetRow], index: int) -> bool:
    return all(_NUMBER.fullmatch(row.cells[index]) for row in rows if row.cells[index])


def _heading(columns: Sequence[str], widths: Sequence[int], numeric: Collection[int], width: int) -> Text:
    """Return the names of the columns that fit, and how many more there are."""
    names = []
    for index, each in enumerate(widths):
        name = cut(safe(columns[index]), each)
        space = " " * (each - cell_len(name))
        names.append(space + name if index in numeric else name + space)
    text = "  " + " ".join(names)
    if len(widths) < len(columns):
        note = f" +{len(columns) - len(widths):,}"
        text = cut(text.rstrip(), width - len(note))
        text += " " * (width - cell_len(text) - len(note)) + note
    return plain(text, "underline")


def _row(row: SheetRow, widths: Sequence[int], numeric: Collection[int]) -> Text:
    """Return a row as a line; numbers are aligned to the right, so that they can be compared."""
    line = plain().append("+ " if row.is_new else "▸ " if row.lit else "  ", "bold")
    for index, each in enumerate(widths):
        text = safe(row.cells[index])
        shown = cut_middle(text, each) if index == 0 else cut(text, each)
        space = " " * (each - cell_len(shown))
        line.append((" " if index else "") + (space if index in numeric else ""))
        line.append(shown, "bold reverse" if row.is_new or index in row.lit else "")
        line.append("" if index in numeric else space)
    return line
