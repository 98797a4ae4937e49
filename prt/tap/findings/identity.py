"""Findings about an app's identity: server keys in browsers, differing roles, tokens that are not renewed."""

from __future__ import annotations

from collections.abc import Iterator

from prt.events import TapFinding
from prt.tap.findings.finding import SECOND, at_moment, finding, of_request
from prt.tap.observe.connections import Channel, Socket
from prt.tap.observe.messages import Asked, Client, Observed, Tick, Who
from prt.tap.observe.traffic import Traffic

SETTLE = 2 * SECOND
"""The time that an app may take to give a new session to its socket."""
EARLY = SECOND
"""The time before the expiry of a token from which a server may close its channel."""


class ServerKeyInBrowser:
    """A rule that finds a secret or service key in a request with a browser's headers."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Judge a single request."""
        if isinstance(message, Asked) and message.who.is_server_key and message.client.is_browser:
            yield finding(
                "server-key-in-browser",
                message.at,
                [of_request(message)],
                connection=message.number if message.is_socket else None,
                client=message.client.origin or message.client.agent,
            )


class SocketRole:
    """A rule that finds sockets with channels of `anon` while the same client's REST requests are a user's.

    Clients are distinguished by their API key and their page. If a client has several open sockets nothing is
    proven, because each of them may belong to another user.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], Asked] = {}
        self._since: dict[tuple[str, str], int] = {}
        """The time (µs) since which a client's requests are those of a user."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Note REST requests; judge whenever a Tick arrives."""
        if isinstance(message, Asked) and message.table is not None and message.method != "OPTIONS":
            self._note(message)
        elif isinstance(message, Tick):
            for same, since in self._since.items():
                yield from self._judged(same, since, message.at, traffic)

    def _note(self, message: Asked) -> None:
        same = _same(message.client)
        before = self._latest.get(same)
        self._latest[same] = message
        if not _is_user(message.who):
            self._since.pop(same, None)
        elif before is None or before.who.user != message.who.user or same not in self._since:
            self._since[same] = message.at

    def _judged(self, same: tuple[str, str], since: int, at: int, traffic: Traffic) -> Iterator[TapFinding]:
        sockets = [socket for socket in traffic.open_sockets() if _same(socket.client) == same]
        if len(sockets) != 1 or not sockets[0].is_whole:
            return
        channels = [channel for channel in sockets[0].channels.values() if channel.is_joined]
        request = self._latest[same]
        for channel in channels:
            settled = max(since, channel.token_at) + SETTLE <= at
            if settled and (channel.who.role, channel.who.user) == ("anon", None):
                yield finding(
                    "socket-role",
                    at,
                    [
                        at_moment(channel.token_at, f"joined {channel.name} as anon", channel.number),
                        of_request(request, traffic.answers.get(request.number)),
                    ],
                    connection=channel.number,
                    topic=channel.name,
                    socket_role="anon",
                    rest_role=request.who.role or "",
                )
                return


class TokenExpired:
    """A rule that finds channels whose token expired before their socket was given a new one."""

    def __init__(self) -> None:
        self._renewed: dict[tuple[str, str], Asked] = {}

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Note new tokens in REST requests; judge all channels whenever a Tick arrives."""
        if isinstance(message, Asked) and not message.is_socket and _is_user(message.who):
            self._renewed[_same(message.client)] = message
        elif isinstance(message, Tick):
            for socket in traffic.open_sockets():
                for channel in socket.channels.values():
                    yield from self._judged(socket, channel, message.at)

    def _judged(self, socket: Socket, channel: Channel, at: int) -> Iterator[TapFinding]:
        expires = channel.who.expires_at
        if expires is None or at < expires or not socket.is_whole or channel.token_at > expires:
            return
        ended_by_it = channel.ended_at is not None and channel.ended_at >= expires - EARLY
        # A client may close its socket soon after the server has closed its last channel.
        is_closed = channel.state in ("closed", "error") and ended_by_it
        if not is_closed and not (channel.is_joined and at >= expires + SECOND):
            return
        evidence = [
            at_moment(channel.token_at, f"the last token on {channel.name}", socket.number),
            at_moment(expires, "it expired"),
        ]
        newer = self._renewed.get(_same(socket.client))
        is_newer = newer is not None and (newer.who.expires_at or 0) > expires
        if newer is not None and is_newer:
            evidence.append(of_request(newer))
        yield finding(
            "token-expired",
            at,
            evidence,
            connection=socket.number,
            topic=channel.name,
            where="REST got a new token, the socket did not" if is_newer else "nothing renewed it",
        )


def _same(client: Client) -> tuple[str, str]:
    return client.key, client.origin


def _is_user(who: Who) -> bool:
    return who.role not in (None, "anon") and not who.is_server_key
