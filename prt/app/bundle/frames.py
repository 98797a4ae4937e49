"""The frames of a short watch, without the values that a bug report may not have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from prt.app.bundle.scrubbing import Scrubber, kind_of
from prt.checks.status.layers import source_listener
from prt.clock import wall_clock
from prt.config.project import Project
from prt.errors import PrtError
from prt.events import Broadcast, Change, Event, Malformed, Status, Vitals
from prt.stream.binding import Binding
from prt.stream.live.source import Live
from prt.stream.rest.session import session_of
from prt.stream.socket.wire import Frame
from prt.stream.topic import TopicSettings

WATCH_SECONDS: Final = 5.0
MOST: Final = 500
"""How many frames a bundle has at most."""


class Frames:
    """The frames of a short watch.

    `lines` are objects, the oldest first, with the time since the start as `after_ms`.
    """

    def __init__(self, scrubber: Scrubber) -> None:
        self.lines: list[dict[str, Any]] = []
        self.left_out = 0
        self._scrubber = scrubber
        self._started = wall_clock()

    def consume_frame(self, frame: Frame) -> None:
        """Keep a control frame."""
        try:
            payload = msgspec.json.decode(frame.payload)
        except msgspec.DecodeError:
            payload = None
        topic = self._scrubber.text(frame.topic)
        self._note(topic=topic, frame=frame.event, payload=self._scrubber.payload(frame.event, payload))

    def consume(self, event: Event) -> None:
        """Keep an event that isn't a control frame."""
        if isinstance(event, Vitals):
            self._note(phase=event.phase, reconnects=event.reconnects, round_trip_ms=event.round_trip_ms)
        elif isinstance(event, Change):
            self._note(
                topic=event.topic,
                frame="postgres_changes",
                lag_ms=event.lag_ms,
                payload={
                    "type": event.event_type,
                    "schema": event.schema,
                    "table": event.table,
                    "commit_timestamp": event.commit_timestamp,
                    "record": {name: kind_of(value) for name, value in event.new_row().items()},
                    "old_record": {name: kind_of(value) for name, value in event.old_row().items()},
                    "errors": None if event.errors is None else self._scrubber.texts(event.errors),
                },
            )
        elif isinstance(event, Broadcast):
            self._note(frame="broadcast", payload="<binary>" if event.binary is not None else "<object>")
        elif isinstance(event, Status):
            self._note(
                status=event.status,
                tables=event.tables,
                reason=self._scrubber.texts(event.reason),
                code=event.code,
            )
        elif isinstance(event, Malformed):
            self._note(frame="<unreadable>", reason=self._scrubber.text(event.reason))

    def fail(self, error: PrtError) -> None:
        """Keep the error that ended the watch."""
        self._note(error=error.id, message=self._scrubber.text(error.message))

    def _note(self, **members: Any) -> None:
        if len(self.lines) >= MOST:
            self.left_out += 1
            return
        self.lines.append({"after_ms": round((wall_clock() - self._started) / 1000, 3), **members})


async def watch_briefly(
    project: Project,
    bindings: Sequence[Binding],
    settings: TopicSettings | None,
    scrubber: Scrubber,
    seconds: float = WATCH_SECONDS,
) -> Frames:
    """Watch for a few seconds, or until the watch fails, and return the frames.

    Args:
        project: The project.
        bindings: The tables to watch.
        settings: The topic to watch, or None.
        scrubber: Removes values that may not be published.
        seconds: How long to watch.
    """
    frames = Frames(scrubber)
    try:
        async with asyncio.timeout(seconds), session_of(project) as session:
            live = Live(
                session,
                bindings,
                settings=settings,
                policy=source_listener.POLICY,
                timing=source_listener.TIMING,
                on_frame=frames.consume_frame,
            )
            async with live as batches:
                async for batch in batches:
                    for event in batch:
                        frames.consume(event)
    except TimeoutError:
        pass
    except PrtError as exc:
        frames.fail(exc)
    return frames
