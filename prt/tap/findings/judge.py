"""The judge of an app: it runs all rules, and reports each finding once for each subject."""

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
"""The number of reported findings that are remembered; one that has been forgotten is reported again."""


class Judge:
    """The judge that turns observed messages into events and findings."""

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
        """Process a message; yield the changes of connections and channels, and the findings that are new."""
        yield from self.traffic.apply(message)
        for rule in self._rules:
            for found in rule.apply(message, self.traffic):
                if self._is_new(found):
                    yield found

    def _is_new(self, found: TapFinding) -> bool:
        """Return whether a finding was not reported before.

        Findings are distinguished by their channel and table, if they have one, and not by their connection.
        """
        about = " ".join(found.data.get(name, "") for name in ("table", "what", "client", "column"))
        known = (found.id, f"{found.topic or ''} {about}")
        if known in self._reported:
            return False
        self._reported[known] = None
        if len(self._reported) > KEPT:
            del self._reported[next(iter(self._reported))]
        return True
