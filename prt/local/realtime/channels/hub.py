"""What the sockets and the requests of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prt.local.postgres.session import Session, Sessions
from prt.local.realtime.changes.decoding.replication import Stream
from prt.local.realtime.changes.subscriptions import Subscriptions
from prt.local.realtime.channels.messages import Messages
from prt.local.realtime.channels.presence import Presences
from prt.local.realtime.channels.topics import Topics
from prt.local.realtime.settings import Settings
from prt.local.serving.keys import Keys

if TYPE_CHECKING:
    from prt.local.realtime.channels.connection import Connection


@dataclass(frozen=True)
class Hub:
    """`admissions` asks whether bindings are good, `policies` who may use a private topic."""

    keys: Keys
    settings: Settings
    stream: Stream
    admissions: Sessions
    policies: Session
    subscriptions: Subscriptions
    topics: Topics
    presences: Presences
    messages: Messages
    connections: set[Connection] = field(default_factory=set)
