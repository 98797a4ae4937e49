"""The interface of the views: a state that events are applied to, and that is drawn as lines.

Views can have further members:

- `note(change)` gets every change, for views that count; `apply` may get several changes of a row as one.
- `all_lines(width, now)` returns everything, for views that show only a part or that fill their space.
- `keys` are single keys that the view acts on.
- `help` describes these keys, if they are the only ones.
- `has_own_head` is true for a view that replaces the head of the screen.
- `hold(is_held)` stops and resumes a view whose state belongs to the screen, while it is paused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prt.events import Event

if TYPE_CHECKING:
    from rich.text import Text


class View(Protocol):
    """A state of `prt/state/` that can be drawn. No method waits, prints or reads a clock."""

    @property
    def title(self) -> str:
        """A word or two for the rule above the view, if several views share the screen."""
        ...

    def apply(self, event: Event) -> None:
        """Apply an event to the state."""
        ...

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return at most `height` lines of at most `width` cells, which are never wrapped; `now` in µs."""
        ...

    def summary(self) -> list[str]:
        """Return safe lines for standard error at the end; none if there is nothing to report."""
        ...
