"""Who has joined what, and the one way to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from prt.local.realtime.protocol.frames import Pushed, Version

if TYPE_CHECKING:
    from prt.local.realtime.channels.channel import Channel

PREFIX = "realtime:"


class Room(NamedTuple):
    """A private topic and the public one of the same name have nothing to do with each other."""

    topic: str
    is_private: bool


class Topics:
    """The channels of each room, in the order of their joins."""

    def __init__(self) -> None:
        self._channels: dict[Room, dict[Channel, None]] = {}

    def add(self, channel: Channel) -> None:
        self._channels.setdefault(channel.room, {})[channel] = None

    def discard(self, channel: Channel) -> None:
        joined = self._channels.get(channel.room, {})
        joined.pop(channel, None)
        if not joined:
            self._channels.pop(channel.room, None)

    def send(self, room: Room, message: Pushed, hears: Callable[[Channel], bool]) -> None:
        """Encoded once for each version of the protocol, however many hear it."""
        frames: dict[Version, str | bytes | None] = {}
        for channel in self._channels.get(room, ()):
            if not hears(channel):
                continue
            version = channel.version
            if version not in frames:
                frames[version] = message.frame(version, room.topic)
            if (frame := frames[version]) is not None:
                channel.send(frame)


def hears_broadcasts(channel: Channel) -> bool:
    return channel.rights.reads_broadcast
