"""Encoding and decoding of Phoenix's frames. Pure.

Frames are JSON objects for `vsn` 1.0.0, and JSON arrays or binary broadcasts for 2.0.0. Sources: recorded
transcripts, and Phoenix.Socket.V1/V2.JSONSerializer.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from msgspec import Struct

USER_BROADCAST_PUSH = 3
USER_BROADCAST = 4
BINARY_ENCODED, JSON_ENCODED = 0, 1
LARGE = 256 * 1024
MOST_CONTAINERS, MOST_NAMES = 300_000, 150_000
"""The most objects and lists, and the most names of members, in one large frame.

These limits are our own: a frame is decoded without a pause, during which no other client is served.
"""
LONGEST_PART = 255
"""The most bytes of a topic, event or metadata in a binary frame, which has one byte for each length."""


class Frame(Struct, frozen=True, kw_only=True):
    """A frame from a client. `topic`, `event`, `persist` and the refs are decoded JSON of any type.

    `persist` asks the server to store a broadcast, which only version 2 supports.
    """

    topic: Any
    event: Any
    payload: Any
    ref: Any = None
    join_ref: Any = None
    persist: Any = None


class UnsendableError(Exception):
    """A version of the protocol can't carry a message. On the real server, the sender's channel crashes."""


class Pushed(Protocol):
    """A message that the server sends to many channels."""

    def frame(self, version: Version, topic: str) -> str | bytes | None:
        """Return the frame for a topic, None if this version of the protocol leaves the message out.

        Raises:
            UnsendableError: This version can't carry the message.
        """
        ...


class Event(Struct, frozen=True):
    """An event with a payload; `payload` is JSON text."""

    name: str
    payload: str

    def frame(self, version: Version, topic: str) -> str | bytes | None:
        """Return the frame for a topic. Raise UnsendableError if the payload has to be an object."""
        if version.accepts_objects_only and not self.payload.startswith("{"):
            raise UnsendableError
        before, after = version.around(topic, self.name)
        return before + self.payload + after


class UserBroadcast(Struct, frozen=True, kw_only=True):
    """A broadcast whose payload is kept as bytes.

    `meta` is JSON text that the server adds. Metadata that the client sends is not passed on.
    """

    event: str
    encoding: int
    body: bytes
    meta: str = ""

    def frame(self, version: Version, topic: str) -> str | bytes | None:
        """Return the frame for a topic, None if this version of the protocol can't carry it."""
        return version.encode_broadcast(topic, self)


class Version(Protocol):
    """A version of the protocol (`vsn`), which decodes and encodes frames.

    An invalid frame is decoded to None, because the server ignores it.
    """

    accepts_objects_only: bool
    """Whether an event that is sent to many channels must have a JSON object as its payload."""

    def decode(self, text: str) -> Frame | None:
        """Return the frame in a text message, None if it is invalid."""
        ...

    def decode_binary(self, data: bytes) -> Frame | None:
        """Return the frame in a binary message, None if it is invalid."""
        ...

    def encode(self, join_ref: Any, ref: Any, topic: Any, event: str, payload: str) -> str:
        """Return a text frame.

        Args:
            join_ref: The ref of the channel's join.
            ref: The ref of the frame that is answered, None if the frame is not an answer.
            topic: The topic.
            event: The event.
            payload: The payload as JSON text.
        """
        ...

    def around(self, topic: str, event: str) -> tuple[str, str]:
        """Return what comes before and after the payload of a frame whose `ref` and `join_ref` are null."""
        ...

    def encode_broadcast(self, topic: str, broadcast: UserBroadcast) -> str | bytes | None:
        """Return the frame of a client's broadcast, None if this version can't encode it."""
        ...


class VersionOne:
    """Version 1.0.0 of the protocol: frames are JSON objects."""

    accepts_objects_only = False

    def decode(self, text: str) -> Frame | None:
        """Return the frame in a text message, None if it is invalid."""
        match _decoded(text):
            case {"topic": topic, "event": event, "payload": payload, "ref": ref} as frame:
                return Frame(
                    topic=topic, event=event, payload=payload, ref=ref, join_ref=frame.get("join_ref")
                )
            case _:
                return None

    def decode_binary(self, data: bytes) -> Frame | None:
        """Return None: this version has no binary frames."""
        return None

    def encode(self, join_ref: Any, ref: Any, topic: Any, event: str, payload: str) -> str:
        """Return a text frame, without the `join_ref`.

        Args:
            join_ref: The ref of the channel's join, which this version leaves out.
            ref: The ref of the frame that is answered, None if the frame is not an answer.
            topic: The topic.
            event: The event.
            payload: The payload as JSON text.
        """
        return (
            f'{{"ref":{encoded(ref)},"event":{encoded(event)},"payload":{payload},"topic":{encoded(topic)}}}'
        )

    def around(self, topic: str, event: str) -> tuple[str, str]:
        """Return what comes before and after the payload of a frame whose `ref` and `join_ref` are null."""
        return f'{{"ref":null,"event":{encoded(event)},"payload":', f',"topic":{encoded(topic)}}}'

    def encode_broadcast(self, topic: str, broadcast: UserBroadcast) -> str | bytes | None:
        """Return the text frame of a client's broadcast, None if its payload is binary."""
        if broadcast.encoding != JSON_ENCODED:
            return None  # objects of 1.0.0 can't carry bytes
        try:
            text = broadcast.body.decode()  # the real server doesn't check either that it is JSON
        except UnicodeDecodeError:
            return None
        payload = broadcast_payload(broadcast.event, text, broadcast.meta)
        return self.encode(None, None, topic, "broadcast", payload)


class VersionTwo:
    """Version 2.0.0 of the protocol: frames are JSON lists, or binary."""

    accepts_objects_only = True

    def decode(self, text: str) -> Frame | None:
        """Return the frame in a text message, None if it is invalid."""
        match _decoded(text):
            case [join_ref, ref, topic, event, payload, *_]:
                persist = payload.get("persist") if isinstance(payload, dict) else None
                return Frame(
                    topic=topic, event=event, payload=payload, ref=ref, join_ref=join_ref, persist=persist
                )
            case _:
                return None

    def decode_binary(self, data: bytes) -> Frame | None:
        """Return the broadcast in a binary message, None if it is invalid.

        The first byte is the kind of the message, the next five are the lengths of join_ref, ref, topic,
        event and metadata, and the seventh is the encoding. Then these parts follow, and the payload.
        """
        if len(data) < 7 or data[0] != USER_BROADCAST_PUSH:
            return None
        at, parts = 7, []
        for size in data[1:6]:
            parts.append(data[at : at + size])
            at += size
        if at > len(data):
            return None
        try:
            join_ref, ref, topic, event = (part.decode() for part in parts[:4])
        except UnicodeDecodeError:
            return None
        encoding = JSON_ENCODED if data[6] else BINARY_ENCODED
        body = UserBroadcast(event=event, encoding=encoding, body=data[at:])
        metadata = _decoded(parts[4])
        return Frame(
            topic=topic,
            event="broadcast",
            payload=body,
            ref=ref or None,
            join_ref=join_ref or None,
            persist=metadata.get("persist") if isinstance(metadata, dict) else None,
        )

    def encode(self, join_ref: Any, ref: Any, topic: Any, event: str, payload: str) -> str:
        """Return a text frame.

        Args:
            join_ref: The ref of the channel's join.
            ref: The ref of the frame that is answered, None if the frame is not an answer.
            topic: The topic.
            event: The event.
            payload: The payload as JSON text.
        """
        return f"[{encoded(join_ref)},{encoded(ref)},{encoded(topic)},{encoded(event)},{payload}]"

    def around(self, topic: str, event: str) -> tuple[str, str]:
        """Return what comes before and after the payload of a frame whose `ref` and `join_ref` are null."""
        return f"[null,null,{encoded(topic)},{encoded(event)},", "]"

    def encode_broadcast(self, topic: str, broadcast: UserBroadcast) -> str | bytes | None:
        """Return the binary frame of a client's broadcast, None if topic, event or metadata are too long."""
        parts = [part.encode() for part in (topic, broadcast.event, broadcast.meta)]
        if max(map(len, parts)) > LONGEST_PART:
            return None
        sizes = (USER_BROADCAST, *map(len, parts), broadcast.encoding)
        return bytes(sizes) + b"".join(parts) + broadcast.body


_SORTED = msgspec.json.Encoder(order="deterministic")
_AS_IT_IS = msgspec.json.Encoder()

VERSIONS: dict[str, Version] = {"1.0": VersionOne(), "2.0": VersionTwo()}


def version_of(vsn: str) -> Version | None:
    """Return the version for a `vsn`, None if it is not supported: Phoenix accepts 1.0.x and 2.0.x."""
    major, _, patch = vsn.rpartition(".")
    return VERSIONS.get(major) if patch.isdecimal() else None


def encoded(value: Any, *, is_sorted: bool = True) -> str:
    """Return compact JSON text, with keys sorted as in Elixir's maps unless `is_sorted` is false."""
    return (_SORTED if is_sorted else _AS_IT_IS).encode(value).decode()


def broadcast_payload(event: str | None, payload: str, meta: str) -> str:
    """Return the payload of a broadcast's text frame.

    `payload` and `meta` are JSON text; an empty `meta` is left out.
    """
    described = f'"meta":{meta},' if meta else ""
    return f'{{"event":{encoded(event)},{described}"payload":{payload},"type":"broadcast"}}'


def is_too_complex(text: str | bytes) -> bool:
    """Return whether a frame has too many objects, lists or names to be decoded in one go."""
    if len(text) <= LARGE:
        return False
    brackets, colon = ("[{", ":") if isinstance(text, str) else (b"[{", b":")
    containers = text.count(brackets[:1]) + text.count(brackets[1:])  # type: ignore[arg-type]
    return containers > MOST_CONTAINERS or text.count(colon) > MOST_NAMES  # type: ignore[arg-type]


def _decoded(text: str | bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
