"""The views of a screen: those that were asked for share it, and any view can be shown alone.

A view that was not asked for is built when it's shown first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prt.state.screen import Screen
from prt.state.viewport.viewport import Viewport
from prt.views.panels.listed import Listed
from prt.views.panels.view import View


class Other:
    """A view that was not asked for; `view` is None until it's built."""

    def __init__(self, name: str, make: Callable[[], View]) -> None:
        self.name = name
        self.view: View | None = None
        self._make = make

    def made(self) -> View:
        """Return the view, and build it first if necessary."""
        if self.view is None:
            self.view = self._make()
        return self.view


class ActiveViews:
    """The views that share a screen, and the other views; a digit or Tab shows any of them alone.

    Views are numbered from 0; those that were asked for come first.
    """

    def __init__(self, screen: Screen, asked: Sequence[View], others: Sequence[Other] = ()) -> None:
        self.asked = asked
        self.others = others
        self._screen = screen
        self._alone: int | None = None if len(asked) > 1 else 0

    @property
    def active(self) -> View:
        """The view that keys act on: the one that is shown alone, otherwise the first."""
        number = self._alone or 0
        return (
            self.asked[number] if number < len(self.asked) else self.others[number - len(self.asked)].made()
        )

    @property
    def shown(self) -> Sequence[View]:
        """The views that are drawn."""
        return self.asked if self._alone is None else [self.active]

    @property
    def viewport(self) -> Viewport:
        """The list of events of the active view; that of the screen if the view is not a list of events."""
        return getattr(self.active, "viewport", self._screen.viewport)

    @property
    def listed(self) -> Listed[Any] | None:
        """The active view if it's a list whose rows are not events; otherwise None."""
        view: object = self.active
        return view if isinstance(view, Listed) else None

    @property
    def is_list(self) -> bool:
        """Whether the active view is a list of events."""
        return hasattr(self.active, "viewport")

    @property
    def has_lists(self) -> bool:
        """Whether any view is a list of events; views that were not asked for include lists."""
        return bool(self.others) or any(hasattr(view, "viewport") for view in self.asked)

    def names(self) -> list[tuple[str, bool]]:
        """Return the title of each view, and whether it's drawn."""
        known = [(view.title, self._alone in (None, number)) for number, view in enumerate(self.asked)]
        return known + [
            (one.name, self._alone == number) for number, one in enumerate(self.others, len(self.asked))
        ]

    def show(self, number: int) -> bool:
        """Show a view alone, or the views that were asked for if it's alone already.

        Returns:
            Whether there is a view of this number.
        """
        if number >= len(self.asked) + len(self.others):
            return False
        self._show(self._first() if self._alone == number else number)
        return True

    def show_next(self) -> None:
        """Show the next view alone; after the last one, show the views that were asked for."""
        following = 0 if self._alone is None else self._alone + 1
        self._show(following if following < len(self.asked) + len(self.others) else self._first())

    def take_over(self, former: ActiveViews) -> None:
        """Show the same view at the same position as `former`, the views before the screen was rebuilt."""
        self._alone = former._alone
        pairs = list(zip(self.asked, former.asked, strict=True))
        pairs += [
            (own.made(), other.view)
            for own, other in zip(self.others, former.others, strict=True)
            if other.view is not None
        ]
        for viewport, other in (
            (self._screen.viewport, former._screen.viewport),
            *((getattr(one, "viewport", None), getattr(view, "viewport", None)) for one, view in pairs),
        ):
            if viewport is not None and other is not None:
                viewport.take_over(other)
                viewport.paused_at = None  # it's the number of an event that the new list doesn't have
        for one, view in pairs:
            if isinstance(one, Listed) and isinstance(view, Listed):
                one.selected = view.selected

    def pause_all(self) -> None:
        """Pause or resume all other lists, as the active one is."""
        paused_at = self.viewport.paused_at
        views = [*self.asked, *(one.view for one in self.others)]
        for viewport in (self._screen.viewport, *(getattr(view, "viewport", None) for view in views)):
            if viewport is not None:
                viewport.paused_at = paused_at

    def _first(self) -> int | None:
        return None if len(self.asked) > 1 else 0

    def _show(self, number: int | None) -> None:
        former, listed = self.viewport, self.listed
        former.overlay = former.opened = None
        if listed is not None:
            listed.opened = None
        self._alone = number
        if self.viewport is not former:
            self.viewport.take_over(former)
