"""The binary frames of vsn 2.0.0: a broadcast as bytes, read from the server and written to it. Pure.

Source: supabase/realtime's V2 serializer. Sizes are one byte each; then come the parts in their order:

    to the server    3, sizes of join_ref, ref, topic, event, metadata, encoding; the parts; the payload
    to the client    4, sizes of topic, event, metadata, encoding; the parts; the payload
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

PUSHED, RECEIVED = 3, 4
BYTES, JSON = 0, 1
LONGEST_PART = 255

Persist = bool | dict[str, int]
"""Whether the server stores a broadcast, or for how many seconds: `{"ttl": 60}`."""

_checked = msgspec.json.Decoder(Raw).decode


class BinaryBroadcast(Struct, frozen=True, gc=False):
    """A broadcast as the wire has it; `binary` where the payload is no JSON, which `payload` then isn't."""

    topic: str
    event: str
    payload: Raw
    meta: Raw | None
    binary: bytes | None


def is_binary(frame: bytes) -> bool:
    """Whether a message is a binary frame: text begins with a bracket or white space."""
    return frame[:1] < b"\t"


def read(frame: bytes, empty: Raw) -> BinaryBroadcast:
    """Return the message of a frame; `empty` is the payload beside bytes. Raise ValueError if it is none."""
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
    """Whether each part's size can be said in its one byte."""
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
    """Return a broadcast to send. Every part must fit. `persist` is the metadata, as supabase-js sends it."""
    parts = [part.encode() for part in (join_ref, ref, topic, event)]
    parts.append(msgspec.json.encode({"persist": persist}) if persist else b"")
    sizes = bytes((PUSHED, *map(len, parts), JSON if is_json else BYTES))
    return sizes + b"".join(parts) + body
