"""Who is where: what the channels of a room track, and the differences that everyone in it is told of."""

from __future__ import annotations

import base64
import itertools
import struct
import time
from typing import Any

from msgspec import Struct

from prt.local.realtime.channels.topics import Member, Room, Topics
from prt.local.realtime.protocol.frames import Event, encoded

LARGEST_STATE = 5_000_000
"""Of what a room tracks, in characters: as much as one frame of a client's may hold."""

STATE, DIFF = "presence_state", "presence_diff"

_reference = struct.Struct("!QI").pack
_numbers = itertools.count()


class Meta(Struct, frozen=True):
    """The state that one channel tracks: `payload` and `text` are JSON, `text` begins with the references."""

    reference: str
    payload: str
    text: str


class Presences:
    """A channel tracks one thing, under its key; a key may have several channels."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._metas: dict[Room, dict[Member, Meta]] = {}

    def track(self, channel: Member, payload: dict[str, Any]) -> None:
        """The same again changes nothing, and nobody is told."""
        metas = self._metas.setdefault(channel.room, {})
        former, text = metas.get(channel), encoded(payload)
        if former is not None and former.payload == text:
            return
        metas[channel] = meta = _meta(text, former)
        self._tell(channel, joined=meta, left=former)

    def crowding(self, channel: Member, payload: dict[str, Any]) -> Member | None:
        """Return the channel that has to go before this one may track a payload, which may be itself.

        It is the one that tracks most, if the room would hold more than may be sent to who joins. So whoever
        tracks little is never the one that is refused.
        """
        sizes = {each: len(meta.payload) for each, meta in self._metas.get(channel.room, {}).items()}
        sizes[channel] = len(encoded(payload))
        return max(sizes, key=lambda each: sizes[each]) if sum(sizes.values()) > LARGEST_STATE else None

    def untrack(self, channel: Member) -> None:
        """Remove what a channel tracks, and tell the topic."""
        metas = self._metas.get(channel.room)
        former = metas.pop(channel, None) if metas else None
        if former is not None:
            if not metas:
                del self._metas[channel.room]
            self._tell(channel, joined=None, left=former)

    def state(self, room: Room) -> str:
        """Return the state of a topic as JSON. Of one key the newest comes first, as Phoenix groups them."""
        by_key: dict[str, list[str]] = {}
        for channel, meta in self._metas.get(room, {}).items():
            by_key.setdefault(_key(channel), []).insert(0, meta.text)
        return _object({key: ",".join(by_key[key]) for key in sorted(by_key)})

    def _tell(self, channel: Member, *, joined: Meta | None, left: Meta | None) -> None:
        key = _key(channel)
        joins = _object({key: joined.text} if joined else {})
        leaves = _object({key: left.text} if left else {})
        diff = Event(DIFF, f'{{"joins":{joins},"leaves":{leaves}}}')
        self._topics.send(channel.room, diff, _hears_presence)


def _key(channel: Member) -> str:
    return channel.config.presence_key or ""  # nobody tracks under a key that has no text


def _meta(payload: str, former: Meta | None) -> Meta:
    reference = base64.urlsafe_b64encode(_reference(time.time_ns(), next(_numbers) % 2**32)).decode()
    head = f'{{"phx_ref":"{reference}"'
    if former is not None:
        head += f',"phx_ref_prev":"{former.reference}"'
    return Meta(reference, payload, f"{head}}}" if payload == "{}" else f"{head},{payload[1:]}")


def _object(metas: dict[str, str]) -> str:
    entries = (f'{encoded(key)}:{{"metas":[{texts}]}}' for key, texts in metas.items())
    return f"{{{','.join(entries)}}}"


def _hears_presence(channel: Member) -> bool:
    return channel.hears_presence
