"""The view `board`: a Kanban board with its columns side by side.

If the columns don't fit side by side, the board has several pages, which are shown in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.inputs import Input
from prt.state.board import Board, Card, Column, Mark
from prt.state.viewport.intents import Intent
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import counted
from prt.views.drawing.lines import fitted, plain
from prt.views.panels.inspection import Inspected
from prt.views.panels.keys import Hint
from prt.views.panels.listed import SELECTED, Listed

LEAST_COLUMN = 18
"""The least width of a column in cells; titles would be unreadable in fewer."""
PAGE_US = 8_000_000
"""How long each page is shown if a board has several (µs)."""

_STEPS = {Intent.UP: 0, Intent.DOWN: 0, Intent.LEFT: -1, Intent.RIGHT: 1}
"""How many columns to the right a key moves the selection."""

_BETWEEN = "│ "
_WIDEST_NAME = 40
_TWO_LINES = 9  # the least lines of a board whose cards have two lines
_SLACK = 2
"""How many lines fewer keep two lines a card, so that a message doesn't lay the board out anew."""
_URGENT = {"urgent": "bold red", "critical": "bold red", "high": "bold", "major": "bold"}
_MARKS = {"urgent": "!!", "critical": "!!", "high": "!", "major": "!"}
_DOT = " · "
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Named = Callable[[str, str], str]
"""Returns the name of a row, from the column that refers to it and its id."""


class BoardView(Listed[bytes]):
    """A view of a Kanban board.

    `waiting` returns what an empty board is waiting for, and `named` the name of a row that a card refers to.
    """

    moving = ("↑↓←→", "choose")
    least_width = 4 * 2 * LEAST_COLUMN + 3 * len(_BETWEEN)

    def __init__(
        self,
        board: Board,
        *,
        named: Named = lambda _, value: value,
        waiting: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__()
        self.board = board
        self.can_edit = False
        self._named = named
        self._waiting = waiting
        self._has_two_lines = False
        self._now = 0

    @property
    def title(self) -> str:
        """The title: the table and the column that groups it."""
        return f"{self.board.table} by {self.board.group_by}"

    def apply(self, event: Event) -> None:
        """Apply an event to the board."""
        self.board.apply(event)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The keys that matter on a board."""
        if self.selected is None or not self.can_edit:
            return super().hints
        return (self.moving, ("Enter", "details"), ("< >", "move it"), ("y", "copy"), ("?", "keys"))

    def row_keys(self) -> list[bytes]:
        """Return the keys of all cards, column by column."""
        return [key for column in self._columns() for key in column]

    def content(self, key: bytes) -> bytes:
        """Return the text of a card that a search looks at: its row as JSON."""
        return self.board.row(key) or b""

    def press(self, intent: Intent) -> bool:
        """Move the selection from card to card. Return whether the key does so."""
        columns = self._columns()
        here = next(((index, keys) for index, keys in enumerate(columns) if self.selected in keys), None)
        if here is None:
            if intent not in _STEPS:
                return super().press(intent)
            self.choice.select(self.row_keys(), 0)
            return True
        index, keys = here
        if intent not in _STEPS or _STEPS[intent] == 0:
            return self.choice.press(intent, keys)  # within the column
        step = _STEPS[intent]
        others = range(index + step, -1 if step < 0 else len(columns), step)
        target = next((columns[other] for other in others if columns[other]), keys)
        self.selected = target[min(keys.index(self.selected or b""), len(target) - 1)]
        return True

    def _columns(self) -> list[list[bytes]]:
        return [
            [card.key for card in self.board.cards(column.name, self._now)] for column in self.board.columns()
        ]

    def neighbour(self, step: int) -> str | None:
        """Return the column beside that of the selected card.

        Args:
            step: -1 for the column on the left, 1 for that on the right.

        Returns:
            The column's name; None if no card is selected or there is no such column.
        """
        names = [column.name for column in self.board.columns()]
        here = None if self.selected is None else self.board.column_of(self.selected)
        if here is None or not 0 <= names.index(here) + step < len(names):
            return None
        return names[names.index(here) + step]

    def inspect(self, key: bytes) -> Inspected | None:
        """Return the row of a card for the details; None if the card is gone."""
        row = self.board.row(key)
        if row is None:
            return None
        name = key.decode(errors="replace").strip('"')
        return Inspected(
            title=f"{self.board.table} {name}", facts=("as it was last seen",), payload=row, label="row"
        )

    def summary(self) -> list[str]:
        """Return how many cards each column has, and which columns are over their limit."""
        if not len(self.board):
            return []
        columns = self.board.columns()
        names = [cut(safe(column.name), _WIDEST_NAME) for column in columns]
        counts = ", ".join(f"{name} {column.count:,}" for name, column in zip(names, columns, strict=True))
        lines = [f"board: {counts}; {counted(self.board.moves, 'move')}"]
        lines += [
            f"! {name}: {column.count:,}, at most {column.limit:,}"
            for name, column in zip(names, columns, strict=True)
            if column.limit is not None and column.is_over_limit
        ]
        return lines

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the board in at most `height` lines of at most `width` cells; `now` in µs."""
        self._now = now
        columns = self.board.columns()
        if self.selected is not None and self.board.row(self.selected) is None:
            self.selected = None
        if not columns or height < 1:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        most = _most(width)
        foot = self._foot(columns, most, width, now)
        height -= len(foot)
        first = self._first(columns, most, now)
        self._has_two_lines = height >= _TWO_LINES - _SLACK * self._has_two_lines
        lines = self._page(columns, first, width, height, now)
        if foot:
            lines += [plain() for _ in range(height - len(lines))]
        return fitted([*lines, *foot], width, len(lines) + len(foot))

    def all_lines(self, width: int, now: int) -> list[Text]:
        """Return all pages below each other, with every card; `now` in µs."""
        columns = self.board.columns()
        if not columns:
            return self.lines(width, 1, now)
        most, height = _most(width), 2 * max(column.count for column in columns) + _TWO_LINES
        lines: list[Text] = []
        for first in range(0, len(columns), most):
            lines += [*([plain()] if first else []), *self._page(columns, first, width, height, now)]
        notes = self._notes()
        return [*lines, *([plain(cut(" · ".join(notes), width), "italic")] if notes else [])]

    def _page(self, columns: Sequence[Column], first: int, width: int, height: int, now: int) -> list[Text]:
        """Return the columns that stand side by side, from number `first` on."""
        most = min(_most(width), len(columns))
        # The width is divided as on a full page, so that columns aren't wider if fewer are left.
        each = (width - len(_BETWEEN) * (most - 1)) // most
        blocks = [self._column(column, each, height, now) for column in columns[first : first + most]]
        lines = []
        for row in range(min(max(map(len, blocks)), height)):
            line = plain()
            for index, block in enumerate(blocks):
                part = block[row] if row < len(block) else plain()
                line.append(_BETWEEN if index else "", "dim").append_text(part)
                if index < len(blocks) - 1:
                    line.append(" " * (each - part.cell_len))
            lines.append(line)
        return fitted(lines, width, height)

    def _foot(self, columns: Sequence[Column], most: int, width: int, now: int) -> list[Text]:
        notes = self._notes()  # first, so that a narrow terminal cuts the page
        if len(columns) > most:
            first = self._first(columns, most, now)
            last = min(first + most, len(columns))
            seconds = -(-(PAGE_US - now % PAGE_US) // 1_000_000)
            following = f" · next in {seconds} s" if self.selected is None else ""
            shown = f"columns {first + 1}–{last}" if last - first > 1 else f"column {last}"
            notes.append(f"{shown} of {len(columns)}{following}")
        return [plain(cut(" · ".join(notes), width), "italic")] if notes else []

    def _first(self, columns: Sequence[Column], most: int, now: int) -> int:
        """Return the page's first column: of the selected card's page, otherwise of the page due at `now`."""
        here = None if self.selected is None else self.board.column_of(self.selected)
        names = [column.name for column in columns]
        if here not in names:
            return _first(len(columns), most, now)
        return _page_of(names.index(here) // most, len(columns), most)

    def _notes(self) -> list[str]:
        notes = [] if len(self.board) or not (waiting := self._waiting()) else [waiting]
        if len(self.board) and not self.board.has_groups:
            notes.append(f"! no row has a column {safe(self.board.group_by)}: {Input.GROUP_BY} names another")
        if self.board.forgotten:
            notes.append(f"! {self.board.forgotten:,} rows more than are kept")
        return notes

    def _column(self, column: Column, width: int, height: int, now: int) -> list[Text]:
        lines = [_heading(column, width)]
        room = height - 1
        per_card = 1 + (self.board.has_details and height >= _TWO_LINES - _SLACK * self._has_two_lines)
        fits = room // per_card
        if column.count > fits:
            fits = max((room - 1) // per_card, 0)
        self.choice.height = max(fits, 1)
        cards = self.board.cards(column.name, now, None if self.selected is not None else fits)
        index = next((index for index, card in enumerate(cards) if card.key == self.selected), 0)
        first = max(index - fits + 1, 0)
        for card in cards[first : first + fits]:
            lines += self._card(card, self.board.mark(card.key, now), width)[:per_card]
        if column.count > fits:
            lines.append(plain(cut(f"  +{column.count - fits:,} more", width), "italic"))
        return fitted(lines, width, height)

    def _card(self, card: Card, mark: Mark | None, width: int) -> list[Text]:
        """Return a card's title and details; if the card moved just now, its former column stands instead."""
        gutter = "  " if mark is None else "+ " if mark.origin is None else "▸ "
        if card.key == self.selected:
            gutter = SELECTED
        # While a card is selected, it alone is reversed: one that changed has its mark and is bold.
        is_lit = card.key == self.selected or (mark is not None and self.selected is None)
        style = "bold" if mark is not None else _URGENT.get(card.priority, "")
        room = width - len(gutter)
        title = (
            plain()
            .append(gutter, "bold")
            .append(
                cut(safe(card.title), room),
                "bold reverse" if is_lit else style,
            )
        )
        details = plain("  ")
        if mark is not None and mark.origin is not None:
            details.append(cut(f"← {safe(mark.origin)}", room), "italic")
            return [title, details]
        who, day = safe(self._named("assignee_id", card.assignee)), safe(_day(card.due))
        first, mark_text = who.partition(" ")[0], _MARKS.get(card.priority, "")
        taken = cell_len(_DOT.join([f"{mark_text} ".lstrip(), day]) if day else mark_text)
        short = f"{mark_text} {cut(first, max(room - taken, 4))}".strip()
        spelled = (safe(card.priority), who, day), (safe(card.priority), first, day)
        for facts in (*(spelled if room > LEAST_COLUMN else ()), (short, day), (mark_text, day)):
            text = _DOT.join(fact for fact in facts if fact)
            if cell_len(text) <= room:
                break
        details.append(cut(text, room), _URGENT.get(card.priority, ""))
        details.truncate(width)
        return [title, details]


def _most(width: int) -> int:
    """Return how many columns fit side by side."""
    return max((width + len(_BETWEEN)) // (LEAST_COLUMN + len(_BETWEEN)), 1)


def _first(count: int, most: int, now: int) -> int:
    """Return the first column of the page that is due at `now`."""
    pages = -(-count // most)
    return _page_of(now // PAGE_US % pages, count, most)


def _page_of(page: int, count: int, most: int) -> int:
    """Return the first column of a page; the last page is as full as the others."""
    return max(min(page * most, count - most), 0)


def _heading(column: Column, width: int) -> Text:
    count = f"{column.count:,}" if column.limit is None else f"{column.count:,}/{column.limit:,}"
    if column.is_over_limit:
        count = f"! {count}"
    name = cut(safe(column.name), max(width - len(count) - 1, 0))
    text = plain().append(name, "bold").append(" " * (width - cell_len(name) - len(count)))
    text.append(count, "bold red" if column.is_over_limit else "")
    text.stylize("underline")
    return text


def _day(date: str) -> str:
    """Return an ISO date or timestamp as `24 Nov`, and any other text as it is."""
    parts = date[:10].split("-")
    if len(parts) == 3 and all(part.isdigit() for part in parts) and 1 <= int(parts[1]) <= 12:
        return f"{int(parts[2])} {_MONTHS[int(parts[1])]}"
    return date
