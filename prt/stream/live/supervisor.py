"""The life of a connection as one pure state machine: what happened in, what to do next out.

    offline → connecting → joining → subscribed → ready ⇄ degraded
                 ↑                        │  (any phase)
                 └──────── waiting ←──────┴─ Lost ──→ ended

Time is passed in, in seconds of a monotonic clock, and so is chance, so that a test plays a day in a
millisecond. Whether a failure is worth a retry is decided in `prt/stream/socket/refusals.py`, by one table.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from prt.stream.timing import DEFAULT, Timing

Phase = Literal["offline", "connecting", "joining", "subscribed", "ready", "degraded", "waiting", "ended"]


class Policy(Struct, frozen=True, kw_only=True):
    """`max_reconnects` None is without end. `is_patient` waits for ever for the first connection."""

    max_reconnects: int | None = None
    is_patient: bool = False


class Connecting(Struct, frozen=True):
    """A handshake begins."""


class Connected(Struct, frozen=True):
    """The handshake is done, a join is sent."""


class Joined(Struct, frozen=True):
    """The join was accepted."""


class Ready(Struct, frozen=True):
    """Changes flow."""


class Pulse(Struct, frozen=True):
    """A heartbeat came back, or `is_late`."""

    is_late: bool


class Lost(Struct, frozen=True, kw_only=True):
    """The connection or its channel is gone, or was never there.

    `wait_seconds` is the least pause that the server asked for, `chance` in 0…1 the jitter.
    """

    is_retryable: bool
    wait_seconds: float = 0.0
    chance: float = 1.0


Happening = Connecting | Connected | Joined | Ready | Pulse | Lost


class Link(Struct, frozen=True, kw_only=True):
    """The phase of a connection. `since` is when the phase began, `retry_at` when it ends."""

    phase: Phase = "offline"
    started: float = 0.0
    since: float = 0.0
    retry_at: float | None = None
    ready_since: float | None = None
    failures: int = 0
    reconnects: int = 0
    was_ready: bool = False

    @property
    def is_up(self) -> bool:
        """Return whether changes flow, if only of some tables."""
        return self.phase in ("ready", "degraded")


def step(link: Link, happening: Happening, now: float, policy: Policy, timing: Timing = DEFAULT) -> Link:
    """Return the next state of the connection; an event that the phase does not expect changes nothing."""
    match happening:
        case Connecting():
            return _into(link, "connecting", now)
        case Connected():
            return _into(link, "joining", now)
        case Joined() if link.phase in ("connecting", "joining", "subscribed"):
            return _into(link, "subscribed", now)
        case Ready() if link.phase in ("joining", "subscribed"):
            return replace(_into(link, "ready", now), ready_since=now, was_ready=True)
        case Pulse(is_late) if link.is_up:
            phase: Phase = "degraded" if is_late else "ready"
            return link if phase == link.phase else _into(link, phase, now)
        case Lost():
            return _lost(link, happening, now, policy, timing)
        case _:
            return link


def pause(failures: int, chance: float, least: float = 0.0, timing: Timing = DEFAULT) -> float:
    """Seconds before the next attempt: exponential, full jitter, capped; `least` is the server's wish.

    Full jitter spreads the clients of a restarted server over the whole interval (AWS Architecture
    Blog, "Exponential Backoff And Jitter"); a server's wish gets its jitter on top, for the same reason.
    """
    longest = min(timing.first_pause * 2.0 ** min(failures - 1, 30), timing.longest_pause)
    return least + chance * longest


def _lost(link: Link, lost: Lost, now: float, policy: Policy, timing: Timing) -> Link:
    was_stable = link.ready_since is not None and now - link.ready_since >= timing.stable
    failures = 1 if was_stable else link.failures + 1
    wait = pause(failures, lost.chance, lost.wait_seconds, timing)
    if link.was_ready:
        reconnects = link.reconnects + 1
        is_over = policy.max_reconnects is not None and reconnects > policy.max_reconnects
    else:
        reconnects = link.reconnects
        left = link.started + timing.up - now
        is_over = not policy.is_patient and (left <= 0 or lost.wait_seconds > left)
        # The last attempt is at the very end of the time that there is.
        wait = wait if policy.is_patient else min(wait, left)
    if is_over or not lost.is_retryable:
        return replace(_into(link, "ended", now), ready_since=None, failures=failures)
    waiting = replace(_into(link, "waiting", now), ready_since=None, retry_at=now + wait)
    return replace(waiting, failures=failures, reconnects=reconnects)


def _into(link: Link, phase: Phase, now: float) -> Link:
    return replace(link, phase=phase, since=now, retry_at=None)
