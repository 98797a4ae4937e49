"""`--batch MS`: what comes in a window is written at its end, each row once.

All is counted as it comes. What tells of the connection doesn't wait, and ends the window before it, so
that no change is shown on the other side of a gap; a broadcast or a presence event has no order with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prt.events import Broadcast, Change, End, Event, Presence
from prt.state.rows.batching import Batch
from prt.views.sinks.output import Output, Passing


class Sink(Output, Protocol):
    """An Output that counts a change apart from showing it; `write` does both."""

    def note(self, change: Change) -> None:
        """Count a change without showing it."""
        ...

    def show(self, event: Event) -> None:
        """Show an event that was counted."""
        ...


class Batched(Passing):
    """`window` in seconds, of the clock that is given."""

    def __init__(self, sink: Sink, batch: Batch, window: float, clock: Callable[[], float]) -> None:
        super().__init__(sink)
        self._sink = sink
        self._batch = batch
        self._window = window
        self._clock = clock
        self._due: float | None = None

    def write(self, event: Event) -> None:
        """Count an event at once, and show it at the end of the window."""
        if type(event) is Change:
            self._sink.note(event)
            self._batch.add(event)
            if self._due is None:
                self._due = self._clock() + self._window
            if self._batch.is_full:
                self._end_window()
            return
        if not isinstance(event, Broadcast | Presence):
            self._end_window()
        self._sink.write(event)

    def drain(self) -> bool:
        """Show the window if it is over, and write what can be written without waiting."""
        if self._due is not None and self._clock() >= self._due:
            self._end_window()
        return super().drain()

    def flush(self) -> None:
        """Show the window, and write everything."""
        self._end_window()
        super().flush()

    def close(self, end: End) -> None:
        """Show the window, and close the output."""
        self._end_window()
        super().close(end)

    def _end_window(self) -> None:
        if self._due is not None:
            self._due = None
            for change in self._batch.take():
                self._sink.show(change)
