"""The settings of the Realtime server: its limits, and the options of a hosted project."""

from __future__ import annotations

from msgspec import Struct

from prt.config.constants.plans import Limits


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of the Realtime server.

    The real server delays refusals: by 5 s for a join (`refused_join_seconds`), by 2 s for a handshake.
    """

    idle_seconds: float = 66.0
    largest_frame: int = 5_000_000
    refused_join_seconds: float = 0.0
    refused_handshake_seconds: float = 0.0
    largest_broadcast: int = 3_000_000
    start_seconds: float = 30.0
    statement_seconds: float = 10.0
    """The time limit of a policy. A row for which its policy takes longer counts as hidden."""
    filter_seconds: float = 2.0
    """The time limit for the filters of one subscription on a batch of changes; a slower one is refused."""
    presence_calls: int = 5
    """Calls of one channel within `presence_window_seconds`; one more call closes the channel."""
    presence_window_seconds: float = 30.0
    prune_seconds: float = 60.0
    """The interval at which database broadcasts that are too old to be replayed are deleted."""
    is_private_only: bool = False
    is_suspended: bool = False
    has_presence_everywhere: bool = False
    """Whether every join receives the presence state, even if it did not ask for it."""
    limits: Limits | None = None
    """The limits of a plan; None for no limits."""
    rate_seconds: float = 5.0
    """The length of a bucket of the averages that are compared with `limits` (see `rates.py`)."""
    poll_seconds: float | None = None
    """The interval at which changes are polled; None streams them without polling."""
    longest_poll_seconds: float = 0.5
    """The longest interval between polls, reached when there are no changes."""
    publication_seconds: float = 60.0
    """The interval at which the list of published tables is read."""
    changes_retry_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """The pauses before a new slot for changes is created, after the first, the second … failure.

    Changes that are committed during a pause are lost.
    """
    broadcasts_retry_seconds: tuple[float, ...] = (5.0, 10.0)
    """The pauses before a new slot for broadcasts of the database is created."""
    sender_seconds: float = 60.0
    """How long this process may be suspended before database broadcasts are lost; changes never are."""
