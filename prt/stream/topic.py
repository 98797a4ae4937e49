"""The parts of a topic beside its tables: broadcasts, their replay, presence, and our own presence."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

NOT_TRACKED = "not_tracked"
"""The code of a READY if the server would not put us on the roster."""

NO_ROSTER = "no_roster"
"""The code of a READY if the server keeps the roster from us."""


class Replay(Struct, frozen=True, kw_only=True):
    """Broadcasts of the past, which the server keeps of private topics and of the database's own alone.

    `since` in milliseconds since the epoch; `limit` at most 25, None for the server's 10.
    """

    since: int
    limit: int | None = None


class Room(Struct, frozen=True, kw_only=True):
    """`events` are the broadcasts wanted: names, "*" for all, () for none.

    `tracked` is put on the roster after every join, under `key`, else under a key of the server's making.
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
    def hears_presence(self) -> bool:
        """Return whether presence events are received."""
        return self.has_presence or self.tracked is not None

    def hears(self, event: str) -> bool:
        """Whether broadcasts of that name are wanted."""
        return "*" in self.events or event in self.events

    def to_wire(self, replay: Replay | None) -> dict[str, Any]:
        """The `config` of the join without its tables; `replay` as it is to be asked for this time."""
        broadcast: dict[str, Any] = {"ack": self.is_acknowledged, "self": self.is_echoed}
        if replay is not None:
            limit = {} if replay.limit is None else {"limit": replay.limit}
            broadcast["replay"] = {"since": replay.since, **limit}
        return {
            "broadcast": broadcast,
            "presence": {"key": self.key or "", "enabled": self.hears_presence},
            "private": self.is_private,
        }
