"""Findings about broadcasts and presence.

They concern presence that is not enabled or too frequent, private channels beside public ones, and missing
acknowledgements.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from prt.events import TapFinding
from prt.stream.limits import PRESENCE_CALLS, PRESENCE_WINDOW_SECONDS
from prt.tap.findings.finding import SECOND, at_moment, finding, of_frame
from prt.tap.observe.connections import Channel
from prt.tap.observe.messages import Framed, Observed, Tick
from prt.tap.observe.traffic import Traffic

ANSWER = 5 * SECOND
"""The time that the acknowledgement of a broadcast may take."""
PENDING = 1_000


class PresenceNotEnabled:
    """A rule that finds channels which track a presence without `presence.enabled`.

    Such a channel never receives the presences of others.
    """

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge a `track` message by the join of its channel."""
        channel = _tracking(message, traffic)
        if channel is not None and isinstance(message, Framed) and not channel.has_presence:
            yield finding(
                "presence-not-enabled",
                message.at,
                [at_moment(channel.joined_at, f"joined {channel.name}", channel.number), of_frame(message)],
                connection=message.number,
                topic=message.name,
            )


class PresenceRate:
    """A rule that finds channels which send `track` more often than the server accepts from a client."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, str], deque[Framed]] = defaultdict(deque)

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Count the `track` messages of the last half minute."""
        if _tracking(message, traffic) is None or not isinstance(message, Framed):
            return
        calls = self._calls[message.number, message.topic]
        calls.append(message)
        while calls[0].at < message.at - PRESENCE_WINDOW_SECONDS * SECOND:
            calls.popleft()
        if len(calls) > PRESENCE_CALLS:
            yield finding(
                "presence-rate",
                message.at,
                [of_frame(calls[0]), of_frame(message)],
                connection=message.number,
                topic=message.name,
                count=str(len(calls)),
                most=str(PRESENCE_CALLS),
                seconds=f"{PRESENCE_WINDOW_SECONDS:g}",
            )


class PrivateAndPublic:
    """A rule that finds a topic joined both as a private and as a public channel.

    Neither channel receives what the other sends.
    """

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge the answer to a join by the other channels of its topic."""
        if not isinstance(message, Framed) or message.is_sent or message.event != "phx_reply":
            return
        channel = traffic.channel_of(message)
        if channel is None or not channel.is_joined or channel.ref != message.ref:
            return
        for socket in traffic.open_sockets():
            other = socket.channels.get(message.topic)
            if other is not None and other.is_joined and other.is_private != channel.is_private:
                private, public = (channel, other) if channel.is_private else (other, channel)
                yield finding(
                    "private-and-public",
                    message.at,
                    [
                        at_moment(private.joined_at, f"joined {private.name} as private", private.number),
                        at_moment(public.joined_at, f"joined {public.name} as public", public.number),
                    ],
                    connection=message.number,
                    topic=message.name,
                )


class NoAcknowledgement:
    """A rule that finds broadcasts whose requested acknowledgement did not come."""

    def __init__(self) -> None:
        self._pending: dict[tuple[int, str, str], Framed] = {}

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Note broadcasts and their replies; judge whenever a Tick arrives."""
        if isinstance(message, Tick):
            yield from self._overdue(message.at, traffic)
            return
        if not isinstance(message, Framed) or message.ref is None:
            return
        name = (message.number, message.topic, message.ref)
        if message.event == "phx_reply" and not message.is_sent:
            self._pending.pop(name, None)
        elif message.is_sent and message.event == "broadcast" and len(self._pending) < PENDING:
            channel = traffic.channel_of(message)
            if channel is not None and channel.wants_ack and channel.is_joined:
                self._pending[name] = message

    def _overdue(self, at: int, traffic: Traffic) -> Iterator[TapFinding]:
        for name, message in list(self._pending.items()):
            socket, channel = traffic.sockets.get(message.number), traffic.channel_of(message)
            if socket is None or not socket.is_open or not socket.is_whole or channel is None:
                del self._pending[name]
            elif message.at + ANSWER <= at:
                del self._pending[name]
                yield finding(
                    "no-acknowledgement",
                    at,
                    [of_frame(message), at_moment(at, "no reply so far", message.number)],
                    connection=message.number,
                    topic=message.name,
                    kind="private" if channel.is_private else "public",
                    role=channel.who.role or "anon",
                )


def _tracking(message: Observed, traffic: Traffic) -> Channel | None:
    """Return the channel on which a message sends `track`, None for any other message."""
    if not isinstance(message, Framed) or not message.is_sent or message.event != "presence":
        return None
    payload, channel = message.read(), traffic.channel_of(message)
    is_track = isinstance(payload, dict) and str(payload.get("event", "")).lower() == "track"
    return channel if is_track else None
