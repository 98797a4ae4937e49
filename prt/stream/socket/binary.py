"""The binary frames of vsn 2.0.0: encoding a broadcast to the server, and decoding one from it. Pure.

Source: supabase/realtime's V2 serializer. After the kind of the frame come the sizes of its parts, one byte
each, then the parts in the same order, then the payload:

    to the server    3, sizes of join_ref, ref, topic, event, metadata, encoding; the parts; the payload
    to the client    4, sizes of topic, event, metadata, encoding; the parts; the payload
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

PUSHED, RECEIVED = 3, 4
"""The first byte of a frame to the server, and of one from the server."""
BYTES, JSON = 0, 1
"""The encodings of a payload."""
LONGEST_PART = 255
"""The most bytes of a part, whose size is one byte."""

Persist = bool | dict[str, int]
"""Whether the server stores a broadcast, or for how many seconds: `{"ttl": 60}`."""

_checked = msgspec.json.Decoder(Raw).decode


class BinaryBroadcast(Struct, frozen=True, gc=False):
    """A broadcast as a binary frame contains it.

    Attributes:
        topic: The topic with the prefix `realtime:`.
        event: The name of the broadcast.
        payload: The payload if it is JSON, else an empty object.
        meta: The metadata as JSON, or None.
        binary: The payload if it is bytes, else None.
    """

    topic: str
    event: str
    payload: Raw
    meta: Raw | None
    binary: bytes | None


def is_binary(frame: bytes) -> bool:
    """Return whether a message is a binary frame. A text frame begins with a bracket or white space."""
    return frame[:1] < b"\t"


def read(frame: bytes, empty: Raw) -> BinaryBroadcast:
    """Decode a binary frame from the server.

    Args:
        frame: The frame.
        empty: The value for `payload` if the payload is bytes.

    Raises:
        ValueError: If the frame is not a broadcast, or is malformed.
    """
    if frame[:1] != bytes((RECEIVED,)):
        raise ValueError(f"a binary frame of kind {frame[0] if frame else 'none'}")
    if len(frame) < 5:
        raise ValueError("a binary frame without its sizes")
    topic_end = 5 + frame[1]
    event_end = topic_end + frame[2]
    meta_end = event_end + frame[3]
    if meta_end > len(frame):
        raise ValueError("a binary frame shorter than its sizes")
    body, encoding = frame[meta_end:], frame[4]
    if encoding not in (BYTES, JSON):
        raise ValueError(f"a binary frame in the encoding {encoding}")
    return BinaryBroadcast(
        topic=frame[5:topic_end].decode(),
        event=frame[topic_end:event_end].decode(),
        payload=_checked(body) if encoding == JSON else empty,
        meta=_checked(frame[event_end:meta_end]) if frame[3] else None,
        binary=body if encoding == BYTES else None,
    )


def fits(*parts: str) -> bool:
    """Return whether each part is short enough for a binary frame."""
    return all(len(part.encode()) <= LONGEST_PART for part in parts)


def push(
    join_ref: str,
    ref: str,
    topic: str,
    event: str,
    body: bytes,
    *,
    is_json: bool,
    persist: Persist = False,
) -> bytes:
    """Encode a broadcast as a binary frame to the server. Each part must fit (see `fits`).

    Args:
        join_ref: The `ref` of the channel's join.
        ref: The ref of this frame.
        topic: The topic with the prefix `realtime:`.
        event: The name of the broadcast.
        body: The payload.
        is_json: Whether the payload is JSON rather than bytes.
        persist: Whether the server stores it; sent as metadata, as supabase-js does.
    """
    parts = [part.encode() for part in (join_ref, ref, topic, event)]
    parts.append(msgspec.json.encode({"persist": persist}) if persist else b"")
    sizes = bytes((PUSHED, *map(len, parts), JSON if is_json else BYTES))
    return sizes + b"".join(parts) + body
