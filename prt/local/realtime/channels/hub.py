"""The values that the sockets and the HTTP endpoint share."""

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
    """A client's socket, as far as the server as a whole deals with it."""

    outbox: Outbox

    def close(self, code: int) -> None:
        """Close the socket with a code."""
        ...


@dataclass(frozen=True)
class Hub:
    """The parts by name.

    `stream` is of changes, `broadcasts` of realtime.messages. `admissions` asks whether bindings are good,
    `policies` who may use a private topic.
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
