"""The interface of a part of the screen: a state that takes in events, drawn as lines.

A view that counts has `note(change)` too, which gets every change; `apply` may get several of a row as one.
One that shows a part of what it has, or fills its place, has `all_lines(width, now)` to be printed whole.
One that acts on single keys has `keys`, and one that needs no head of the screen has `has_own_head`.
One whose state belongs to somebody else has `hold(is_held)`, to stand still while the view is paused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prt.events import Event

if TYPE_CHECKING:
    from rich.text import Text


class View(Protocol):
    """A reducer of `prt/state/` with its lines. Nothing in it waits, prints or asks for the time."""

    @property
    def title(self) -> str:
        """A word or two for the rule above it, where several share the screen."""
        ...

    def apply(self, event: Event) -> None:
        """Take in an event."""
        ...

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return at most `height` lines of at most `width` cells, never wrapped; `now` in µs."""
        ...

    def summary(self) -> list[str]:
        """Safe lines for standard error at the end; none where there is nothing to say."""
        ...
