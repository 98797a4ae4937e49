"""The view `cursors`: a canvas scaled to the terminal, and a list of cursors with idle times and rates.

Each user always has the same colour, and a letter as well, so that the colour isn't the only sign. A cursor
that rests is drawn faintly; one whose user left is crossed out and disappears after a while.
"""

from __future__ import annotations

import string
import zlib
from itertools import groupby
from typing import Final

import msgspec
from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.state.cursors import Cursor, Cursors, Extent, Position
from prt.views.drawing.cells import cut, safe, within
from prt.views.drawing.figures import counted, per_second, roughly
from prt.views.drawing.lines import line_of
from prt.views.panels.inspection import Inspected
from prt.views.panels.listed import Listed

SECOND: Final = 1_000_000
RESTING: Final = 3 * SECOND
"""How long after its last move a cursor is drawn faintly (µs)."""
TRAIL_SEEN: Final = 2 * SECOND
LEAVING: Final = 3 * SECOND
"""How long the cross of a user who left is shown (µs)."""

COLORS: Final = (
    *("red", "green", "yellow", "blue", "magenta", "cyan"),
    *("bright_red", "bright_green", "bright_yellow", "bright_blue", "bright_magenta", "bright_cyan"),
)
LEFT: Final = "×"
_TRAIL: Final = ("·", "∙", "•")
"""The dots of a trail, from the oldest to the newest."""
_LETTERS: Final = string.ascii_uppercase + string.digits + string.ascii_lowercase
_LIST: Final = 34
_LEAST_NAME: Final = 4
"""The least cells for a name; a shorter beginning would be useless."""
_LEAST_CANVAS: Final = 40
_LIST_LINES: Final = 3


class _Dot(Struct, frozen=True):
    text: str
    style: str


class CursorsView(Listed[tuple[str, str]]):
    """A view of the cursors whose positions are sent as broadcasts."""

    title = "cursors"

    def __init__(self) -> None:
        super().__init__()
        self._cursors = Cursors()
        self._now = 0
        self._letters: dict[tuple[str, str], str] = {}

    def apply(self, event: Event) -> None:
        """Apply an event to the cursors."""
        self._cursors.apply(event)

    def summary(self) -> list[str]:
        """Return how many moves of how many cursors arrived."""
        cursors = self._cursors
        if not cursors.moves:
            return ["no cursor moved"]
        return [f"{counted(cursors.moves, 'move')} of {counted(len(cursors.cursors), 'cursor')}"]

    def row_keys(self) -> list[tuple[str, str]]:
        """Return the topic and user of each cursor; the one that moved last comes first."""
        return [(one.topic, one.user) for one in self._cursors.newest_first]

    def content(self, key: tuple[str, str]) -> bytes:
        """Return the text of a cursor that a search looks at: topic, user and name."""
        cursor = self._cursors.cursors.get(key)
        return " ".join((*key, cursor.name if cursor else "")).encode(errors="replace")

    def inspect(self, key: tuple[str, str]) -> Inspected | None:
        """Return the details of a cursor; None if the cursor is gone."""
        cursor = self._cursors.cursors.get(key)
        if cursor is None:
            return None
        index = cursor.position
        state = "left" if cursor.gone_at is not None else f"idle {roughly(max(self._now - index.at, 0))}"
        moves = f"{counted(cursor.moves, 'move')}, {per_second(cursor.rate.per_second(self._now))}"
        trail = [{"x": one.x, "y": one.y} for one in reversed(cursor.trail)]
        payload = {"user": cursor.user, "name": cursor.name, "x": index.x, "y": index.y, "trail": trail}
        return Inspected(
            title=cursor.name or cursor.user or "nobody named",
            facts=(f"topic {cursor.topic}", moves, state),
            payload=msgspec.json.encode(payload),
            label="position",
        )

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the canvas and the list in at most `height` lines of at most `width` cells; `now` in µs."""
        self._now = now
        known = self._cursors.newest_first
        shown = [cursor for cursor in known if cursor.gone_at is None or now - cursor.gone_at < LEAVING]
        self._give_letters(known)
        top = line_of(self._headline(shown, now), width, "bold")
        if not known:
            return within([top, line_of("waiting for the first move", width, "italic")], width, height)
        if width >= _LEAST_CANVAS + _LIST + 1:
            rows = self._beside(shown, known, width, height - 1, now)
        else:
            below = min(max(height // 4, _LIST_LINES), len(known))
            rows = self._canvas(shown, width, height - 1 - below, now)
            rows += self._list(known, width, below, now)
        return within([top, *rows], width, height)

    def _headline(self, shown: list[Cursor], now: int) -> str:
        cursors = self._cursors
        topics = dict.fromkeys(cursor.topic for cursor in cursors.newest_first)
        where = f"{next(iter(topics))}: " if len(topics) == 1 else ""
        here = [cursor for cursor in shown if cursor.gone_at is None]
        moves = f"{counted(cursors.moves, 'move')}, {per_second(cursors.rate.per_second(now))}"
        unread = f" · {cursors.unread:,} without a position" if cursors.unread else ""
        return safe(f"{where}{counted(len(here), 'cursor')} · {moves}{unread}")

    def _beside(
        self, shown: list[Cursor], known: list[Cursor], width: int, height: int, now: int
    ) -> list[Text]:
        canvas = self._canvas(shown, width - _LIST - 1, height, now)
        names = self._list(known, _LIST, height, now)
        rows = []
        for number, line in enumerate(canvas):
            row = line.copy()
            row.append(" " * (width - _LIST - row.cell_len))
            if number < len(names):
                row.append_text(names[number])
            rows.append(row)
        return rows

    def _canvas(self, shown: list[Cursor], width: int, height: int, now: int) -> list[Text]:
        """Draw a frame with the cursors in it; newer ones lie above older ones."""
        across, down = width - 2, height - 2
        if across < 1 or down < 1:
            return []
        extent = self._cursors.extent()
        grid: list[list[_Dot | None]] = [[None] * across for _ in range(down)]
        for cursor in reversed(shown):
            self._draw_trail(grid, cursor, extent, now)
        taken: set[tuple[int, int]] = set()
        for cursor in reversed(shown):
            cell = _cell(cursor.position, extent, grid)
            _put(grid, cell, _Dot(self._letter(cursor), self._style(cursor, now)))
            taken.add(cell)
        for cursor in shown:
            self._draw_name(grid, cursor, extent, now, taken)
        scale = _scale(extent)
        lines = [line_of(f"┌{'─' * across}┐", width)]
        for row in grid:
            text = Text("│", no_wrap=True, overflow="crop")
            for style, dots in groupby(row, key=lambda dot: "" if dot is None else dot.style):
                text.append("".join(" " if dot is None else dot.text for dot in dots), style)
            lines.append(text.append("│"))
        foot = cut(f"─ {scale} ", across)
        return [*lines, line_of(f"└{foot}{'─' * (across - cell_len(foot))}┘", width)]

    def _draw_trail(self, grid: list[list[_Dot | None]], cursor: Cursor, extent: Extent, now: int) -> None:
        trail = [position for position in list(cursor.trail)[:-1] if now - position.at < TRAIL_SEEN]
        for number, position in enumerate(trail):
            age = len(_TRAIL) - 1 - len(_TRAIL) * (len(trail) - 1 - number) // len(trail)
            style = _color(cursor) if age == len(_TRAIL) - 1 else f"dim {_color(cursor)}"
            _put(grid, _cell(position, extent, grid), _Dot(_TRAIL[age], style))

    def _draw_name(
        self,
        grid: list[list[_Dot | None]],
        cursor: Cursor,
        extent: Extent,
        now: int,
        taken: set[tuple[int, int]],
    ) -> None:
        """Draw a cursor's name beside its letter if there is room."""
        x, y = _cell(cursor.position, extent, grid)
        name, start = safe(cursor.name[:200]), x + 2
        right = next((end for end in range(start, len(grid[0])) if (end, y) in taken), len(grid[0]) + 1)
        room = max(right - 1 - start, 0)
        if room < cell_len(name):
            left = x - 1 - cell_len(name)
            if left >= 0 and not any((column, y) in taken for column in range(left - 1, x)):
                start = left
            elif room < _LEAST_NAME:
                return
        for column, piece in enumerate(_pieces(cut(name, room) if start > x else name), start):
            taken.add((column, y))
            if piece:
                _put(grid, (column, y), _Dot(piece, self._style(cursor, now)))

    def _list(self, known: list[Cursor], width: int, room: int, now: int) -> list[Text]:
        """Return a line for each cursor, the last that moved first; the last line counts the others."""
        if room < 1:
            return []
        keys = [(one.topic, one.user) for one in known]
        self.choice.sync(keys)
        indexes = self.choice.window(keys, room if len(known) <= room else room - 1)
        shown = [known[index] for index in indexes]
        lines = [
            self.marked((cursor.topic, cursor.user), self._entry(cursor, width - self.gutter, now), width)
            for cursor in shown
        ]
        if len(known) > len(shown):
            lines.append(line_of(f"and {len(known) - len(shown):,} more", width, "italic"))
        return lines

    def _entry(self, cursor: Cursor, width: int, now: int) -> Text:
        if cursor.gone_at is not None:
            state = "left"
        else:
            idle = now - cursor.position.at
            state = per_second(cursor.rate.per_second(now)) if idle < SECOND else f"idle {roughly(idle)}"
        text = Text(no_wrap=True, overflow="crop")
        text.append(self._letter(cursor), self._style(cursor, now))
        name = cut(safe(cursor.name[:200]) or "nobody named", max(width - 3 - len(state), 0))
        return text.append(f" {name}{' ' * (width - 2 - cell_len(name) - len(state))}{state}")

    def _style(self, cursor: Cursor, now: int) -> str:
        if cursor.gone_at is not None or now - cursor.position.at >= RESTING:
            return f"dim {_color(cursor)}"
        return f"bold {_color(cursor)}"

    def _letter(self, cursor: Cursor) -> str:
        return LEFT if cursor.gone_at is not None else self._letters[cursor.topic, cursor.user]

    def _give_letters(self, known: list[Cursor]) -> None:
        """Give each new cursor the first free letter of its name, and keep the letters of known cursors."""
        keys = {(cursor.topic, cursor.user) for cursor in known}
        self._letters = {key: letter for key, letter in self._letters.items() if key in keys}
        taken = set(self._letters.values())
        for cursor in reversed(known):
            key = (cursor.topic, cursor.user)
            if key not in self._letters:
                wanted = [letter for letter in safe(cursor.name[:200]).upper() if letter.isalnum()]
                free = (one for one in (*wanted, *_LETTERS) if one not in taken and cell_len(one) == 1)
                self._letters[key] = next(free, "*")
                taken.add(self._letters[key])


def _color(cursor: Cursor) -> str:
    return COLORS[zlib.crc32(cursor.user.encode(errors="replace")) % len(COLORS)]


def _cell(position: Position, extent: Extent, grid: list[list[_Dot | None]]) -> tuple[int, int]:
    across, down = len(grid[0]), len(grid)
    x = (position.x - extent.left) / (extent.right - extent.left)
    y = (position.y - extent.top) / (extent.bottom - extent.top)
    return min(max(int(x * across), 0), across - 1), min(max(int(y * down), 0), down - 1)


def _put(grid: list[list[_Dot | None]], cell: tuple[int, int], dot: _Dot) -> None:
    """Put a dot into a cell, and clear a wide character that the dot would cover only in part."""
    x, y = cell
    row = grid[y]
    size = cell_len(dot.text)
    for column in (x - 1, x + size - 1):
        under = row[column] if column >= 0 else None
        if under is not None and cell_len(under.text) > 1:
            row[column] = row[column + 1] = None
    row[x] = dot
    if size > 1:
        row[x + 1] = _Dot("", "")


def _pieces(name: str) -> list[str]:
    """Split a name into cells: each has a character with its marks, or is the empty half of a wide one."""
    pieces: list[str] = []
    for character in name:
        size = cell_len(character)
        if size == 0 and pieces:
            pieces[-1] += character
        elif size:
            pieces += [character, *[""] * (size - 1)]
    return pieces


def _scale(extent: Extent) -> str:
    """Return which part of the canvas is shown, so that the reader can judge how far a cursor moved."""
    return f"{extent.left:.4g}…{extent.right:.4g} × {extent.top:.4g}…{extent.bottom:.4g}"
