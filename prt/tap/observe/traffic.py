"""The state of an app's connections and channels, computed from observed messages without clock and I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from prt.events import TapChannel, TapConnection, TapEvent
from prt.tap.observe.connections import CHANGES, Channel, ObservedBinding, Socket
from prt.tap.observe.messages import (
    Answered,
    Asked,
    Client,
    ClosedSocket,
    Fault,
    Framed,
    Observed,
    Skipped,
    Who,
)

REQUESTS_KEPT = 500
CONNECTIONS_KEPT = 200
"""The number of closed connections that are remembered."""


class Traffic:
    """The connections by number, and the most recent requests."""

    def __init__(self) -> None:
        self.sockets: dict[int, Socket] = {}
        self.requests: dict[int, Asked] = {}
        self.answers: dict[int, int] = {}
        self._closed: deque[int] = deque()
        self.before: Channel | None = None
        """The channel of the latest join's topic before that join, which findings compare it with."""

    def open_sockets(self) -> list[Socket]:
        """Return the connections that are open."""
        return [socket for socket in self.sockets.values() if socket.is_open]

    def channel_of(self, message: Framed) -> Channel | None:
        """Return the channel of a message's topic, None if there is none."""
        socket = self.sockets.get(message.number)
        return None if socket is None else socket.channels.get(message.topic)

    def apply(self, message: Observed) -> Iterator[TapEvent]:
        """Process a message; yield the changes of connections and channels."""
        match message:
            case Asked():
                yield from self._asked(message)
            case Answered():
                yield from self._answered(message)
            case Framed():
                yield from self._framed(message)
            case Skipped():
                if message.number in self.sockets:
                    self.sockets[message.number].skipped += message.count
            case ClosedSocket():
                yield from self._ended(message)
            case Fault(kind="half-open", is_over=False):
                for socket in self.open_sockets():
                    socket.is_swallowed = True

    def _asked(self, message: Asked) -> Iterator[TapEvent]:
        self.requests[message.number] = message
        while len(self.requests) > REQUESTS_KEPT:
            oldest = next(iter(self.requests))
            del self.requests[oldest]
            self.answers.pop(oldest, None)
        if message.is_socket:
            self.sockets[message.number] = Socket(message.number, message.client, message.who, message.at)
        yield from ()

    def _answered(self, message: Answered) -> Iterator[TapEvent]:
        if message.number in self.requests:
            self.answers[message.number] = message.status
        socket = self.sockets.get(message.number)
        if socket is None:
            return
        if message.status == 101:
            socket.opened_at = message.at
            yield self.connection_event(socket, message.at)
        else:
            del self.sockets[message.number]
            yield TapConnection(
                at=message.at,
                connection=message.number,
                state="refused",
                client=client_name(socket.client),
                status=message.status,
                role=socket.who.role,
                user=socket.who.user,
                token_expires_at=socket.who.expires_at,
            )

    def _ended(self, message: ClosedSocket) -> Iterator[TapEvent]:
        socket = self.sockets.get(message.number)
        if socket is None:
            return
        socket.closed_at, socket.code = message.at, message.code
        socket.is_closed_by_client = message.is_by_client
        yield self.connection_event(socket, message.at)
        self._closed.append(message.number)
        if len(self._closed) > CONNECTIONS_KEPT:
            self.sockets.pop(self._closed.popleft(), None)

    def _framed(self, message: Framed) -> Iterator[TapEvent]:
        socket = self.sockets.get(message.number)
        if socket is None:
            return
        if message.is_sent:
            socket.sent += 1
            yield from self._sent(socket, message)
        else:
            socket.received += 1
            yield from self._received(socket, message)

    def _sent(self, socket: Socket, message: Framed) -> Iterator[TapEvent]:
        if message.topic == "phoenix":
            socket.heartbeat_at = message.at
        elif message.event == "phx_join":
            self.before = socket.channels.get(message.topic)
            socket.channels[message.topic] = channel = joined(socket, message)
            socket.left.discard(message.topic)
            yield from self._identified(socket, channel.who, message.at)
            yield channel_event(channel, message.at)
        elif message.event == "phx_leave":
            channel_left = socket.channels.pop(message.topic, None)
            if channel_left is not None:
                socket.left.add(message.topic)
                channel_left.state, channel_left.ended_at = "left", message.at
                yield channel_event(channel_left, message.at)
        elif (
            message.event == "access_token"
            and message.token is not None
            and (channel_now := socket.channels.get(message.topic)) is not None
        ):
            channel_now.who, channel_now.token_at = message.token, message.at
            yield from self._identified(socket, message.token, message.at)

    def _identified(self, socket: Socket, who: Who, at: int) -> Iterator[TapEvent]:
        """Note the identity of a connection's newest token; yield the connection if the identity changed."""
        before = latest_who(socket)
        socket.latest_who = who
        if who != before:
            yield self.connection_event(socket, at)

    def _received(self, socket: Socket, message: Framed) -> Iterator[TapEvent]:
        channel = socket.channels.get(message.topic)
        if channel is None:
            return
        match message.event:
            case "phx_reply" if message.ref == channel.ref and channel.state == "joining":
                yield from self._replied(channel, message)
            case "system":
                payload = message.read()
                is_changes = isinstance(payload, dict) and payload.get("extension") == CHANGES
                if is_changes and payload.get("status") == "ok" and channel.is_live:
                    channel.state = "READY"
                    yield channel_event(channel, message.at)
                elif isinstance(payload, dict) and payload.get("status") == "error":
                    yield channel_event(channel, message.at, str(payload.get("message"))[:300])
            case "phx_close" | "phx_error":
                # The close of a join that was replaced by another join does not concern the new one.
                if message.join_ref in (None, channel.join_ref) and message.ref in (None, channel.join_ref):
                    channel.state = "closed" if message.event == "phx_close" else "error"
                    channel.ended_at = message.at
                    yield channel_event(channel, message.at)
            case "postgres_changes":
                channel.changes += 1
            case _:
                channel.messages += 1

    def _replied(self, channel: Channel, message: Framed) -> Iterator[TapEvent]:
        payload = message.read()
        if not isinstance(payload, dict):
            return
        if payload.get("status") != "ok":
            channel.state, channel.ended_at = "refused", message.at
            yield channel_event(channel, message.at, _reason(payload.get("response")))
            return
        channel.state = "SUBSCRIBED"
        response = payload.get("response")
        rows = response.get(CHANGES) if isinstance(response, dict) else None
        if isinstance(rows, list):
            channel.bindings = [
                ObservedBinding(known.event, known.schema, known.table, known.filter, _id(row))
                for known, row in zip(channel.bindings, rows, strict=False)
            ]
        yield channel_event(channel, message.at)

    def connection_event(self, socket: Socket, at: int) -> TapConnection:
        """Return the current state of a connection as an event."""
        who = latest_who(socket)
        return TapConnection(
            at=at,
            connection=socket.number,
            state="open" if socket.is_open else "closed",
            client=client_name(socket.client),
            role=who.role,
            user=who.user,
            token_expires_at=who.expires_at,
            status=101,
            code=socket.code,
            sent=socket.sent,
            received=socket.received,
            skipped=socket.skipped,
        )


def latest_who(socket: Socket) -> Who:
    """Return the identity of a connection's channels: that of the newest token, or else that of the key."""
    return socket.latest_who or socket.who


def client_name(client: Client) -> str:
    """Return the name that a client gives itself, in at most one line."""
    return client.name or client.agent or client.origin or "unknown client"


def joined(socket: Socket, message: Framed) -> Channel:
    """Return the channel of a join, as the app requested it."""
    payload = message.read()
    config = payload.get("config") if isinstance(payload, dict) else None
    config = config if isinstance(config, dict) else {}
    broadcast, presence = _object(config.get("broadcast")), _object(config.get("presence"))
    rows = config.get(CHANGES)
    return Channel(
        topic=message.topic,
        number=message.number,
        join_ref=message.join_ref or message.ref,
        ref=message.ref,
        joined_at=message.at,
        who=message.token or socket.who,
        is_private=config.get("private") is True,
        has_presence=presence.get("enabled") is True,
        wants_ack=broadcast.get("ack") is True,
        bindings=[_binding(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [],
        token_at=message.at,
    )


def channel_event(channel: Channel, at: int, reason: str | None = None) -> TapChannel:
    """Return the current state of a channel as an event."""
    return TapChannel(
        at=at,
        topic=channel.name,
        connection=channel.number,
        state=channel.state,
        private=channel.is_private,
        presence=channel.has_presence,
        bindings=[str(binding) for binding in channel.bindings],
        role=channel.who.role,
        reason=reason,
    )


def _binding(row: dict[str, Any]) -> ObservedBinding:
    def text(name: str, otherwise: str) -> str:
        value = row.get(name)
        return value if isinstance(value, str) else otherwise

    event = text("event", "*").upper()
    return ObservedBinding(event, text("schema", "public"), text("table", "*"), text("filter", ""))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(row: Any) -> int | None:
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, int) else None


def _reason(response: Any) -> str:
    reason = response.get("reason") if isinstance(response, dict) else response
    return str(reason)[:300]
