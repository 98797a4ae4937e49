"""Observed messages as values: requests, handshakes and frames, in the order in which they passed.

Times named `at` are in µs since the epoch. No value holds a secret.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct


class Who(Struct, frozen=True):
    """Who a key or a token stands for. `digest` tells two tokens apart; `expires_at` in µs."""

    role: str | None = None
    user: str | None = None
    expires_at: int | None = None
    digest: str = ""
    is_server_key: bool = False


NOBODY = Who()


class Client(Struct, frozen=True):
    """The program that sent a request, by what it says of itself; `key` is a digest of its API key."""

    key: str = ""
    name: str = ""
    origin: str = ""
    agent: str = ""

    @property
    def is_browser(self) -> bool:
        """Whether the request has a browser's headers."""
        return bool(self.origin) or self.agent.startswith("Mozilla/")


class Asked(Struct, frozen=True):
    """A request; `table` is that of a path of REST. `is_socket` for the handshake of a websocket."""

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
    """The status of a request's answer; 101 opens a websocket."""

    at: int
    number: int
    status: int


class Framed(Struct):
    """A frame of the connection `number`; the client's if `is_sent`. `token` is what an access token was."""

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
        """Return the payload, decoded once for all who ask; None if it can't be."""
        if self.decoded is msgspec.UNSET:
            self.decoded = read_json(self.payload)
        return self.decoded

    @property
    def name(self) -> str:
        """The topic without `realtime:`."""
        return self.topic.removeprefix("realtime:")


class Skipped(Struct, frozen=True):
    """Frames of a connection that were passed on without being read."""

    at: int
    number: int
    count: int


class ClosedSocket(Struct, frozen=True):
    """The end of a websocket; `code` of the first close frame, None if there was none."""

    at: int
    number: int
    code: int | None = None
    is_by_client: bool = False


class Dropped(Struct, frozen=True):
    """A change that chaos kept from a client."""

    at: int
    number: int
    table: str


class Fault(Struct, frozen=True):
    """A fault that chaos begins (`is_over` False) or ends."""

    at: int
    kind: str
    is_over: bool


class Tick(Struct, frozen=True):
    """Time that passes, for what is found by something that did not come."""

    at: int


Observed = Asked | Answered | Framed | Skipped | ClosedSocket | Dropped | Fault | Tick


def read_json(raw: Raw) -> Any:
    """Return decoded JSON; None if it can't be."""
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
