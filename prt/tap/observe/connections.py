"""The records of an app's connections: sockets, channels, and the bindings that the app requested."""

from __future__ import annotations

from dataclasses import dataclass, field

from prt.events import ChannelState
from prt.tap.observe.messages import Client, Who

CHANGES = "postgres_changes"

LIVE: tuple[ChannelState, ...] = ("joining", "SUBSCRIBED", "READY")


@dataclass(frozen=True, slots=True)
class ObservedBinding:
    """A binding as the app requested it in a join. `id` is assigned by the server's answer."""

    event: str
    schema: str
    table: str
    filter: str
    id: int | None = None

    @property
    def full_table(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"

    @property
    def filter_columns(self) -> list[str]:
        """Return the columns that the filter names."""
        return [part.partition("=")[0].strip() for part in self.filter.split(",") if "=" in part]

    def covers(self, other: ObservedBinding) -> bool:
        """Return whether this binding matches every change that the other binding matches."""
        return (
            (self.schema, self.table, self.filter) == (other.schema, other.table, other.filter)
        ) and self.event in ("*", other.event)

    def __str__(self) -> str:
        return " ".join(part for part in (self.event, self.full_table, self.filter) if part)


@dataclass(slots=True, eq=False)
class Channel:
    """A channel of a connection: its latest join and its state since."""

    topic: str
    number: int
    join_ref: str | None
    ref: str | None
    joined_at: int
    who: Who
    state: ChannelState = "joining"
    is_private: bool = False
    has_presence: bool = False
    wants_ack: bool = False
    bindings: list[ObservedBinding] = field(default_factory=list)
    token_at: int = 0
    """When the channel was last given a token, in µs."""
    ended_at: int | None = None
    changes: int = 0
    messages: int = 0

    @property
    def name(self) -> str:
        """Return the topic without the prefix `realtime:`."""
        return self.topic.removeprefix("realtime:")

    @property
    def is_joined(self) -> bool:
        """Return whether the server has accepted the join."""
        return self.state in ("SUBSCRIBED", "READY")

    @property
    def is_live(self) -> bool:
        """Return whether the channel is joined or joining."""
        return self.state in LIVE

    @property
    def is_ready(self) -> bool:
        """Return whether everything that the channel requested is being delivered."""
        return self.state == "READY" or (self.state == "SUBSCRIBED" and not self.bindings)


@dataclass(slots=True, eq=False)
class Socket:
    """A websocket of an app, with its channels and counters."""

    number: int
    client: Client
    who: Who
    asked_at: int
    opened_at: int | None = None
    closed_at: int | None = None
    code: int | None = None
    is_closed_by_client: bool = False
    channels: dict[str, Channel] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    """Topics that the client has left."""
    sent: int = 0
    received: int = 0
    skipped: int = 0
    heartbeat_at: int | None = None
    is_swallowed: bool = False
    """Whether a fault discards what both sides send."""
    latest_who: Who | None = None
    """The identity in the latest join or access token; None before the first join."""

    @property
    def is_open(self) -> bool:
        """Return whether the connection is still open."""
        return self.opened_at is not None and self.closed_at is None

    @property
    def is_whole(self) -> bool:
        """Return whether every frame was read, so that the absence of a message can prove something."""
        return not self.skipped and not self.is_swallowed
