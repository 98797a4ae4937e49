"""`prt presence --once`: nothing until the end, then who was there: one line, or a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from prt.events import End, Event, Presence
from prt.state.presences import Presences
from prt.views import ndjson
from prt.views.output import LineOutput

if TYPE_CHECKING:
    from rich.console import Console


class OnceLines(LineOutput):
    """One sync with the whole state, and the end; the end alone where it did not come to a roster."""

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
        self._presences.apply(event)

    def close(self, end: End) -> None:
        topic = self._presences.topics.get(self._topic)
        if end.exit_code == 0 and topic is not None:
            state = {key: person.metas for key, person in topic.people.items()}
            super().write(
                Presence(at=topic.changed_at or end.at, topic=self._topic, event="sync", state=state)
            )
        super().write(end)
        self.flush()


class OnceTable:
    """The roster as a table, however many people there are; nothing where it did not come to one.

    `width` None is the terminal's.
    """

    def __init__(
        self,
        console: Console,
        *,
        width: int | None = None,
        columns: Sequence[str] = (),
        own_key: str | None = None,
    ) -> None:
        self._console = console
        self._width = width
        self._columns = columns
        self._own_key = own_key
        self._presences = Presences()

    def write(self, event: Event) -> None:
        self._presences.apply(event)

    def close(self, end: End) -> None:
        from prt.views.roster import Roster  # noqa: PLC0415 - Rich is for tables

        if end.exit_code == 0:
            roster = Roster(self._presences, columns=self._columns, own_key=self._own_key)
            for line in roster.all_lines(self._width or self._console.width, end.at):
                self._console.print(line, soft_wrap=True)

    @property
    def pending(self) -> int:
        return 0

    @property
    def keys(self) -> None:
        """There is no screen."""
        return None

    def drain(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing waits."""

    def suspend(self) -> None:
        """Nothing was taken."""

    def resume(self) -> None:
        """Nothing is to be taken again."""

    def fileno(self) -> int:
        return self._console.file.fileno()
