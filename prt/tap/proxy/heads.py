"""The heads of HTTP/1.1 messages: reading them, adapting them for the project, and finding a body's end.

A library that parses HTTP, such as h11, would not keep the bytes: it loses where a chunk ended and how a
field name was written. Heads are therefore read here, only the fields that name the target are changed, and
all other bytes are forwarded as they arrived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

LARGEST_HEAD = 1 << 18
LARGEST_READ = 1 << 18

CORS = (
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
    "Access-Control-Allow-Headers: *, authorization, apikey, content-type, x-client-info, prefer\r\n"
)
"""The access that a hosted project's gateway grants to pages of any origin."""

Framing = int | Literal["chunked", "close"]
"""How a body ends: after a number of bytes, with its last chunk, or when the connection closes."""


class HeadError(ValueError):
    """Bytes that are not the head of an HTTP/1.1 message."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and its fields, whose names are in lower case.

    `raw` includes the empty line at the end.
    """

    raw: bytes
    start: tuple[str, str, str]
    fields: dict[str, str]

    @property
    def method(self) -> str:
        """Return the method of a request."""
        return self.start[0]

    @property
    def target(self) -> str:
        """Return the target of a request."""
        return self.start[1]

    @property
    def status(self) -> int:
        """Return the status of an answer."""
        return int(self.start[1])

    @property
    def is_upgrade(self) -> bool:
        """Return whether a request asks for a websocket."""
        return self.fields.get("upgrade", "").lower() == "websocket"

    @property
    def is_last(self) -> bool:
        """Return whether the connection ends after this message."""
        version = self.start[0] if self.start[0].startswith("HTTP/") else self.start[2]
        connection = self.fields.get("connection", "").lower()
        return "close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection)


def read(raw: bytes) -> Head:
    """Return the head of a request or an answer.

    Raises:
        HeadError: The bytes are not a head of HTTP/1.1.
    """
    lines = raw.decode("latin-1").split("\r\n")
    start = lines[0].split(" ", 2)
    if len(start) == 2:  # an answer without a phrase
        start.append("")
    if len(start) != 3 or not (start[0].startswith("HTTP/") or start[2].startswith("HTTP/")):
        raise HeadError("not a message of HTTP/1.1")
    if start[0].startswith("HTTP/") and not start[1].isdecimal():
        raise HeadError("an answer without a status")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
    return Head(raw, (start[0], start[1], start[2]), fields)


def for_server(head: Head, host: str, prefix: str) -> bytes:
    """Return a request's head as it is sent to the project.

    The field `Host` is set to `host`, `prefix` is put before the path, and the offer of permessage-deflate is
    removed, so that frames can be read. Every other byte stays as it is.
    """
    lines = head.raw.split(b"\r\n")
    if prefix and head.target.startswith("/"):
        method, target, version = lines[0].split(b" ", 2)
        lines[0] = b" ".join((method, prefix.encode() + target, version))
    kept: list[bytes] = [lines[0]]
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        named = name.strip().lower()
        if named == b"host":
            kept.append(name + b": " + host.encode())
        elif named == b"sec-websocket-extensions":
            offers = [offer for offer in value.split(b",") if not _is_deflate(offer)]
            if offers:
                kept.append(name + b":" + b",".join(offers))
        else:
            kept.append(line)
    return b"\r\n".join(kept)


def _is_deflate(offer: bytes) -> bool:
    return offer.partition(b";")[0].strip().lower() == b"permessage-deflate"


def framing_of(head: Head, method: str | None = None) -> Framing:
    """Return how the body of a message ends.

    Args:
        head: The head of the message.
        method: The method of the request if the message is an answer, None if it is a request.

    Raises:
        HeadError: The Content-Length is not a number.
    """
    if method is not None and (method == "HEAD" or head.status < 200 or head.status in (204, 304)):
        return 0
    if "chunked" in head.fields.get("transfer-encoding", "").lower():
        return "chunked"
    length = head.fields.get("content-length")
    if length is None:
        return 0 if method is None else "close"
    if not length.isdecimal():
        raise HeadError("a Content-Length that is not a number")
    return int(length)


async def pass_body(
    reader: asyncio.StreamReader, framing: Framing, write: Callable[[bytes], Awaitable[None]]
) -> None:
    """Forward a body as it arrives, and not a single byte of what follows it.

    Raises:
        asyncio.IncompleteReadError: The connection ended before the body did.
        HeadError: A chunk has no size.
    """
    if framing == "close":
        while data := await reader.read(LARGEST_READ):
            await write(data)
    elif framing == "chunked":
        size = 1
        while size:
            line = await reader.readuntil(b"\r\n")
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError as exc:
                raise HeadError("a chunk without a size") from exc
            await write(line)
            if size:
                await _pass_bytes(reader, size + 2, write)
        while line != b"\r\n":  # trailers, and the empty line
            line = await reader.readuntil(b"\r\n")
            await write(line)
    else:
        await _pass_bytes(reader, framing, write)


async def _pass_bytes(
    reader: asyncio.StreamReader, left: int, write: Callable[[bytes], Awaitable[None]]
) -> None:
    while left:
        data = await reader.read(min(left, LARGEST_READ))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(data)
        await write(data)


def answer(status: int, body: str) -> bytes:
    """Return an answer of the proxy itself, after which the connection closes.

    A page of any origin may read it.
    """
    kind = "application/json" if body.startswith("{") else "text/html"
    phrase = HTTPStatus(status).phrase
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nConnection: close\r\n{CORS}"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def error(status: int, message: str) -> bytes:
    """Return an answer of the proxy itself whose body is a JSON object with a message."""
    return answer(status, json.dumps({"message": message}))
