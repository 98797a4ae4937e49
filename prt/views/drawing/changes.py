"""Row changes as text: the value of each column before and after the change."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from prt.state.rows.difference import LONGEST, Cell, Line, common_length
from prt.views.drawing.cells import ELLIPSIS, cut, safe

LEGEND = {"seen": "≈ from the last row seen here", "unknown": "? row before not known"}
"""The meaning of the mark before a line's columns, by the line's `origin`.

Columns whose old values were sent by the server have no mark.
"""

_MARKS = {"seen": "≈ ", "unknown": "? ", "server": ""}
_ARROW = " → "
_BETWEEN = " · "
_LEAST = 16  # cells; a column that is cut to fewer would be useless
_ROOM_FOR_TWO = 42
_NEXT = 20  # cells that a long first value leaves for the second column, as two columns are more useful
_CONTEXT = 4  # characters kept of the beginning that two long values have in common

_Piece = tuple[str, str]
"""Safe text and its Rich style."""


def changed(line: Line, width: int) -> Text:
    """Return a change in at most `width` cells.

    It has the errors, then as many columns as fit, then how many more there are.
    """
    text = Text(no_wrap=True, overflow="crop", end="")
    errors = ", ".join(map(safe, line.errors))
    text.append(cut(errors, width), "bold red").append("  " if errors and line.cells else "")
    text.append(_MARKS[line.origin] if mark_of(line) else "")
    if not line.cells:
        text.append("" if line.errors else _nothing(line), "italic")
        text.truncate(width)
        return text
    for index, cell in enumerate(line.cells):
        rest = len(line.cells) - index - 1
        between = _BETWEEN if index else ""
        room = width - text.cell_len - len(between) - (len(f" +{rest}") if rest else 0)
        pieces = _pieces(cell, line, width)
        if index and room < min(_width(pieces), _LEAST):
            text.append(f" +{rest + 1}")
            break
        if not index and rest and room >= _ROOM_FOR_TWO:
            room -= min(len(_BETWEEN) + _width(_pieces(line.cells[1], line, width)), _NEXT)
        pieces = _fitted(pieces, room)
        text.append(between)
        for piece, style in pieces:
            text.append(piece, style)
    text.truncate(width)
    return text


def whole(line: Line) -> str:
    """Return a change in full and without styles, like `changed` but uncut."""
    errors = ", ".join(map(safe, line.errors))
    mark = _MARKS[line.origin] if mark_of(line) else ""
    cells = _BETWEEN.join("".join(piece for piece, _ in _pieces(cell, line, LONGEST)) for cell in line.cells)
    columns = mark + (cells or ("" if errors else _nothing(line)))
    return f"{errors}  {columns}" if errors and columns else errors + columns


def mark_of(line: Line) -> str | None:
    """Return the key in LEGEND of the mark that a line has, or None if the line has no mark."""
    is_marked = line.event_type != "INSERT" and line.origin != "server" and not line.errors
    return line.origin if is_marked else None


def _nothing(line: Line) -> str:
    if line.event_type == "DELETE":
        return "only the key was sent"
    if line.event_type == "INSERT":
        return ""
    return "only the key has a value" if line.origin == "unknown" else "no column differs"


def _pieces(cell: Cell, line: Line, width: int) -> list[_Piece]:
    def shown(text: str) -> str:
        return safe(text[: 4 * width])  # enough for letters with their marks; the rest can't be seen

    pieces = [(safe(cell.column) + " ", "")]
    if line.event_type == "UPDATE" and line.origin != "unknown":
        pieces += [("?" if cell.before is None else shown(cell.before), ""), (_ARROW, "")]
    elif cell.before is not None and cell.after is not None:  # the key itself changed
        pieces += [(shown(cell.before), ""), (_ARROW, "")]
    value = cell.before if cell.after is None else cell.after
    return [*pieces, (shown(value or ""), "" if cell.after is None else "bold")]


def _fitted(pieces: list[_Piece], room: int) -> list[_Piece]:
    """Fit pieces into `room` cells: the shorter value keeps its width, and the longer one takes the rest."""
    if _width(pieces) <= room:
        return pieces
    name, *rest = pieces
    if cell_len(name[0]) > max(room // 3, 6):
        name = (cut(name[0].rstrip(), max(room // 3, 6) - 1) + " ", name[1])
    left = room - cell_len(name[0])
    if len(rest) == 1:
        return [name, (cut(rest[0][0], left), rest[0][1])]
    before, after = _without_common(rest[0][0], rest[2][0])
    left -= len(_ARROW)
    half = left // 2
    if cell_len(before) <= half:
        after = cut(after, left - cell_len(before))
    elif cell_len(after) <= half:
        before = cut(before, left - cell_len(after))
    else:
        before, after = cut(before, half), cut(after, left - half)
    return [name, (before, rest[0][1]), rest[1], (after, rest[2][1])]


def _without_common(before: str, after: str) -> tuple[str, str]:
    """Drop most of the beginning that two long values have in common, and keep a few characters of it."""
    common = common_length(before, after) - _CONTEXT
    if common <= _CONTEXT:
        return before, after
    return ELLIPSIS + before[common:], ELLIPSIS + after[common:]


def _width(pieces: list[_Piece]) -> int:
    return sum(cell_len(piece) for piece, _ in pieces)
