"""Findings about joining and leaving: double joins, channels never left, too many joins, early pushes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from prt.events import Evidence, TapFinding
from prt.tap.findings.finding import SECOND, finding, of_frame, of_request
from prt.tap.observe.connections import Channel
from prt.tap.observe.messages import Answered, Asked, Client, Fault, Framed, Observed
from prt.tap.observe.traffic import Traffic

SAME_CHANNELS = 5
"""The number of channels with the same tables on one socket from which they count as never left."""
CHANNELS_NEAR_LIMIT = 80
"""The number of channels on one socket that is close to the server's limit of 100."""
WINDOW = 60 * SECOND
MOST_IN_WINDOW = 3
CONTROL = ("phx_join", "phx_leave", "access_token", "heartbeat")


class JoinedTwice:
    """A rule that finds a second join of a topic on the same socket, which makes the first channel deaf."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge a join by the state that its topic had before it."""
        if not isinstance(message, Framed) or not message.is_sent or message.event != "phx_join":
            return
        before = traffic.before
        if before is not None and before.is_live and before.join_ref != message.join_ref:
            earlier = Evidence(
                at=before.joined_at,
                connection=before.number,
                what=f"sent phx_join on {before.name} (ref {before.ref})",
            )
            yield finding(
                "joined-twice",
                message.at,
                [earlier, of_frame(message)],
                connection=message.number,
                topic=message.name,
            )


class ChannelsNeverLeft:
    """A rule that finds sockets which join channels with the same tables again and again and leave none."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge each join by the channels that are open on its socket."""
        if not isinstance(message, Framed) or not message.is_sent or message.event != "phx_join":
            return
        socket = traffic.sockets.get(message.number)
        latest = traffic.channel_of(message)
        if socket is None or latest is None or socket.left:
            return
        live = [channel for channel in socket.channels.values() if channel.is_live]
        same = [channel for channel in live if latest.bindings and _asked(channel) == _asked(latest)]
        if len(same) >= SAME_CHANNELS or len(live) >= CHANNELS_NEAR_LIMIT:
            shown = same if len(same) >= SAME_CHANNELS else live
            yield finding(
                "channels-never-left",
                message.at,
                [_join(channel) for channel in (shown[0], shown[-1])],
                connection=message.number,
                count=str(len(shown)),
            )


class TooMany:
    """A rule that finds more than three connections of a client, or joins of a topic, within a minute.

    A new connection is counted only if the client has at most one other connection open, because several
    pages each open their own. The counts start again when a fault that we make begins or ends.
    """

    def __init__(self) -> None:
        self._opened: dict[Client, deque[Asked]] = defaultdict(deque)
        self._joins: dict[tuple[int, str], deque[Framed]] = defaultdict(deque)

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Count accepted handshakes and joins."""
        if isinstance(message, Fault):
            self._opened.clear()
            self._joins.clear()
        elif isinstance(message, Answered) and message.status == 101:
            yield from self._connected(message, traffic)
        elif isinstance(message, Framed) and message.is_sent and message.event == "phx_join":
            yield from self._joined(message)

    def _connected(self, message: Answered, traffic: Traffic) -> Iterator[TapFinding]:
        asked = traffic.requests.get(message.number)
        if asked is None:
            return
        others = [one for one in traffic.open_sockets() if one.client == asked.client]
        moments = self._opened[asked.client]
        if len(others) > 2:
            moments.clear()
            return
        moments.append(asked)
        while moments[0].at < message.at - WINDOW:
            moments.popleft()
        if len(moments) > MOST_IN_WINDOW:
            yield finding(
                "too-many-connections",
                message.at,
                [of_request(one, 101) for one in moments],
                connection=message.number,
                count=str(len(moments)),
                what="connections",
            )

    def _joined(self, message: Framed) -> Iterator[TapFinding]:
        moments = self._joins[message.number, message.topic]
        moments.append(message)
        while moments[0].at < message.at - WINDOW:
            moments.popleft()
        if len(moments) > MOST_IN_WINDOW:
            yield finding(
                "too-many-connections",
                message.at,
                [of_frame(one) for one in moments],
                connection=message.number,
                topic=message.name,
                count=str(len(moments)),
                what=f"joins of {message.name}",
            )


class PushOutsideJoin:
    """A rule that finds broadcasts and presences on a topic that is not joined yet, or that was left."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge a push by the state of its channel."""
        if not isinstance(message, Framed) or not message.is_sent or message.topic == "phoenix":
            return
        if message.event in CONTROL:
            return
        socket = traffic.sockets.get(message.number)
        if socket is None or not socket.is_whole:
            return
        channel = socket.channels.get(message.topic)
        if channel is not None and channel.state != "joining":
            return
        when = "after it was left" if message.topic in socket.left else "before it was joined"
        if channel is not None:
            when = "before its join was answered"
        evidence = [of_frame(message)] if channel is None else [_join(channel), of_frame(message)]
        yield finding(
            "push-outside-join",
            message.at,
            evidence,
            connection=message.number,
            topic=message.name,
            when=when,
            event=message.event,
        )


def _asked(channel: Channel) -> set[tuple[str, str, str, str]]:
    return {(one.event, one.schema, one.table, one.filter) for one in channel.bindings}


def _join(channel: Channel) -> Evidence:
    return Evidence(
        at=channel.joined_at,
        connection=channel.number,
        what=f"sent phx_join on {channel.name} (ref {channel.ref})",
    )
