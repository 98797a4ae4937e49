"""The settings of a topic besides its tables: broadcasts, their replay, presence, and our own presence."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

NOT_TRACKED = "not_tracked"
"""The code of a READY status if the server refused to put us on the presence roster."""

NO_ROSTER = "no_roster"
"""The code of a READY status if the server does not send us the presence roster."""


class Replay(Struct, frozen=True, kw_only=True):
    """The stored broadcasts that a join asks for. The server stores only messages to private topics.

    Attributes:
        since: Their earliest time, in milliseconds since the epoch.
        limit: The most messages, up to 25; None for the server's default of 10.
    """

    since: int
    limit: int | None = None


class TopicSettings(Struct, frozen=True, kw_only=True):
    """The settings of a topic's broadcasts and presence.

    Attributes:
        topic: The topic without the prefix `realtime:`.
        events: The names of the wanted broadcasts; "*" for all, () for none.
        is_private: Whether the topic is private, so that policies apply.
        is_echoed: Whether we receive our own broadcasts.
        is_acknowledged: Whether the server acknowledges our broadcasts.
        replay: The stored broadcasts to ask for, or None.
        has_presence: Whether presence events are wanted.
        key: Our key on the presence roster; None to let the server generate one.
        tracked: The object to put on the roster after every join, or None.
    """

    topic: str
    events: tuple[str, ...] = ("*",)
    is_private: bool = False
    is_echoed: bool = False
    is_acknowledged: bool = False
    replay: Replay | None = None
    has_presence: bool = False
    key: str | None = None
    tracked: dict[str, Any] | None = None

    @property
    def receives_presence(self) -> bool:
        """Whether presence events are received."""
        return self.has_presence or self.tracked is not None

    def wants(self, event: str) -> bool:
        """Return whether broadcasts with this name are wanted."""
        return "*" in self.events or event in self.events

    def to_wire(self, replay: Replay | None) -> dict[str, Any]:
        """Return the `config` of the join, without its tables.

        Args:
            replay: The stored broadcasts that this join asks for, or None.
        """
        broadcast: dict[str, Any] = {"ack": self.is_acknowledged, "self": self.is_echoed}
        if replay is not None:
            limit = {} if replay.limit is None else {"limit": replay.limit}
            broadcast["replay"] = {"since": replay.since, **limit}
        return {
            "broadcast": broadcast,
            "presence": {"key": self.key or "", "enabled": self.receives_presence},
            "private": self.is_private,
        }
