"""The base of views that list other things than events; their rows can be selected, searched and opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from rich.text import Text

from prt.state.viewport.choice import Choice
from prt.state.viewport.intents import Intent
from prt.state.viewport.query import Query
from prt.views.drawing.lines import plain
from prt.views.panels.inspection import Inspected
from prt.views.panels.keys import Hint

K = TypeVar("K", bound=Hashable)

SELECTED = "❯ "
"""The mark before the selected row."""
_SECOND = 1_000_000


class Listed(ABC, Generic[K]):
    """The base of a view with selectable rows: each row has a key of type `K`, and content to search in."""

    moving: Hint = ("↑↓", "choose")

    def __init__(self) -> None:
        self.choice: Choice[K] = Choice()
        self.opened: K | None = None
        """The key of the row whose details are open."""
        self._found: tuple[object, list[K]] | None = None

    @abstractmethod
    def row_keys(self) -> Sequence[K]:
        """Return the keys of all rows, in the order in which they are drawn."""

    @abstractmethod
    def content(self, key: K) -> bytes:
        """Return the text of a row that a search looks at: its names and its JSON."""

    @abstractmethod
    def inspect(self, key: K) -> Inspected | None:
        """Return the details of a row; None if the row is gone."""

    @property
    def selected(self) -> K | None:
        """The key of the selected row; None if no row is selected."""
        return self.choice.selected

    @selected.setter
    def selected(self, key: K | None) -> None:
        """Select the row of a key, or no row if it is None."""
        self.choice.selected = key

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The keys that matter in the view."""
        if self.selected is None:
            return (self.moving, ("Enter", "details"), ("/", "search"), ("space", "pause"), ("?", "keys"))
        return (self.moving, ("Enter", "details"), ("y", "copy"), ("/", "search"), ("?", "keys"))

    def press(self, intent: Intent) -> bool:
        """Move the selection. Return whether the key does so."""
        return self.choice.press(intent, self.row_keys())

    def inspected(self) -> Inspected | None:
        """Return the details of the row that is open, otherwise of the selected row.

        If no row is selected, the first one is selected.
        """
        key = self.choice.hold(self.row_keys()) if self.opened is None else self.opened
        return None if key is None else self.inspect(key)

    def find(self, query: Query, *, is_next: bool = True, includes_selected: bool = False) -> None:
        """Select the next or the previous row that matches a search.

        Args:
            query: The search.
            is_next: Whether to search forward. Both directions go on at the other end.
            includes_selected: Whether the selected row can be the match.
        """
        keys = self.row_keys()
        matches = [index for index, key in enumerate(keys) if query.is_in(self.content(key))]
        if not matches:
            return
        here = self.choice.sync(keys)
        if here is None:
            index = matches[0 if is_next else -1]
        elif is_next:
            first = here if includes_selected else here + 1
            index = next((one for one in matches if one >= first), matches[0])
        else:
            index = next((one for one in reversed(matches) if one < here), matches[-1])
        self.choice.select(keys, index)
        if self.opened is not None:
            self.opened = self.selected

    def position(self, query: Query, now: int) -> tuple[int, int]:
        """Return the number of the selected match (0 if none is selected), and how many matches there are.

        The matches are counted once a second.
        """
        state = (query.text, now // _SECOND, self.selected)
        if self._found is None or self._found[0] != state:
            self._found = (state, [key for key in self.row_keys() if query.is_in(self.content(key))])
        matches = self._found[1]
        return (matches.index(self.selected) + 1 if self.selected in matches else 0), len(matches)

    @property
    def gutter(self) -> int:
        """The cells before each row for its mark; 0 as long as no row is selected."""
        return len(SELECTED) if self.selected is not None else 0

    def marked(self, key: K, line: Text, width: int) -> Text:
        """Return a line with its mark before it, if any row is selected."""
        return marked(line, width, is_selected=key == self.selected) if self.gutter else line


def marked(line: Text, width: int, *, is_selected: bool) -> Text:
    """Return a line after the mark of the selected row, or after as many spaces."""
    row = plain(SELECTED if is_selected else " " * len(SELECTED), "bold" if is_selected else "")
    row = plain().append_text(row).append_text(line)
    if is_selected:
        row.append(" " * max(width - row.cell_len, 0))
        row.stylize("reverse")
    row.truncate(width)
    return row
