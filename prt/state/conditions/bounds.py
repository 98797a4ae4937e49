"""The end of a watch: `--count`, `--duration`, `--idle`, `--timeout` and `--expect`, alone or together.

The caller passes the time with each call, in seconds of any monotonic clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from prt.errors import UsageError
from prt.events import Broadcast, Change, EndReason, Event, Loaded, Presence, Status
from prt.inputs import Input

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?")
_SECONDS: Final = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

AGENT_SECONDS: Final = 30.0
"""How long a watch lasts for an agent if nothing else ends it."""

TIMED_OUT = 124
UNMET = 1


def parse_duration(text: str, what: Input | str) -> float:
    """Return the seconds of a duration such as `3`, `3s`, `500ms`, `5m`, `1h` or `1h30m`.

    Args:
        text: The duration.
        what: The option or value that the error names.

    Raises:
        UsageError: The text isn't a duration above 0.
    """
    position, seconds = 0, 0.0
    for match in _DURATION.finditer(text.strip()):
        if match.start() != position:
            break
        position = match.end()
        seconds += float(match[1]) * _SECONDS[match[2]]
    if not position or position != len(text.strip()):
        raise UsageError(f'{what} expects a time, not "{text}"', "write 3, 3s, 500ms, 5m or 1h")
    if seconds <= 0:
        raise UsageError(f"{what} must be more than 0", "write 3, 3s, 500ms, 5m or 1h")
    return seconds


class Bounds(Struct, frozen=True, kw_only=True):
    """The limits of a watch; times are in seconds, and None stands for no limit."""

    count: int | None = None
    duration: float | None = None
    idle: float | None = None
    timeout: float | None = None
    is_once: bool = False
    """Whether the watch ends when the present rows have arrived."""
    agent: float | None = None
    """The limit for a watch by an agent, which nobody would interrupt."""


def parse_bounds(
    *,
    count: int | None = None,
    duration: str | None = None,
    idle: str | None = None,
    timeout: str | None = None,
    once: bool = False,
    agent: bool = False,
) -> Bounds:
    """Return the bounds that the options set.

    Args:
        count: How many events end the watch.
        duration: How long the watch lasts.
        idle: How long a pause without events ends the watch.
        timeout: How long to wait for the count, the expectations or the first event.
        once: Whether the watch ends after the present rows.
        agent: Whether an agent watches: without a duration or a timeout the watch ends after AGENT_SECONDS,
            because neither a count nor a pause is certain.

    Raises:
        UsageError: An option isn't a count or a duration.
    """
    if count is not None and count < 1:
        raise UsageError(f"{Input.COUNT} must be 1 or more", "leave it out to watch without end")
    return Bounds(
        count=count,
        duration=None if duration is None else parse_duration(duration, Input.DURATION),
        idle=None if idle is None else parse_duration(idle, Input.IDLE),
        timeout=None if timeout is None else parse_duration(timeout, Input.TIMEOUT),
        is_once=once,
        agent=AGENT_SECONDS if agent and duration is None and timeout is None else None,
    )


class Awaited(Protocol):
    """Events that must arrive, or people who must be present, for a watch to succeed."""

    def __bool__(self) -> bool:
        """Return whether anything is awaited at all."""
        ...

    @property
    def are_met(self) -> bool:
        """Whether nothing is missing any more."""
        ...

    def apply(self, event: Event) -> bool:
        """Apply a live event, a presence's sync or a status. Return whether everything is met now."""
        ...

    def missing(self) -> Sequence[object]:
        """Return what did not arrive, each as a line."""
        ...


class Outcome(Struct, frozen=True):
    """The end of a watch: its reason and exit code."""

    reason: EndReason
    exit_code: int


def is_live(event: Event) -> bool:
    """Return whether an event counts: a streamed change, a broadcast, or a presence's join, leave or update.

    Rows of a snapshot or a backfill and a presence's sync don't count, because they describe a state.
    """
    kind = type(event)
    if kind is Change:
        return event.source == "stream"  # type: ignore[union-attr]
    return kind is Broadcast or (kind is Presence and event.event != "sync")  # type: ignore[union-attr]


class Progress:
    """The progress of a watch towards its bounds.

    `timeout` runs from `started`, `duration` from READY, and `idle` from READY or the first event. Without
    READY, `duration` runs from `started`. `timeout` waits for the count or the expectations, and without them
    for the first event.
    """

    def __init__(self, bounds: Bounds, expectations: Awaited, *, started: float) -> None:
        self._bounds = bounds
        self._expectations = expectations
        self._started = started
        self._waits_for_first = not (bounds.count or bounds.is_once or expectations)
        self._ready_at: float | None = None
        self._quiet_since: float | None = None
        self.events = 0

    def apply(self, event: Event, now: float) -> Outcome | None:
        """Apply an event, and return the outcome if the event ends the watch; otherwise None."""
        if is_live(event):
            self.events += 1
            self._quiet_since = now
            if self._expectations and self._expectations.apply(event):
                return Outcome("expect", 0)
            if self.events == self._bounds.count:
                return self.ended("count")
        elif type(event) is Presence or type(event) is Status:
            if self._ready_at is None and type(event) is Status and event.status == "READY":
                self._ready_at = now
                self._quiet_since = self._quiet_since or now
            if self._expectations and self._expectations.apply(event):
                return Outcome("expect", 0)
        elif self._bounds.is_once and type(event) is Loaded:
            return self.ended("once") if event.complete else Outcome("once", UNMET)
        return None

    @property
    def next_deadline(self) -> float | None:
        """When to call `due` next if no event arrives; each event can change it.

        It's None if no limit depends on time.
        """
        deadlines = self._deadlines()
        return min(deadlines)[0] if deadlines else None

    def due(self, now: float) -> Outcome | None:
        """Return the outcome if time has ended the watch; otherwise None.

        A `timeout` has priority over other limits that are due.
        """
        reached = [deadline for deadline in self._deadlines() if deadline[0] <= now]
        return self.ended(min(reached)[2]) if reached else None

    def ended(self, reason: EndReason) -> Outcome:
        """Return the outcome for this reason; it's a failure if expectations are not met."""
        if reason == "timeout":
            return Outcome(reason, TIMED_OUT)
        return Outcome(reason, 0 if self._expectations.are_met else UNMET)

    def _deadlines(self) -> list[tuple[float, int, EndReason]]:
        bounds = self._bounds
        deadlines: list[tuple[float, int, EndReason]] = []
        if bounds.timeout is not None and not (self._waits_for_first and self.events):
            deadlines.append((self._started + bounds.timeout, 0, "timeout"))
        if bounds.duration is not None:
            start = self._started if self._ready_at is None else self._ready_at
            deadlines.append((start + bounds.duration, 1, "duration"))
        if bounds.agent is not None:
            deadlines.append((self._started + bounds.agent, 3, "agent"))
        if bounds.idle is not None and self._quiet_since is not None:
            deadlines.append((self._quiet_since + bounds.idle, 2, "idle"))
        return deadlines
