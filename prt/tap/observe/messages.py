"""The observed messages as values: requests, handshakes and frames, in the order in which they passed.

Times named `at` are in µs since the epoch. No value holds a secret.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct


class Who(Struct, frozen=True):
    """The identity that a key or a token stands for.

    Attributes:
        expires_at: When the token expires, in µs; None for a key without an expiry.
        digest: A digest that distinguishes two tokens.
        is_server_key: Whether it bypasses row level security.
    """

    role: str | None = None
    user: str | None = None
    expires_at: int | None = None
    digest: str = ""
    is_server_key: bool = False


NOBODY = Who()


class Client(Struct, frozen=True):
    """The program that sent a request, as the request's headers describe it.

    `key` is a digest of its API key.
    """

    key: str = ""
    name: str = ""
    origin: str = ""
    agent: str = ""

    @property
    def is_browser(self) -> bool:
        """Return whether the request has a browser's headers."""
        return bool(self.origin) or self.agent.startswith("Mozilla/")


class Asked(Struct, frozen=True):
    """A request.

    Attributes:
        number: The number of the request, which is also that of the websocket that it opens.
        table: The table, if the path is that of a table over REST.
        vsn: The version of Realtime's protocol.
        is_socket: Whether it is the handshake of a websocket.
    """

    at: int
    number: int
    method: str
    path: str
    client: Client
    who: Who
    table: str | None = None
    vsn: str = "1.0.0"
    is_socket: bool = False


class Answered(Struct, frozen=True):
    """The HTTP status of a request's answer. 101 opens a websocket."""

    at: int
    number: int
    status: int


class Framed(Struct):
    """A message on the websocket `number`.

    Attributes:
        is_sent: Whether the client sent it, rather than the server.
        size: Its size in bytes.
        token: The identity of the access token that it contained.
    """

    at: int
    number: int
    is_sent: bool
    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Raw
    size: int
    token: Who | None = None
    decoded: Any = msgspec.UNSET

    def read(self) -> Any:
        """Return the decoded payload, None if it can't be decoded. The result is kept for further calls."""
        if self.decoded is msgspec.UNSET:
            self.decoded = read_json(self.payload)
        return self.decoded

    @property
    def name(self) -> str:
        """Return the topic without the prefix `realtime:`."""
        return self.topic.removeprefix("realtime:")


class Skipped(Struct, frozen=True):
    """Frames of a connection that were forwarded without being read."""

    at: int
    number: int
    count: int


class ClosedSocket(Struct, frozen=True):
    """The end of a websocket. `code` is that of the first close frame, None if there was none."""

    at: int
    number: int
    code: int | None = None
    is_by_client: bool = False


class Dropped(Struct, frozen=True):
    """A change that a fault kept from a client. `table` is `schema.table`."""

    at: int
    number: int
    table: str


class Fault(Struct, frozen=True):
    """The beginning of a fault, or its end if `is_over`."""

    at: int
    kind: str
    is_over: bool


class Tick(Struct, frozen=True):
    """A moment in time, which allows findings about something that did not happen."""

    at: int


Observed = Asked | Answered | Framed | Skipped | ClosedSocket | Dropped | Fault | Tick


def read_json(raw: Raw) -> Any:
    """Return the decoded JSON; None if it can't be decoded."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
