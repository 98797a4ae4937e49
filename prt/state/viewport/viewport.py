"""The view of a person on a list of events: selection, position, search, filter, kinds, pause and overlay.

The list is drawn newest first. If the top is None, the list follows: the newest event is always at the top.
The selection is the number of an event, so new events don't move it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from prt.state.newest import Kept, Newest
from prt.state.viewport.intents import Intent
from prt.state.viewport.kinds import CLOSING, KIND_OF, Kind, Overlay, Prompt, kind_of
from prt.state.viewport.query import Filter, Query


class Viewport:
    """The state of a list of events; `window` returns the events to draw.

    `selected` is the number of the selected event, None while the list follows. `kinds` are the kinds shown.
    """

    def __init__(self, newest: Newest, *, belongs: Callable[[Kept], bool] | None = None) -> None:
        """Create the state for the kept events.

        `belongs` decides which of them the list has, and None is all.
        """
        self.selected: int | None = None
        self.kinds = frozenset(Kind)
        self.query = Query("")
        self.filter = Filter("")
        self.prompt: Prompt | None = None
        self.overlay: Overlay | None = None
        self.opened: int | None = None
        """The number of the event whose details are open; None if no details are open."""
        self.overlay_top = 0
        """How many lines of the overlay are above the screen."""
        self.paused_at: int | None = None
        """The number of the first event after the pause began; None if the list isn't paused."""
        self._newest = newest
        self._belongs = belongs
        self._cleared = 0
        self._height = 1
        self._top: int | None = None
        self._shown: list[int] = []
        self._matches: list[int] = []
        self._seen = 0

    @property
    def is_following(self) -> bool:
        """Whether the newest event is always at the top."""
        return self._top is None

    @property
    def waiting(self) -> int:
        """The number of events since the list was paused."""
        return 0 if self.paused_at is None else self._newest.added - self.paused_at

    @property
    def hidden(self) -> int:
        """The number of kept events that are left out by the filter, the kinds or the clearing."""
        self.sync()
        newest, belongs = self._newest, self._belongs
        if belongs is None:
            return newest.added - newest.first - len(self._shown)
        return sum(belongs(kept) for _, kept in newest.since(0)) - len(self._shown)

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter or the kinds leave out events."""
        return bool(self.filter) or len(self.kinds) < len(Kind)

    def sync(self) -> None:
        """Add events that came since the last call, and remove those that are no longer kept."""
        newest = self._newest
        for number, kept in newest.since(max(self._seen, self._cleared)):
            if self._is_shown(kept):
                self._shown.append(number)
                if self.query and self.query.matches(kept):
                    self._matches.append(number)
        self._seen = newest.added
        for numbers in (self._shown, self._matches):
            gone = bisect_left(numbers, newest.first)
            if gone:
                del numbers[:gone]
        shown = self._visible()
        if self.selected is not None:
            self.selected = _nearest(self._shown, shown, self.selected)
        if self.selected is None:
            self._top = None

    def window(self, height: int) -> list[int]:
        """Return the numbers of the events to draw, the newest first, at most `height` of them."""
        self.sync()
        self._height = max(height, 1)
        shown = self._visible()
        last = self._index_of_top(shown)
        return self._shown[max(last + 1 - height, 0) : last + 1][::-1]

    def listed(self) -> list[int]:
        """Return the numbers of all events in the list, the oldest first."""
        self.sync()
        return self._shown[: self._visible()]

    def newer(self) -> int:
        """Return how many events are above the window."""
        shown = self._visible()
        return shown - 1 - self._index_of_top(shown) if shown else 0

    def place(self) -> tuple[int, int]:
        """Return the number of the selected event, from the newest, and how many events the list has."""
        current, listed = self.current(), self.listed()
        return len(listed) - bisect_left(listed, current or 0), len(listed)

    def push_down(self) -> None:
        """Scroll down by one event, because the events above the selection take more than a line each."""
        index = self._index_of_top(self._visible())
        if self.selected is not None and index > 0 and self._shown[index] > self.selected:
            self._top = self._shown[index - 1]

    def take_over(self, former: Viewport) -> None:
        """Use the search, filter and pause of another list."""
        self.query, self.filter, self.kinds = former.query, former.filter, former.kinds
        self.prompt, self.paused_at = former.prompt, former.paused_at
        self._judge_again()

    def follow(self) -> None:
        """Return to the newest event, and close all overlays."""
        self.selected = self._top = self.paused_at = self.overlay = self.opened = self.prompt = None

    def is_match(self, number: int) -> bool:
        """Return whether the search found an event."""
        index = bisect_left(self._matches, number)
        return index < len(self._matches) and self._matches[index] == number

    def position(self) -> tuple[int, int]:
        """Return the number of the selected match, from the newest, and the number of all matches.

        The first number is 0 if no match is selected.
        """
        count = bisect_left(self._matches, self._limit())
        current = self.current()
        if current is None or not self.is_match(current):
            return 0, count
        return count - bisect_left(self._matches, current), count

    def current(self) -> int | None:
        """Return the number of the event that Enter opens: the selected one, otherwise the newest."""
        self.sync()
        if self.selected is not None:
            return self.selected
        shown = self._visible()
        return self._shown[shown - 1] if shown else None

    def apply(self, intent: Intent) -> bool:
        """Handle an intent. Return whether this list handles it."""
        self.sync()
        if self.overlay is not None:
            return self._apply_overlay(intent)
        kind = KIND_OF.get(intent)
        if kind is not None:
            self.kinds = frozenset(self.kinds ^ {kind}) or frozenset(Kind)
            self._judge_again()
            return True
        return self._move(intent) or self._open(intent) or self._state(intent)

    def type(self, text: str) -> None:
        """Add text to the prompt."""
        if self.prompt is not None:
            self.prompt.text += "".join(letter for letter in text if letter.isprintable())
            self._typed()

    def erase(self) -> None:
        """Remove the last letter of the prompt; if it's empty, give up."""
        if self.prompt is None:
            return
        if not self.prompt.text:
            self.give_up()
            return
        self.prompt.text = self.prompt.text[:-1]
        self._typed()

    def accept(self, *, selects: bool = True) -> bool:
        """End the prompt, and select the first match if it `selects`. Return whether it was a search."""
        prompt, self.prompt = self.prompt, None
        is_search = prompt is not None and prompt.intent is Intent.SEARCH and bool(self.query)
        if is_search and selects:
            self._find(is_older=True, includes_current=True)
        return is_search

    def end_search(self) -> None:
        """End the search."""
        self._set(Intent.SEARCH, "")

    def give_up(self) -> None:
        """End the prompt, and restore the former text."""
        prompt, self.prompt = self.prompt, None
        if prompt is not None:
            self._set(prompt.intent, prompt.former)

    def _typed(self) -> None:
        assert self.prompt is not None  # noqa: S101 - there is a prompt
        self._set(self.prompt.intent, self.prompt.text)

    def _set(self, intent: Intent, text: str) -> None:
        if intent is Intent.SEARCH:
            self.query = Query(text)
        else:
            self.filter = Filter(text)
        self._judge_again()

    def _is_shown(self, kept: Kept) -> bool:
        if self._belongs is not None and not self._belongs(kept):
            return False
        if len(self.kinds) < len(Kind) and kind_of(kept) not in self.kinds:
            return False
        return not self.filter or self.filter.matches(kept)

    def _judge_again(self) -> None:
        self._shown, self._matches, self._seen = [], [], 0
        self.sync()

    def _limit(self) -> int:
        return self._newest.added if self.paused_at is None else self.paused_at

    def _visible(self) -> int:
        """Return how many of the listed events came before the pause."""
        return len(self._shown) if self.paused_at is None else bisect_left(self._shown, self.paused_at)

    def _index_of_top(self, shown: int) -> int:
        """Return the index of the event at the top, moved so that the selection is visible.

        The index is -1 if the list is empty.
        """
        if self._top is None or self.selected is None or not shown:
            return shown - 1
        index = min(bisect_left(self._shown, self._top), shown - 1)
        selected = bisect_left(self._shown, self.selected)
        index = min(max(index, selected), selected + self._height - 1, shown - 1)
        self._top = self._shown[index]
        return index

    def _select(self, index: int, *, stays: bool = False) -> None:
        """Select the event at an index; at the newest event the list follows again, unless it `stays`."""
        shown = self._visible()
        index = max(index, 0)
        if not shown or index >= shown - (not stays):
            self.selected = self._top = None
            return
        if self._top is None:
            self._top = self._shown[shown - 1]
        self.selected = self._shown[index]
        self._index_of_top(shown)

    def _move(self, intent: Intent) -> bool:
        page = max(self._height - 1, 1)
        steps = {Intent.UP: 1, Intent.DOWN: -1, Intent.PAGE_UP: page, Intent.PAGE_DOWN: -page}
        shown = self._visible()
        if intent in steps:
            index = shown - 1 if self.selected is None else bisect_left(self._shown, self.selected)
            self._select(index + steps[intent])
        elif intent is Intent.HOME:
            self._select(shown)
        elif intent is Intent.END:
            self._select(0)
        elif intent in (Intent.NEXT, Intent.PREVIOUS):
            self._find(is_older=intent is Intent.NEXT, includes_current=False)
        else:
            return False
        return True

    def _find(self, *, is_older: bool, includes_current: bool) -> None:
        """Select the next match; after the last one, start again at the other end."""
        matches = self._matches[: bisect_left(self._matches, self._limit())]
        if not matches:
            return
        current = self.current()
        index = bisect_left(matches, self._newest.added if current is None else current)
        is_at = index < len(matches) and matches[index] == current
        if not (includes_current and is_at):
            index = index - 1 if is_older else index + is_at
        self._select(bisect_left(self._shown, matches[index % len(matches)]), stays=True)

    def _open(self, intent: Intent) -> bool:
        if intent is Intent.OPEN:
            self.opened = self.current()
            self.overlay = None if self.opened is None else Overlay.DETAILS
        elif intent is Intent.HELP:
            self.overlay = Overlay.HELP
        elif intent is Intent.SEARCH:
            self.prompt = Prompt(intent, "", self.query.text)
        elif intent is Intent.FILTER:
            self.prompt = Prompt(intent, self.filter.text, self.filter.text)
        else:
            return False
        self.overlay_top = 0
        return True

    def _state(self, intent: Intent) -> bool:
        if intent is Intent.PAUSE:
            self.paused_at = self._newest.added if self.paused_at is None else None
        elif intent is Intent.CLEAR:
            self._cleared = self._limit()
            self.selected = self._top = None
            self._judge_again()
        elif intent is Intent.BACK:
            self._go_back()
        else:
            return False
        return True

    def _go_back(self) -> None:
        """Undo one step: the search, the filter, then the scrolling."""
        if self.query:
            self.end_search()
        elif self.is_narrowed:
            self.kinds = frozenset(Kind)
            self._set(Intent.FILTER, "")
        else:
            self.selected = self._top = None

    def _apply_overlay(self, intent: Intent) -> bool:
        page = max(self._height - 1, 1)
        steps = {Intent.UP: -1, Intent.DOWN: 1, Intent.PAGE_UP: -page, Intent.PAGE_DOWN: page}
        if intent in steps:
            self.overlay_top = max(self.overlay_top + steps[intent], 0)
        elif intent is Intent.HOME:
            self.overlay_top = 0
        elif intent is Intent.END:
            self.overlay_top = 1 << 30
        elif intent in (Intent.BACK, Intent.QUIT) or (intent, self.overlay) in CLOSING:
            self.overlay, self.opened = None, None
        elif intent in (Intent.NEXT, Intent.PREVIOUS) and self.overlay is Overlay.DETAILS:
            self._move(intent)
            self.opened, self.overlay_top = self.current(), 0
        elif intent is Intent.PAUSE:
            return self._state(intent)
        else:
            return False
        return True


def _nearest(numbers: list[int], shown: int, wanted: int) -> int | None:
    """Return the number if it's listed, otherwise the next newer one; None if that is the newest."""
    index = bisect_left(numbers, wanted)
    if index < shown and numbers[index] == wanted:
        return wanted
    return None if index >= shown - 1 else numbers[index]
