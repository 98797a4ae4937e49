"""Reports on standard error about the stream, if the output is a pipe."""

from __future__ import annotations

from prt.events import Event, Malformed, Status
from prt.views.drawing.notices import notice
from prt.views.sinks.stderr import complain

MALFORMED_REPORTED = 5
"""How many unreadable frames are reported at most; the output has all of them."""


class Notices:
    """Reports what a pipe's reader may drop: failures, gaps, and frames that can't be read."""

    def __init__(self) -> None:
        self._malformed = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Status) and event.connection == "connected":
            if event.reason is not None:
                complain(event.reason, event.hint)
            return
        if isinstance(event, Malformed):
            self._malformed += 1
            if self._malformed > MALFORMED_REPORTED:
                return
        words = notice(event)
        if words is not None:
            complain(*words)
