"""The lengths of time of a connection, in seconds, as one value, so that tests can shorten them."""

from __future__ import annotations

from msgspec import Struct


class VerificationTiming(Struct, frozen=True, kw_only=True):
    """The lengths of time of a verification: how often rows are compared, and when a missing one is lost."""

    every: float = 20.0
    """How long a table rests after it was verified, unless there is a sign of a loss."""
    pause: float = 1.0
    """The least time between two requests of any tables."""
    share: float = 0.01
    """The part of the time (0 to 1, not seconds) that may be spent on requests of one table."""
    overlap: float = 60.0
    """How far a window reaches back, because rows are dated by `now()`, the start of a transaction."""
    margin: float = 2.0
    """How much later than a read a change must have been committed to show that the stream has passed the
    read."""
    silence: float = 15.0
    """How long a stream must have been silent to have passed a read."""
    slow: float = 2.0
    """How long a request may take before its table is no longer verified."""
    retry: float = 60.0
    """How long a table rests that could not be read."""


class Timing(Struct, frozen=True, kw_only=True):
    """The time limits of a connection's steps, and the intervals of their repetition."""

    up: float = 10.0
    """How long a first connection may take before the project counts as unreachable."""
    first_pause: float = 0.5
    longest_pause: float = 5.0
    """The longest pause between two attempts. As with supabase-js, a server that is back is found within
    seconds; rate limits require longer pauses."""
    stable: float = 10.0
    """How long READY must have lasted for the pauses to start small again after the next loss."""
    heartbeat: float = 25.0
    """The time between heartbeats. A server closes a socket that is silent for 66 s."""
    join: float = 30.0
    leave: float = 1.0
    renewal_retry: float = 30.0
    gathering: float = 0.5
    """How long damaged frames are collected before their gap is reported."""
    answer: float = 5.0
    """How long the answer to a message of ours is waited for."""
    verification: VerificationTiming = VerificationTiming()


DEFAULT = Timing()
