"""What the sockets and the requests of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prt.local.keys import Keys
from prt.local.realtime.messages import Messages
from prt.local.realtime.presence import Presences
from prt.local.realtime.replication import Stream
from prt.local.realtime.session import Session
from prt.local.realtime.settings import Settings
from prt.local.realtime.subscriptions import Subscriptions
from prt.local.realtime.topics import Topics

if TYPE_CHECKING:
    from prt.local.realtime.connection import Connection


@dataclass(frozen=True)
class Hub:
    """`admissions` asks whether bindings are good, `policies` who may use a private topic."""

    keys: Keys
    settings: Settings
    stream: Stream
    admissions: Session
    policies: Session
    subscriptions: Subscriptions
    topics: Topics
    presences: Presences
    messages: Messages
    connections: set[Connection] = field(default_factory=set)
