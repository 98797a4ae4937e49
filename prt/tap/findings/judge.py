"""All rules over one app: each finding is reported once for what it concerns."""

from __future__ import annotations

from collections.abc import Iterator

from prt.events import TapEvent, TapFinding
from prt.tap.findings.channels import ChannelsNeverLeft, JoinedTwice, PushOutsideJoin, TooMany
from prt.tap.findings.finding import Rule
from prt.tap.findings.identity import ServerKeyInBrowser, SocketRole, TokenExpired
from prt.tap.findings.liveness import AfterReconnect, HeartbeatLate
from prt.tap.findings.tables import BindingRefused, ChangeTwice, DeleteFilter
from prt.tap.findings.topics import NoAcknowledgement, PresenceNotEnabled, PresenceRate, PrivateAndPublic
from prt.tap.observe.messages import Observed
from prt.tap.observe.traffic import Traffic

KEPT = 1_000
"""Findings that are remembered as reported."""


class Judge:
    """Reduces what was observed to events and findings."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self._rules: list[Rule] = [
            ServerKeyInBrowser(),
            SocketRole(),
            TokenExpired(),
            JoinedTwice(),
            ChannelsNeverLeft(),
            TooMany(),
            PushOutsideJoin(),
            BindingRefused(),
            ChangeTwice(),
            DeleteFilter(),
            PresenceNotEnabled(),
            PresenceRate(),
            PrivateAndPublic(),
            NoAcknowledgement(),
            HeartbeatLate(),
            AfterReconnect(),
        ]
        self._reported: dict[tuple[str, str], None] = {}

    def apply(self, message: Observed) -> Iterator[TapEvent]:
        """Take a message; yield what changed, and what it proves for the first time."""
        yield from self.traffic.apply(message)
        for rule in self._rules:
            for found in rule.apply(message, self.traffic):
                if self._is_new(found):
                    yield found

    def _is_new(self, found: TapFinding) -> bool:
        """Tell findings apart by their channel and table, if they have one, not by their connection."""
        about = " ".join(found.data.get(name, "") for name in ("table", "what", "client", "column"))
        known = (found.id, f"{found.topic or ''} {about}")
        if known in self._reported or len(self._reported) >= KEPT:
            return False
        self._reported[known] = None
        return True
