"""The server's replay of stored broadcasts: what a join asks for, and which messages came before. Pure.

The server stores broadcasts to a private topic that the database sent, or whose sender asked for it. It
replays such messages to a client that joins, each with its `meta.id`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from prt.events import Broadcast
from prt.stream.topic import Replay, TopicSettings

LARGEST_REPLAY = 25
"""The most messages that the server replays for one join: the newest ones."""
OVERLAP_MS = 60_000
"""Milliseconds by which a replay starts before the last bytes came, because our clock and the server's may
differ. Messages that come twice are recognised by their ids."""
IDS_KEPT = 1_000
"""The number of the latest message ids that are remembered."""


class _Meta(Struct):
    id: str | None = None
    replayed: bool = False


_decode_meta = msgspec.json.Decoder(_Meta).decode


class BroadcastReplay:
    """The replay of one topic's stored broadcasts, over all connections of a watch."""

    def __init__(self, settings: TopicSettings) -> None:
        self._wanted = settings.replay
        self._alive_ms: int | None = None
        self._ids: dict[str, None] = {}
        self.replayed = 0
        """How many messages the server has replayed since the last loss."""
        self.recovered = 0
        """How many of the replayed messages had not come before."""

    @property
    def wanted(self) -> Replay | None:
        """The replay that the next join asks for, or None."""
        if self._wanted is None or self._alive_ms is None:
            return self._wanted
        return Replay(since=max(self._wanted.since, self._alive_ms - OVERLAP_MS), limit=LARGEST_REPLAY)

    def lost(self, alive: int) -> None:
        """Note that the connection was lost, and that its last bytes came at `alive` (µs since the epoch)."""
        self._alive_ms = alive // 1000
        self.replayed = self.recovered = 0

    def is_new(self, broadcast: Broadcast) -> bool:
        """Return whether a broadcast has not come before, and remember its id."""
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
