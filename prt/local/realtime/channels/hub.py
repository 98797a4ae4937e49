"""The parts of the Realtime server that the WebSockets and the HTTP routes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from prt.local.postgres.session import Session, Sessions
from prt.local.realtime.changes.decoding.replication import Stream
from prt.local.realtime.changes.publication import Publication
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.channels.messages import Messages
from prt.local.realtime.channels.outbox import Outbox
from prt.local.realtime.channels.presence import Presences
from prt.local.realtime.channels.topics import Topics
from prt.local.realtime.rates import Rates
from prt.local.realtime.settings import Settings
from prt.local.serving.keys import Keys
from prt.local.serving.turns import Turns


class Client(Protocol):
    """A client's socket, as far as the server uses it outside of the connection itself."""

    outbox: Outbox

    def close(self, code: int) -> None:
        """Close the socket with a code."""
        ...


@dataclass(frozen=True)
class Hub:
    """The shared parts of the server.

    Attributes:
        stream: The replication stream of table changes.
        broadcasts: The replication stream of `realtime.messages`.
        admissions: The database sessions that check bindings.
        policies: The database session that checks the rights on private topics.
        connections: All open sockets.
    """

    keys: Keys
    turns: Turns
    settings: Settings
    rates: Rates
    stream: Stream
    broadcasts: Stream
    publication: Publication
    admissions: Sessions
    policies: Session
    subscriptions: Subscriptions
    topics: Topics
    presences: Presences
    messages: Messages
    connections: set[Client] = field(default_factory=set)
