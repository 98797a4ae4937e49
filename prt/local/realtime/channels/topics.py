"""Who has joined what, and the one way to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from prt.local.realtime.channels.rights import Rights
from prt.local.realtime.protocol.frames import Pushed, Version
from prt.local.realtime.protocol.join_config import Config

PREFIX = "realtime:"


class Room(NamedTuple):
    """A private topic and the public one of the same name have nothing to do with each other."""

    topic: str
    is_private: bool


class Member(Protocol):
    """A joined channel, as whoever sends to its topic sees it."""

    room: Room
    version: Version
    config: Config
    rights: Rights

    @property
    def hears_presence(self) -> bool:
        """Return whether presence is sent to it."""
        ...

    def awaits(self, transaction: int) -> bool:
        """Return whether it has yet to see what a transaction wrote."""
        ...

    def hear(self, frame: str | bytes, *, is_streamed: bool) -> None:
        """Send a frame to the client; `is_streamed` if a stream of the database brought it."""
        ...

    def end(self, message: str) -> None:
        """Close the channel, and say why."""
        ...


class Topics:
    """The channels of each room, in the order of their joins. `sent` counts the characters sent."""

    def __init__(self, sent: Callable[[int], None] = lambda _: None) -> None:
        self._sent = sent
        self._channels: dict[Room, dict[Member, None]] = {}

    def add(self, channel: Member) -> None:
        """Add a channel to its topic."""
        self._channels.setdefault(channel.room, {})[channel] = None

    def discard(self, channel: Member) -> None:
        """Remove a channel from its topic."""
        joined = self._channels.get(channel.room, {})
        joined.pop(channel, None)
        if not joined:
            self._channels.pop(channel.room, None)

    def send(
        self, room: Room, message: Pushed, hears: Callable[[Member], bool], *, is_streamed: bool = False
    ) -> None:
        """Send a message to the channels of a topic, encoded once for each version of the protocol.

        Args:
            room: The topic.
            message: The message to encode.
            hears: Whether a channel gets the message.
            is_streamed: Whether a stream of the database brought the message, and can wait for slow clients.
        """
        frames: dict[Version, str | bytes | None] = {}
        sent = 0
        # A copy, because a channel above the rate is closed with what it gets.
        for channel in list(self._channels.get(room, ())):
            if not hears(channel):
                continue
            version = channel.version
            if version not in frames:
                frames[version] = message.frame(version, room.topic)
            if (frame := frames[version]) is not None:
                channel.hear(frame, is_streamed=is_streamed)
                sent += len(frame)
        self._sent(sent)


def hears_broadcasts(channel: Member) -> bool:
    """Return whether broadcasts are sent to a channel."""
    return channel.rights.reads_broadcast
