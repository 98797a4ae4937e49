"""The outputs for `--once`: they print nothing until the end, and then the state: a roster or views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from prt.events import End, Event, Presence
from prt.state.roster import Presences
from prt.views.panels.dispatch import Sharing
from prt.views.sinks import ndjson
from prt.views.sinks.output import LineOutput
from prt.views.sinks.still import Still

if TYPE_CHECKING:
    from rich.console import Console

    from prt.state.screen import Screen
    from prt.views.panels.view import View

_MOST_LINES = 1000


class OnceLines(LineOutput):
    """An output that writes one `sync` with the whole roster, and then the end.

    If the roster never arrived, only the end is written.
    """

    def __init__(
        self,
        fd: int,
        topic: str,
        encode: Callable[[Event], bytes] = ndjson.encode,
        *,
        only: Iterable[str] | None = None,
    ) -> None:
        super().__init__(fd, encode, only=only)
        self._topic = topic
        self._presences = Presences()

    def write(self, event: Event) -> None:
        """Apply an event to the roster."""
        self._presences.apply(event)

    def close(self, end: End) -> None:
        """Write one line with all who are present, and then the last line, `end`."""
        topic = self._presences.topics.get(self._topic)
        if end.exit_code == 0 and topic is not None:
            state = {key: person.metas for key, person in topic.people.items()}
            super().write(
                Presence(at=topic.changed_at or end.at, topic=self._topic, event="sync", state=state)
            )
        super().write(end)
        self.flush()


class OnceTable(Still):
    """An output that prints the roster with everyone in it as a table, or nothing if it never arrived.

    `width` is in cells; None is the width of the terminal.
    """

    def __init__(
        self,
        console: Console,
        *,
        width: int | None = None,
        columns: Sequence[str] = (),
        own_key: str | None = None,
    ) -> None:
        super().__init__(console)
        self._width = width
        self._columns = columns
        self._own_key = own_key
        self._presences = Presences()

    def write(self, event: Event) -> None:
        """Apply an event to the roster."""
        self._presences.apply(event)

    def close(self, end: End) -> None:
        """Print the roster as a table, unless the command failed."""
        from prt.views.panels.roster import Roster  # noqa: PLC0415 - Rich is for tables

        if end.exit_code == 0:
            roster = Roster(self._presences, columns=self._columns, own_key=self._own_key)
            for line in roster.all_lines(self._width or self._console.width, end.at):
                self._console.print(line, soft_wrap=True)


class OnceViews(Still):
    """An output that prints the whole content of views below each other.

    `width` is in cells; None is the width of the terminal.
    """

    def __init__(
        self, console: Console, screen: Screen, views: Sequence[View], *, width: int | None = None
    ) -> None:
        super().__init__(console)
        self._views = views
        self._sharing = Sharing(screen, views)
        self._width = width

    def write(self, event: Event) -> None:
        """Apply an event to the views."""
        self._sharing.apply(event)

    def close(self, end: End) -> None:
        """Print the views, each as high as its content."""
        from prt.views.panels.layout import stacked  # noqa: PLC0415 - Rich is for tables

        self.write(end)
        for line in stacked(self._views, self._width or self._console.width, _MOST_LINES, end.at):
            self._console.print(line, soft_wrap=True)
