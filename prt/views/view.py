"""What a part of the screen is: a state that events change, and the lines that show it."""

from __future__ import annotations

from typing import Protocol

from rich.text import Text

from prt.events import Event


class View(Protocol):
    """A reducer of `prt/state/` with its lines. Nothing in it waits, prints or asks for the time."""

    @property
    def title(self) -> str:
        """A word or two for the rule above it, where several share the screen."""
        ...

    def apply(self, event: Event) -> None: ...

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """At most `height` lines of at most `width` cells, never wrapped; `now` in µs."""
        ...

    def summary(self) -> list[str]:
        """Safe lines for standard error at the end; none where there is nothing to say."""
        ...
