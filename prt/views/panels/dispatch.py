"""What happens to a screen's head and to the views that share it, whatever draws them."""

from __future__ import annotations

from collections.abc import Sequence

from prt.events import Change, Event
from prt.state.screen import Screen
from prt.views.panels.view import View


class Sharing:
    """Takes events to all of them. A view that counts has a `note`, which gets every change."""

    def __init__(self, screen: Screen, views: Sequence[View]) -> None:
        self._screen = screen
        self._views = views
        self._counting = [view.note for view in views if hasattr(view, "note")]

    def apply(self, event: Event) -> None:
        if type(event) is Change:
            self.note(event)
        self.show(event)

    def note(self, change: Change) -> None:
        """Only counted: what of it is shown comes later."""
        self._screen.note(change)
        for note in self._counting:
            note(change)

    def show(self, event: Event) -> None:
        """Shown where it is news; a change must have been noted."""
        is_news = self._screen.show(event) if type(event) is Change else self._screen.apply(event)
        if is_news:
            for view in self._views:
                view.apply(event)
