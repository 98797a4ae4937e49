"""Frames for a terminal: only lines that changed are written, and a list that moved is scrolled.

The painter keeps the lines on the terminal, so the cost of a frame depends on its changes. If the terminal
may show something else (after a resize, a suspend or a foreign write), call `forget`: the next frame is
complete.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

BEGIN_FRAME, END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
"""The sequences between which a terminal draws no half frame (DEC private mode 2026; others ignore it)."""

HOME = "\x1b[H"
_ERASE_LINE, _ERASE_REST = "\x1b[2K", "\x1b[K"
_LEAST_MOVED = 2
"""The least lines that a scroll must save; it's cheaper to write fewer lines again."""
_BLANKS = re.compile(" {6,}")
"""Spaces that take more bytes than a jump over them."""

Runs = tuple[tuple[str, str], ...]
"""The text of a line in runs of one style, which is an escape sequence or empty."""


class _Line(Struct, frozen=True):
    """A line on the terminal; `source` is the text that it was made from."""

    source: Text | None
    runs: Runs


_EMPTY = _Line(None, ())


class Painter:
    """Computes what has to be written to the terminal to show the lines of a screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._size = (0, 0)
        self._lines: list[_Line] | None = None
        self._styles: dict[Style, str] = {}

    def forget(self) -> None:
        """Make the next frame complete."""
        self._lines = None

    def paint(self, lines: Sequence[Text], size: tuple[int, int]) -> str:
        """Return the frame that shows the lines on a terminal of `size` (columns, rows).

        The frame is empty if the terminal already shows them.
        """
        columns, rows = size
        if size != self._size:
            self._size, self._lines = size, None
        former = self._lines
        wanted = self._made(lines[:rows], former or [])
        wanted += [_EMPTY] * (rows - len(wanted))
        self._lines = wanted
        if former is None:
            written = [_whole(row, line, is_blank=False) for row, line in enumerate(wanted)]
            return f"{BEGIN_FRAME}{HOME}{''.join(written)}{END_FRAME}"
        parts = []
        moved = _moved(former, wanted)
        blank: range = range(0)
        if moved is not None:
            scroll, former, blank = moved
            parts.append(scroll)
        for row, (before, after) in enumerate(zip(former, wanted, strict=True)):
            if before is not after and before.runs != after.runs:
                is_blank = row in blank and before is _EMPTY
                parts.append(
                    _whole(row, after, is_blank=True) if is_blank else _changed(row, before, after, columns)
                )
        return f"{BEGIN_FRAME}{''.join(parts)}{END_FRAME}" if parts else ""

    def _made(self, lines: Sequence[Text], former: Sequence[_Line]) -> list[_Line]:
        """Return the lines; those of the former frame are reused."""
        known = {id(line.source): line for line in former if line.source is not None}
        return [known.get(id(line)) or _Line(line, self._runs(line)) for line in lines]

    def _runs(self, line: Text) -> Runs:
        runs: list[tuple[str, str]] = []
        if line.cell_len > self._size[0]:
            line = line.copy()
            line.truncate(self._size[0])
        # Rich ignores the style of a text that has no spans.
        bare = Segment(line.plain, self._console.get_style(line.style) if line.style else None)
        segments = line.render(self._console) if line.spans else [bare]
        for text, style, _ in Segment.remove_color(segments) if self._console.no_color else segments:
            code = "" if style is None else self._code(style)
            if runs and runs[-1][1] == code:
                runs[-1] = (runs[-1][0] + text, code)
            elif text:
                runs.append((text, code))
        return tuple(runs)

    def _code(self, style: Style) -> str:
        code = self._styles.get(style)
        if code is None:
            name = self._console.color_system
            rendered = style.render("x", color_system=COLOR_SYSTEMS[name] if name else None)
            code = self._styles[style] = rendered.partition("x")[0]
        return code


def _moved(former: list[_Line], wanted: list[_Line]) -> tuple[str, list[_Line], range] | None:
    """Return how to scroll a list, the lines on the terminal after that, and the rows that are blank then."""
    former_rows: dict[Runs, int] = {}
    for row, line in enumerate(former):
        former_rows[line.runs] = -1 if line.runs in former_rows else row
    shifts: Counter[int] = Counter()
    for row, line in enumerate(wanted):
        former_row = former_rows.get(line.runs, -1)
        if former_row >= 0 and line.runs:
            shifts[row - former_row] += 1
    shifts.pop(0, None)
    if not shifts:
        return None
    shift, saved = shifts.most_common(1)[0]
    rows = [
        row
        for row, line in enumerate(wanted)
        if line.runs and 0 <= row - shift < len(former) and former[row - shift].runs == line.runs
    ]
    top, bottom = min(rows[0], rows[0] - shift), max(rows[-1], rows[-1] - shift)
    disturbed = sum(former[row].runs == wanted[row].runs != () for row in range(top, bottom + 1))
    if saved - disturbed < _LEAST_MOVED:
        return None
    block, count = former[top : bottom + 1], abs(shift)
    gone = [_EMPTY] * count
    block = [*gone, *block[:-count]] if shift > 0 else [*block[count:], *gone]
    blank = range(top, top + count) if shift > 0 else range(bottom + 1 - count, bottom + 1)
    # Lines are inserted or deleted at the top of the region, because not all terminals support SU and SD.
    letter = "L" if shift > 0 else "M"
    scroll = f"\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1};1H\x1b[{count}{letter}\x1b[r"
    return scroll, [*former[:top], *block, *former[bottom + 1 :]], blank


def _whole(row: int, line: _Line, *, is_blank: bool) -> str:
    """Return the sequence that writes a whole line, and erases the row first unless it's blank."""
    erase = "" if is_blank else _ERASE_LINE
    text = "".join(_styled(text, code, can_jump=True) for text, code in line.runs).rstrip(" ")
    return f"\x1b[{row + 1};1H{erase}{text}"


def _changed(row: int, before: _Line, after: _Line, columns: int) -> str:
    """Return the sequence that writes only what differs, or the whole line if that is shorter."""
    left, rest_before, rest_after = _after_common(before.runs, after.runs)
    text = "".join(_styled(text, code, can_jump=False) for text, code in rest_after)
    width = left + sum(cell_len(run) for run, _ in rest_after)
    stood = left + sum(cell_len(run) for run, _ in rest_before)
    # After the last column the cursor stays on it, and erasing would clear that column.
    erase = _ERASE_REST if stood > width < columns else ""
    part = f"\x1b[{row + 1};{left + 1}H{text}{erase}"
    whole = _whole(row, after, is_blank=False)
    return part if len(part) <= len(whole) else whole


def _after_common(before: Runs, after: Runs) -> tuple[int, Runs, Runs]:
    """Return how many cells two lines have in common at the start, and the runs that follow in each."""
    cells = index = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        cells += cell_len(one[0])
        index += 1
    rest_before, rest_after = before[index:], after[index:]
    if rest_before and rest_after and rest_before[0][1] == rest_after[0][1]:
        left, right = rest_before[0][0], rest_after[0][0]
        common = 0
        if left.isascii() and right.isascii():
            limit = min(len(left), len(right))
            while common < limit and left[common] == right[common]:
                common += 1
        code = rest_after[0][1]
        rest_before = ((left[common:], code), *rest_before[1:])
        rest_after = ((right[common:], code), *rest_after[1:])
        cells += common
    while (
        rest_before
        and rest_after
        and rest_before[-1] == rest_after[-1]
        and _cells(rest_before) == _cells(rest_after)
    ):
        rest_before, rest_after = rest_before[:-1], rest_after[:-1]
    return cells, rest_before, rest_after


def _cells(runs: Runs) -> int:
    return sum(cell_len(text) for text, _ in runs)


def _styled(text: str, code: str, *, can_jump: bool) -> str:
    if not code:
        return _BLANKS.sub(_jump, text) if can_jump else text
    return f"{code}{text}\x1b[0m" if text else ""


def _jump(blanks: re.Match[str]) -> str:
    return f"\x1b[{len(blanks[0])}C"
