"""Broadcasts of the past: from when to ask for them again, and which of them are known already. Pure.

The server replays what the database sent to a private topic, each message with its `meta.id`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from prt.events import Broadcast
from prt.stream.topic import Replay, Room

LARGEST_REPLAY = 25
"""Messages that the server gives at most, the newest."""
OVERLAP_MS = 60_000
"""Our clock and the server's may differ; what comes twice is known by its id."""
IDS_KEPT = 1_000


class _Meta(Struct):
    id: str | None = None
    replayed: bool = False


_decode_meta = msgspec.json.Decoder(_Meta).decode


class Past:
    """The stored broadcasts of one topic that were asked for, over all of its connections."""

    def __init__(self, room: Room) -> None:
        self._wanted = room.replay
        self._alive_ms: int | None = None
        self._ids: dict[str, None] = {}
        self.replayed = 0
        """Messages that the server has replayed since the last loss."""
        self.recovered = 0
        """Those of them that had not come before."""

    @property
    def wanted(self) -> Replay | None:
        """Return what the next join asks for, None if it is nothing."""
        if self._wanted is None or self._alive_ms is None:
            return self._wanted
        return Replay(since=max(self._wanted.since, self._alive_ms - OVERLAP_MS), limit=LARGEST_REPLAY)

    def lost(self, alive: int) -> None:
        """The connection is gone; its last bytes came at `alive`, in µs."""
        self._alive_ms = alive // 1000
        self.replayed = self.recovered = 0

    def is_new(self, broadcast: Broadcast) -> bool:
        """Whether it has not come before; remembers it."""
        if self._wanted is None or broadcast.meta is None:
            return True
        try:
            meta = _decode_meta(broadcast.meta)
        except (msgspec.DecodeError, RecursionError):
            return True
        id_ = meta.id
        is_new = id_ is None or id_ not in self._ids
        self.replayed += meta.replayed
        self.recovered += meta.replayed and is_new
        if id_ is None:
            return True
        self._ids.pop(id_, None)
        self._ids[id_] = None
        if len(self._ids) > IDS_KEPT:
            del self._ids[next(iter(self._ids))]
        return is_new
