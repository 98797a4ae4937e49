"""The joined channels by topic, and the sending of messages to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from prt.local.realtime.channels.rights import Rights
from prt.local.realtime.protocol.frames import Pushed, Version
from prt.local.realtime.protocol.join_config import Config

PREFIX = "realtime:"


class TopicKey(NamedTuple):
    """The key of a topic: a private topic and the public one of the same name are independent."""

    topic: str
    is_private: bool


class Member(Protocol):
    """A joined channel, as the senders of messages to its topic use it."""

    topic_key: TopicKey
    version: Version
    config: Config
    rights: Rights

    @property
    def receives_presence(self) -> bool:
        """Whether presence is sent to the channel."""
        ...

    def awaits(self, transaction: int) -> bool:
        """Return whether a message that this transaction wrote is still to be sent to the channel."""
        ...

    def deliver(self, frame: str | bytes, *, is_streamed: bool) -> None:
        """Send a frame of the topic to the client; `is_streamed` if a stream of the database brought it."""
        ...

    def end(self, message: str) -> None:
        """Send an error message to the client, and close the channel."""
        ...


class Topics:
    """The channels of each topic, in the order of their joins.

    `sent` is called with the number of characters of each message, summed over its receivers.
    """

    def __init__(self, sent: Callable[[int], None] = lambda _: None) -> None:
        self._sent = sent
        self._channels: dict[TopicKey, dict[Member, None]] = {}

    def add(self, channel: Member) -> None:
        """Add a channel to its topic."""
        self._channels.setdefault(channel.topic_key, {})[channel] = None

    def discard(self, channel: Member) -> None:
        """Remove a channel from its topic."""
        joined = self._channels.get(channel.topic_key, {})
        joined.pop(channel, None)
        if not joined:
            self._channels.pop(channel.topic_key, None)

    def send(
        self,
        topic_key: TopicKey,
        message: Pushed,
        is_receiver: Callable[[Member], bool],
        *,
        is_streamed: bool = False,
    ) -> None:
        """Send a message to the channels of a topic, encoded only once for each version of the protocol.

        Args:
            topic_key: The topic.
            message: The message.
            is_receiver: Decides which channels the message is for.
            is_streamed: Whether a stream of the database brought the message, and can wait for slow clients.
        """
        frames: dict[Version, str | bytes | None] = {}
        sent = 0
        # A copy of the list, because sending can close a channel that is above the rate.
        for channel in list(self._channels.get(topic_key, ())):
            if not is_receiver(channel):
                continue
            version = channel.version
            if version not in frames:
                frames[version] = message.frame(version, topic_key.topic)
            if (frame := frames[version]) is not None:
                channel.deliver(frame, is_streamed=is_streamed)
                sent += len(frame)
        self._sent(sent)


def receives_broadcasts(channel: Member) -> bool:
    """Return whether broadcasts are sent to a channel."""
    return channel.rights.reads_broadcast
