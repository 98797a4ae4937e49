"""The server's limits, and what of a hosted project's settings changes how it answers."""

from __future__ import annotations

from msgspec import Struct

from prt.config.constants.plans import Limits


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
    limits: Limits | None = None
    """Of a plan; None is without limits."""
    rate_seconds: float = 5.0
    """A bucket of the averages that are compared with `limits`: see `rates.py`."""
    poll_seconds: float | None = None
    """Between two polls of changes; None streams them."""
    longest_poll_seconds: float = 0.5
    """Between two polls that bring nothing."""
    publication_seconds: float = 60.0
    """Between two looks at which tables are published."""
    changes_retry_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """Before a new slot for changes, after the first, the second … failure. What is written then is lost."""
    broadcasts_retry_seconds: tuple[float, ...] = (5.0, 10.0)
    """As `changes_retry_seconds`, for the broadcasts of the database."""
    sender_seconds: float = 60.0
    """How long this process may be stopped before broadcasts of the database are lost; changes never are."""
