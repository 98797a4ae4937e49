"""The lengths of time of a connection, in seconds: one value, so that a test plays them shorter."""

from __future__ import annotations

from msgspec import Struct


class Timing(Struct, frozen=True, kw_only=True):
    """How long things may take, and how often they are done."""

    up: float = 10.0
    """How long a first connection may take before the project counts as unreachable."""
    first_pause: float = 0.5
    longest_pause: float = 5.0
    """As with supabase-js a server that is back is found within seconds; rate limits ask for more."""
    stable: float = 10.0
    """How long READY must have lasted for the next loss to start the schedule of pauses anew."""
    heartbeat: float = 25.0
    """A server closes a socket that is silent for 66 s."""
    join: float = 30.0
    leave: float = 1.0
    renewal_retry: float = 30.0
    gathering: float = 0.5
    """How long damages are gathered before their gap is told."""
    answer: float = 5.0
    """How long the answer to a message of ours is awaited."""


DEFAULT = Timing()
