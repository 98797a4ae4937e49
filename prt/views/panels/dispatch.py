"""The dispatch of events to a screen's head and its views."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prt.events import Change, Event
from prt.state.newest import KEPT, Shown, event_of
from prt.state.rows.cache import read_row
from prt.state.screen import Screen
from prt.views.panels.view import View

MOST_HELD = KEPT
"""How many events are held back for paused views; beyond that, the oldest are passed on to them."""


class Sharing:
    """Passes events to the screen and to all its views.

    A view that counts changes has a method `note`, which gets every change, shown or not. While events are
    held back, they reach the screen alone; the views get them afterwards.
    """

    def __init__(self, screen: Screen, views: Sequence[View]) -> None:
        self._screen = screen
        self._views = [*views]
        self._counting = [view.note for view in views if hasattr(view, "note")]
        self._is_held = False
        self._held: deque[tuple[Callable[[Any], None], Event]] = deque()

    def apply(self, event: Event) -> None:
        """Count an event and show it."""
        if type(event) is Change:
            self.note(event)
        self.show(event)

    def note(self, change: Change) -> None:
        """Count a change without showing it, which is done later or not at all."""
        self._screen.note(change)
        for note in self._counting:
            self._hand(note, change)

    def show(self, event: Event) -> None:
        """Show an event, unless a later state of its row is known.

        A change must have been counted by `note`.
        """
        is_shown = self._screen.show(event) if type(event) is Change else self._screen.apply(event)
        if is_shown:
            for view in self._views:
                self._hand(view.apply, event)

    def hold(self, *, is_held: bool) -> None:
        """Hold events back from the views, or pass on those that were held back."""
        if is_held != self._is_held:
            for view in self._views:
                if hasattr(view, "hold"):
                    view.hold(is_held=is_held)
        self._is_held = is_held
        while self._held and not is_held:
            apply, event = self._held.popleft()
            apply(event)

    def add(self, view: View) -> None:
        """Add a view later: it gets the rows and events that are kept, then all that follow."""
        screen, note = self._screen, getattr(view, "note", None)
        paused_at = screen.viewport.paused_at
        for row in self._rows_before():
            view.apply(row)
        if screen.vitals is not None:
            view.apply(screen.vitals)
        for number, kept in screen.newest.since(0):
            event = event_of(kept)
            calls = [note] if note is not None and type(event) is Change else []
            for apply in (*calls, view.apply):
                if paused_at is not None and number >= paused_at:
                    self._held.append((apply, event))
                else:
                    apply(event)
        self._views.append(view)
        if note is not None:
            self._counting.append(note)

    def _rows_before(self) -> Iterator[Change]:
        """Yield the rows as they were before the events that are kept, as far as they are known."""
        screen = self._screen
        changed = set()
        for _, kept in screen.newest.since(0):
            if isinstance(kept, Shown) and (key := screen.rows.key_of(kept.change)) not in changed:
                changed.add(key)
                if kept.previous is not None and key is not None:
                    yield read_row(key, kept.previous)
        for key, row in screen.rows.present():
            if key not in changed:
                yield read_row(key, row)

    def _hand(self, apply: Callable[[Any], None], event: Event) -> None:
        if not self._is_held:
            apply(event)
            return
        self._held.append((apply, event))
        if len(self._held) > MOST_HELD:
            oldest, earlier = self._held.popleft()
            oldest(earlier)
