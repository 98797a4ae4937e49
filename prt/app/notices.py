"""Reports on standard error of what happens to the stream, if the output is a pipe."""

from __future__ import annotations

from prt.events import Event, Malformed, Status
from prt.views.drawing.notices import notice
from prt.views.sinks.stderr import complain

MALFORMED_REPORTED = 5
"""The most unreadable frames that are reported; the stream itself holds all."""


class Notices:
    """Reports what a pipe's reader may drop: what failed, what is missing, what can't be read."""

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
