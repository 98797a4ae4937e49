"""Reports on standard error about the stream, if the output is a pipe."""

from __future__ import annotations

from prt.events import Event, Malformed, Status
from prt.views.drawing.notices import notice
from prt.views.sinks.stderr import complain

NAMED = 3
"""How many refused tables are named at most."""
MALFORMED_REPORTED = 5
"""How many unreadable frames are reported at most; the output has all of them."""


class Notices:
    """Reports what a pipe's reader may drop: failures, gaps, and frames that can't be read."""

    def __init__(self, default_tables: frozenset[str] = frozenset()) -> None:
        """Prepare the reports.

        Args:
            default_tables: The tables, as `schema.table`, that are watched because the user named none. Their
                refusals are reported in one line.
        """
        self._malformed = 0
        self._default_tables = default_tables
        self._refused: dict[str, None] = {}

    def flush(self) -> None:
        """Report the default tables that were refused since the last report."""
        refused, self._refused = list(self._refused), {}
        if not refused:
            return
        named = ", ".join(name.removeprefix("public.") for name in refused[:NAMED])
        if len(refused) == 1:
            words = f"the demo's table {named}, which is watched without TABLE, is not published here"
        else:
            more = " and others" if len(refused) > NAMED else ""
            words = (
                f"{len(refused)} of the demo's tables, which are watched without TABLE, are not published "
                f"here: {named}{more}"
            )
        complain(words, "name the tables to watch, or '*' for every published table")

    def __call__(self, event: Event) -> None:
        if isinstance(event, Status) and event.code is not None and self._default_tables:
            names = [name for name in event.tables or () if name in self._default_tables]
            if names and event.status == "CHANNEL_ERROR":
                self._refused.update(dict.fromkeys(names))
                return
        if isinstance(event, Status) and event.connection == "connected":
            if event.status == "READY":
                self.flush()
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
