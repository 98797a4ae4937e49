"""The connection of one identity in a check: the received events, and the wait for those that must come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from msgspec import structs

from prt.checks.test.outcomes import FailedError, failure_of
from prt.checks.test.rows import Row
from prt.checks.test.trace import FRAME_SHOWN, Trace
from prt.errors import PrtError
from prt.events import Broadcast, Change, Event, Gap, Malformed, Presence, Status, Vitals
from prt.inputs import Input
from prt.results import Failure
from prt.stream.live.listener import Listener, listening
from prt.stream.live.source import Live
from prt.stream.socket import wire
from prt.stream.socket.wire import Frame

Kind = TypeVar("Kind", bound=Event)


class Watcher:
    """The connection of one identity in a check. `events` holds all received events in order."""

    def __init__(self, who: str, trace: Trace, *, wait_seconds: float, run_mark: str) -> None:
        self.who = who
        self.events: list[Event] = []
        self.listener = Listener(self._apply, self._on_end)
        self._live: Live | None = None
        self._trace = trace
        self._wait_seconds = wait_seconds
        self._run_mark = run_mark
        self._complaint: str | None = None

    @property
    def error(self) -> PrtError | None:
        """Return what ended the connection, None while it is up."""
        return self.listener.error

    @property
    def live(self) -> Live:
        """Return the source of the events."""
        assert self._live is not None  # noqa: S101 - set before the block that it is used in
        return self._live

    def begin(self, live: Live) -> None:
        """Set the source of the events, before it is read."""
        self._live = live

    async def ready(self, tables: str | None = None) -> Status:
        """Wait for READY, and return that status. `tables` names the tables in the message of a failure.

        Raises:
            FailedError: READY did not come in time, or the connection ended.
        """
        expected = f"READY{f' on {tables}' if tables else ''}"
        return await self.until(
            Status, lambda event: event.status == "READY", expected, cause_of=self._why_not_ready
        )

    async def change(self, event_type: str, row: Row) -> Change:
        """Wait for a change of this row, and return it.

        Raises:
            FailedError: The change did not come in time, or the connection ended.
        """
        return await self.until(
            Change,
            lambda event: event.event_type == event_type and row.is_in(event),
            f"{event_type} of our row",
        )

    async def until(
        self,
        kind: type[Kind],
        wanted: Callable[[Kind], bool],
        expected: str,
        *,
        start: int = 0,
        cause_of: Callable[[], tuple[str | None, str | None]] | None = None,
    ) -> Kind:
        """Wait for the first event of a kind for which `wanted` holds, and return it.

        Args:
            kind: The class of the event.
            wanted: Returns whether an event is the wanted one.
            expected: What is expected, for the message of a failure.
            start: The number of the first event to look at.
            cause_of: Returns the cause and the remedy for a failure.

        Raises:
            FailedError: The event did not come in time, or the connection ended.
        """
        seen = start

        def find() -> Kind | None:
            nonlocal seen
            while seen < len(self.events):
                event = self.events[seen]
                seen += 1
                if isinstance(event, kind) and wanted(event):
                    return event
            return None

        found = await self.listener.until(find, self._wait_seconds)
        if found is not None:
            return found
        if self.error is not None:
            failure = failure_of(self.error, expected)
            words = failure.server or self.server_words()
            words = None if words == failure.came else words  # our own words, which `came` already contains
            raise FailedError(structs.replace(failure, server=words)) from self.error
        cause, remedy = (None, None) if cause_of is None else cause_of()
        raise FailedError(
            Failure(
                expected=f"{expected} as {self.who}",
                came=f"{self.summary(start)} in {self._wait_seconds:g} s",
                server=self.server_words(),
                cause=cause,
                remedy=remedy,
            )
        )

    def changes(self, row: Row) -> list[Change]:
        """Return the changes of a row that have arrived."""
        return [event for event in self.events if isinstance(event, Change) and row.is_in(event)]

    def has_come(self, row: Row) -> bool:
        """Return whether a change of a row has arrived."""
        return bool(self.changes(row))

    def summary(self, start: int = 0) -> str:
        """Return in a few words what has arrived since the event number `start`."""
        states = [event.status for event in self.events if isinstance(event, Status)]
        counts: dict[str, int] = {}
        for event in self.events[start:]:
            name = {Change: "change", Broadcast: "broadcast", Presence: "presence event"}.get(type(event))
            if name is not None:
                counts[name] = counts.get(name, 0) + 1
        others = ", ".join(f"{count} other {name}{'s' * (count > 1)}" for name, count in counts.items())
        return f"{states[-1] if states else 'no answer to the join'}, then {others or 'nothing'}"

    def server_words(self) -> str | None:
        """Return the server's last complaint, in its own words if they are known; None if there is none."""
        if self._complaint is not None:
            return self._complaint
        words = [event.reason for event in self.events if isinstance(event, Status) and event.reason]
        return words[-1] if words else None

    def on_frame(self, frame: Frame) -> None:
        """Note a control frame for the report."""
        payload = bytes(frame.payload)[:FRAME_SHOWN].decode(errors="replace")
        self._trace.note(self.who, f"{frame.event} {payload}")
        if frame.event == "system":
            with contextlib.suppress(msgspec.DecodeError, RecursionError):
                message = wire.system(frame)
                self._complaint = message.message if message.status != "ok" else self._complaint

    def _why_not_ready(self) -> tuple[str | None, str | None]:
        hints = [event.hint for event in self.events if isinstance(event, Status) and event.hint]
        if hints:
            return None, hints[-1]
        return (
            "the database did not take the subscription up in time",
            f"is the project busy or waking up? try again, or give more time with {Input.WAIT}",
        )

    def _on_end(self, error: PrtError | None) -> None:
        if error is not None:
            self._trace.note(self.who, f"ended: {error.message}")

    def _apply(self, event: Event) -> None:
        self.events.append(event)
        text = described(event, self._run_mark)
        if text is not None:
            self._trace.note(self.who, text, event.at)


def described(event: Event, run_mark: str) -> str | None:
    """Return an event as one line for the report, or None.

    The line never shows rows that the run did not write.
    """
    match event:
        case Change():
            lag = "" if event.lag_ms is None else f" after {event.lag_ms:.1f} ms"
            errors = f" errors {event.errors}" if event.errors else ""
            origin = "" if event.source == "stream" else f" ({event.source})"
            text = bytes(event.new).decode(errors="replace")
            at = text.find(run_mark)
            shown = text[at + len(run_mark) : text.find('"', at)].strip() if at >= 0 else ""
            return f"{event.event_type} {event.schema}.{event.table} {shown}{origin}{lag}{errors}"
        case Broadcast():
            return f"broadcast {event.event}"
        case Presence():
            return f"presence {event.event} {event.key or ''}"
        case Status():
            tables = f" {', '.join(event.tables)}" if event.tables else ""
            return f"{event.status}{tables}{f': {event.reason}' if event.reason else ''}"
        case Gap():
            return (
                f"gap: {event.cause}; {event.recovered} recovered, {'complete' if event.complete else 'open'}"
            )
        case Malformed():
            return f"malformed: {event.reason}"
        case Vitals(phase="waiting" | "degraded"):
            return event.phase
        case _:
            return None


@asynccontextmanager
async def watching(watcher: Watcher, live: Live) -> AsyncIterator[Watcher]:
    """Read a source for the duration of the block, at whose end the channel is left and the socket closed."""
    watcher.begin(live)
    async with listening(live, watcher.listener):
        yield watcher


async def all_ready(watchers: Sequence[Watcher], tables: str | None = None) -> None:
    """Wait until all watchers are READY.

    Raises:
        FailedError: READY did not come in time, or a connection ended.
    """
    await asyncio.gather(*(watcher.ready(tables) for watcher in watchers))
