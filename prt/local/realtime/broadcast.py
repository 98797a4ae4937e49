"""Messages between the clients of a public topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prt.local.realtime.frames import Frame, UserBroadcast, encoded

if TYPE_CHECKING:
    from prt.local.realtime.channel import Channel


def size_of(payload: Any) -> int:
    """In bytes, of a binary broadcast or of JSON."""
    return len(payload.body) if isinstance(payload, UserBroadcast) else len(encoded(payload).encode())


class Topics:
    """The joined channels of each topic."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[Channel, None]] = {}

    def add(self, channel: Channel) -> None:
        self._channels.setdefault(channel.topic, {})[channel] = None

    def discard(self, channel: Channel) -> None:
        joined = self._channels.get(channel.topic, {})
        joined.pop(channel, None)
        if not joined:
            self._channels.pop(channel.topic, None)

    def send(self, sender: Channel, frame: Frame) -> None:
        """To all others of the topic, and to the sender where it asked for that."""
        for channel in self._channels.get(sender.topic, {}):
            if channel is not sender or sender.config.sees_itself:
                _deliver(channel, frame)
        if sender.config.wants_acknowledgement:
            sender.reply(frame.ref, "ok", {})


def _deliver(channel: Channel, frame: Frame) -> None:
    version = channel.version
    if isinstance(frame.payload, UserBroadcast):
        message = version.encode_broadcast(channel.topic, frame.payload)
    else:
        message = version.encode(None, None, channel.topic, "broadcast", encoded(frame.payload))
    if message is not None:
        channel.send(message)
