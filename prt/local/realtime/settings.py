"""The server's limits, and what of a hosted project's settings changes how it answers."""

from __future__ import annotations

from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True):
    """The real server answers refusals late: 5 s for a join, 2 s for a handshake."""

    idle_seconds: float = 66.0
    largest_frame: int = 5_000_000
    refused_join_seconds: float = 0.0
    refused_handshake_seconds: float = 0.0
    largest_broadcast: int = 3_000_000
    start_seconds: float = 30.0
    statement_seconds: float = 10.0
    """For a policy: longer, and the row counts as hidden."""
    filter_seconds: float = 2.0
    """For the filters of one subscription, for one batch of changes: longer, and it is refused."""
    presence_calls: int = 5
    """Of one channel of one client within `presence_window_seconds`; one more closes the channel."""
    presence_window_seconds: float = 30.0
    prune_seconds: float = 60.0
    """Between two looks for broadcasts of the database that are too old to be replayed."""
    is_private_only: bool = False
    is_suspended: bool = False
    has_presence_everywhere: bool = False
    """As if every join had asked for the presence state."""
