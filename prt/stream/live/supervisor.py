"""The life of a connection as a pure state machine: from a state and an event to the next state.

    offline → connecting → joining → subscribed → ready ⇄ degraded
                 ↑                        │  (any phase)
                 └──────── waiting ←──────┴─ Lost ──→ ended

The time, in seconds of a monotonic clock, and the random jitter are arguments, so that a test plays a day in
a millisecond. Whether a failure is worth a retry is decided in `prt/stream/socket/refusals.py`, by one table.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from prt.stream.timing import DEFAULT, Timing

Phase = Literal["offline", "connecting", "joining", "subscribed", "ready", "degraded", "waiting", "ended"]


class Policy(Struct, frozen=True, kw_only=True):
    """The limits on trying to connect and to reconnect.

    Attributes:
        max_reconnects: How often a connection that was READY is opened again; None for no limit.
        is_patient: Whether to wait without limit for the first connection.
    """

    max_reconnects: int | None = None
    is_patient: bool = False


class Connecting(Struct, frozen=True):
    """The event that a handshake begins."""


class Connected(Struct, frozen=True):
    """The event that a handshake has succeeded and a join was sent."""


class Joined(Struct, frozen=True):
    """The event that the server has accepted the join."""


class Ready(Struct, frozen=True):
    """The event that changes flow."""


class Pulse(Struct, frozen=True):
    """The event that a heartbeat was answered, or is late."""

    is_late: bool


class Lost(Struct, frozen=True, kw_only=True):
    """The event that the connection or its channel was lost, or could not be established.

    Attributes:
        is_retryable: Whether another attempt may succeed.
        wait_seconds: The least pause that the server asked for.
        chance: The random part of the pause, from 0 to 1.
    """

    is_retryable: bool
    wait_seconds: float = 0.0
    chance: float = 1.0


Happening = Connecting | Connected | Joined | Ready | Pulse | Lost


class Link(Struct, frozen=True, kw_only=True):
    """The state of a connection. All moments are seconds of a monotonic clock.

    Attributes:
        phase: The phase of the connection.
        started: When the first attempt began.
        since: When the phase began.
        retry_at: When the phase `waiting` ends; None in other phases.
        ready_since: When the connection became READY; None if it is not.
        failures: How many attempts in a row have failed.
        reconnects: How many reconnects were begun after the first READY.
        was_ready: Whether there was a READY at all.
    """

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
        """Whether the changes of at least one table are being received."""
        return self.phase in ("ready", "degraded")


def step(link: Link, happening: Happening, now: float, policy: Policy, timing: Timing = DEFAULT) -> Link:
    """Return the next state of the connection. An event that the phase does not expect changes nothing.

    Args:
        link: The present state.
        happening: What has happened.
        now: The present moment, in seconds of a monotonic clock.
        policy: How long to try.
        timing: The lengths of time of the connection.
    """
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
    """Return the seconds before the next attempt: exponential with full jitter, up to a limit.

    Full jitter spreads the clients of a restarted server over the whole interval (AWS Architecture Blog,
    "Exponential Backoff And Jitter"). A pause that the server asks for gets the jitter on top, for the same
    reason.

    Args:
        failures: How many attempts in a row have failed.
        chance: The random part of the pause, from 0 to 1.
        least: The least pause in seconds, which the server asked for.
        timing: Has the first and the longest pause.
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
        # The last attempt is made exactly when the time is over.
        wait = wait if policy.is_patient else min(wait, left)
    if is_over or not lost.is_retryable:
        return replace(_into(link, "ended", now), ready_since=None, failures=failures)
    waiting = replace(_into(link, "waiting", now), ready_since=None, retry_at=now + wait)
    return replace(waiting, failures=failures, reconnects=reconnects)


def _into(link: Link, phase: Phase, now: float) -> Link:
    return replace(link, phase=phase, since=now, retry_at=None)
