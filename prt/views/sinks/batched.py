"""The output for `--batch MS`: changes are shown at the end of a time window, one for each row.

All changes are counted at once. An event about the connection doesn't wait: it ends the window, so that no
change is shown on the wrong side of a gap. Broadcasts and presence don't wait either, but don't end the
window, because they have no order relative to changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prt.events import Broadcast, Change, End, Event, Presence
from prt.state.rows.batching import Batch
from prt.views.sinks.output import Output, Passing


class Sink(Output, Protocol):
    """An output that can count a change without showing it; `write` does both."""

    def note(self, change: Change) -> None:
        """Count a change without showing it."""
        ...

    def show(self, event: Event) -> None:
        """Show an event that was counted before."""
        ...


class Batched(Passing):
    """An output that merges the changes of a row that arrive within `window` seconds of `clock`."""

    def __init__(self, sink: Sink, batch: Batch, window: float, clock: Callable[[], float]) -> None:
        super().__init__(sink)
        self._sink = sink
        self._batch = batch
        self._window = window
        self._clock = clock
        self._due: float | None = None

    def write(self, event: Event) -> None:
        """Show an event; a change is counted at once, and shown at the end of the window."""
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
        """Show the changes if the window is over, and write as much as possible without waiting."""
        if self._due is not None and self._clock() >= self._due:
            self._end_window()
        return super().drain()

    def flush(self) -> None:
        """Show the changes of the window, and write everything."""
        self._end_window()
        super().flush()

    def close(self, end: End) -> None:
        """Show the changes of the window, and close the output."""
        self._end_window()
        super().close(end)

    def _end_window(self) -> None:
        if self._due is not None:
            self._due = None
            for change in self._batch.take():
                self._sink.show(change)
