"""Presence: the payloads that channels track on a topic, and the differences sent to its channels."""

from __future__ import annotations

import base64
import itertools
import struct
import time
from typing import Any

from msgspec import Struct

from prt.local.realtime.channels.topics import Member, TopicKey, Topics
from prt.local.realtime.protocol.frames import Event, encoded

LARGEST_STATE = 5_000_000
"""The largest presence state of a topic, in characters: the length of the longest frame."""

STATE, DIFF = "presence_state", "presence_diff"

_reference = struct.Struct("!QI").pack
_numbers = itertools.count()


class Meta(Struct, frozen=True):
    """The payload that one channel tracks. `payload` and `text` are JSON; `text` also has the references."""

    reference: str
    payload: str
    text: str


class Presences:
    """The presence states of all topics.

    A channel tracks one payload under its presence key. Several channels can have the same key.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._metas: dict[TopicKey, dict[Member, Meta]] = {}

    def track(self, channel: Member, payload: dict[str, Any]) -> None:
        """Track a payload and send the difference. Nothing is sent if the payload is unchanged."""
        metas = self._metas.setdefault(channel.topic_key, {})
        former, text = metas.get(channel), encoded(payload)
        if former is not None and former.payload == text:
            return
        metas[channel] = meta = _meta(text, former)
        self._send_difference(channel, joined=meta, left=former)

    def crowding(self, channel: Member, payload: dict[str, Any]) -> Member | None:
        """Return the channel that must end before `channel` can track a payload, None if there is space.

        If the topic's state would be longer than a frame may be, this is the channel with the largest
        payload, maybe `channel` itself. So a channel with a small payload is never the one that is refused.
        """
        sizes = {each: len(meta.payload) for each, meta in self._metas.get(channel.topic_key, {}).items()}
        sizes[channel] = len(encoded(payload))
        return max(sizes, key=lambda each: sizes[each]) if sum(sizes.values()) > LARGEST_STATE else None

    def untrack(self, channel: Member) -> None:
        """Remove what a channel tracks, and send the difference to the topic."""
        metas = self._metas.get(channel.topic_key)
        former = metas.pop(channel, None) if metas else None
        if former is not None:
            if not metas:
                del self._metas[channel.topic_key]
            self._send_difference(channel, joined=None, left=former)

    def state(self, topic_key: TopicKey) -> str:
        """Return the state of a topic as JSON text, in which a key has its newest payload first."""
        by_key: dict[str, list[str]] = {}
        for channel, meta in self._metas.get(topic_key, {}).items():
            by_key.setdefault(_key(channel), []).insert(0, meta.text)
        return _object({key: ",".join(by_key[key]) for key in sorted(by_key)})

    def _send_difference(self, channel: Member, *, joined: Meta | None, left: Meta | None) -> None:
        key = _key(channel)
        joins = _object({key: joined.text} if joined else {})
        leaves = _object({key: left.text} if left else {})
        diff = Event(DIFF, f'{{"joins":{joins},"leaves":{leaves}}}')
        self._topics.send(channel.topic_key, diff, _receives_presence)


def _key(channel: Member) -> str:
    return channel.config.presence_key or ""  # a key without text is never tracked


def _meta(payload: str, former: Meta | None) -> Meta:
    reference = base64.urlsafe_b64encode(_reference(time.time_ns(), next(_numbers) % 2**32)).decode()
    head = f'{{"phx_ref":"{reference}"'
    if former is not None:
        head += f',"phx_ref_prev":"{former.reference}"'
    return Meta(reference, payload, f"{head}}}" if payload == "{}" else f"{head},{payload[1:]}")


def _object(metas: dict[str, str]) -> str:
    entries = (f'{encoded(key)}:{{"metas":[{texts}]}}' for key, texts in metas.items())
    return f"{{{','.join(entries)}}}"


def _receives_presence(channel: Member) -> bool:
    return channel.receives_presence
