"""The selection in a list of rows with keys, such as people or cards; it follows its row.

Lists of events have a `Viewport`, which also filters, pauses and follows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from prt.state.viewport.intents import Intent

K = TypeVar("K", bound=Hashable)


class Choice(Generic[K]):
    """The selected row. Each call gets the keys of the list in their current order."""

    def __init__(self) -> None:
        self.selected: K | None = None
        """The key of the selected row; None if no row is selected."""
        self._index = 0
        self._row = 0
        self.height = 1
        """How many rows fit on the screen, which is how far a page key moves."""

    def sync(self, keys: Sequence[K]) -> int | None:
        """Return the index of the selected row. If it's gone, select the row that is now at its index."""
        if self.selected is None:
            return None
        if not keys:
            self.selected = None
            return None
        try:
            self._index = keys.index(self.selected)
        except ValueError:
            self._index = min(self._index, len(keys) - 1)
            self.selected = keys[self._index]
        return self._index

    def window(self, keys: Sequence[K], height: int) -> range:
        """Return the indices of the rows to draw in `height` lines.

        The selected row stays in its line if possible.
        """
        self.height = max(height, 1)
        index = None if self.selected is None or self.selected not in keys else keys.index(self.selected)
        if index is None:
            return range(min(len(keys), max(height, 0)))
        first = max(index - self._row, index - self.height + 1, 0)
        first = min(first, index, max(len(keys) - self.height, 0))
        self._row = index - first
        return range(first, min(first + max(height, 0), len(keys)))

    def select(self, keys: Sequence[K], index: int) -> None:
        """Select the row at an index, or the nearest one; the list scrolls as far as necessary."""
        if not keys:
            self.selected = None
            return
        before = self.sync(keys)
        index = min(max(index, 0), len(keys) - 1)
        moved = index if before is None else self._row + index - before
        self._row = min(max(moved, 0), self.height - 1)
        self._index, self.selected = index, keys[index]

    def hold(self, keys: Sequence[K]) -> K | None:
        """Return the selected row, or select the first one; None if the list is empty."""
        if self.sync(keys) is None:
            self.select(keys, 0)
        return self.selected

    def press(self, intent: Intent, keys: Sequence[K]) -> bool:
        """Move the selection. Return whether the intent does so."""
        if intent is Intent.BACK:
            was_selected, self.selected = self.selected is not None, None
            return was_selected
        page = max(self.height - 1, 1)
        steps = {Intent.UP: -1, Intent.DOWN: 1, Intent.PAGE_UP: -page, Intent.PAGE_DOWN: page}
        if intent in steps:
            index = self.sync(keys)
            self.select(keys, 0 if index is None else index + steps[intent])
        elif intent in (Intent.HOME, Intent.END):
            self.select(keys, 0 if intent is Intent.HOME else len(keys) - 1)
        else:
            return False
        return True
