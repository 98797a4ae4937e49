"""Pure decoding of the frames that a Realtime server sends, in both versions of its protocol.

A frame of vsn 2.0.0 is an array `[join_ref, ref, topic, event, payload]`; one of vsn 1.0.0 is an object
without `join_ref`. Changes are nearly all of the traffic. msgspec decodes them in one pass, with their rows
left as raw JSON. Broadcasts are decoded with a raw payload, whether they come as text or as binary frames
(vsn 2.0.0). Every other frame becomes a `Frame`, whose payload is decoded later. A frame that can't be
decoded becomes a `Malformed` event.

A socket may receive frames of the other version, because the server encodes a change only once for clients of
both versions (see the recording `mixed_versions` of a real server). A frame of vsn 1.0.0 need not be JSON,
because the server passes on the bytes of a binary broadcast without checking them (see `broadcast_binary`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from prt.events import EMPTY, Broadcast, Change, EventType, Malformed
from prt.redaction import redact
from prt.stream.socket import binary

Vsn = Literal["2.0.0", "1.0.0"]

TOPIC_PREFIX = "realtime:"
MALFORMED_SHOWN = 500
"""The number of characters of an unreadable frame that are kept, to recognise it."""
MALFORMED_READ = 64 * 1024
"""The number of bytes of an unreadable frame in which tokens are redacted before it is cut."""


class Frame(Struct, frozen=True, array_like=True):
    """A frame with its fields in the order of vsn 2.0.0; `join_ref` is None for one of vsn 1.0.0."""

    join_ref: str | int | None
    ref: str | int | None
    topic: str
    event: str
    payload: Raw


class System(Struct, frozen=True):
    """The payload of a `system` frame; `channel` is None for "Server requested disconnect"."""

    message: str
    status: str
    extension: str = ""
    channel: str | None = None


class Reply(Struct, frozen=True):
    """The payload of a `phx_reply`; `response` is any JSON value, even a text."""

    status: str
    response: Any = None


class _FrameV1(Struct):
    topic: str
    event: str
    payload: Raw
    ref: str | int | None = None


class _Row(Struct):
    schema: str
    table: str
    type: EventType
    commit_timestamp: str | None = None
    record: Raw = EMPTY
    old_record: Raw = EMPTY
    errors: list[str] | None = None


class _Changes(Struct):
    data: _Row


class _ChangesFrame(Struct, array_like=True):
    join_ref: Any
    ref: Any
    topic: str
    event: str
    payload: _Changes


_NULL = Raw(b"null")


class _BroadcastPayload(Struct):
    event: Any = ""
    payload: Raw = EMPTY
    meta: Raw = _NULL


_decode_v2 = msgspec.json.Decoder(Frame).decode
_decode_v1 = msgspec.json.Decoder(_FrameV1).decode
_decode_changes = msgspec.json.Decoder(_Changes).decode
_decode_changes_frame = msgspec.json.Decoder(_ChangesFrame).decode
_decode_broadcast = msgspec.json.Decoder(_BroadcastPayload).decode
_decode_system = msgspec.json.Decoder(System).decode
_decode_reply = msgspec.json.Decoder(Reply).decode

_V2_CHANGES = b'"postgres_changes",{'
_V2_HEAD = 400
_BROADCAST = re.compile(
    rb"""\s*(?:\{"ref":[^,"{\[]*,"event":"broadcast","topic":"""
    rb"""|\[(?:[^,"{\[]*|"\w*"),(?:[^,"{\[]*|"\w*"),"(?:[^"\\]|\\.)*","broadcast",)"""
)


class Decoder:
    """The decoder of one connection's frames.

    Its only state is the last commit timestamp, which is parsed once for all changes of a transaction.
    """

    def __init__(self) -> None:
        self._commit_text: str | None = None
        self._commit_us: int | None = None

    def decode(self, frame: bytes, at: int) -> Change | Broadcast | Frame | Malformed:
        """Decode a frame.

        Args:
            frame: The frame, text or binary.
            at: When it was received, in µs since the epoch.
        """
        try:
            if binary.is_binary(frame):
                return _binary_broadcast(frame, at)
            if not is_object(frame):
                if _V2_CHANGES in frame[:_V2_HEAD]:
                    hot = _decode_changes_frame(frame)
                    if hot.event == "postgres_changes":
                        return self._change(hot.topic, hot.payload.data, at)
                v2 = _decode_v2(frame)
                if v2.event == "postgres_changes":  # with spaces in the JSON, or after a long topic
                    return self._change(v2.topic, _decode_changes(v2.payload).data, at)
                return _broadcast(v2.topic, v2.payload, at) if v2.event == "broadcast" else v2
            v1 = _decode_v1(frame)
            if v1.event == "postgres_changes":
                return self._change(v1.topic, _decode_changes(v1.payload).data, at)
            if v1.event == "broadcast":
                return _broadcast(v1.topic, v1.payload, at)
            return Frame(None, v1.ref, v1.topic, v1.event, v1.payload)
        except (ValueError, RecursionError) as exc:  # msgspec's and Unicode's errors are ValueErrors
            return malformed(frame, str(exc), at)

    def _change(self, topic: str, row: _Row, at: int) -> Change:
        commit_us = self._parsed(row.commit_timestamp)
        return Change(
            at=at,
            topic=topic.removeprefix(TOPIC_PREFIX),
            event_type=row.type,
            schema=row.schema,
            table=row.table,
            commit_timestamp=row.commit_timestamp,
            new=_object(row.record),
            old=_object(row.old_record),
            errors=row.errors,
            lag_ms=None if commit_us is None else (at - commit_us) / 1000,
        )

    def _parsed(self, commit_timestamp: str | None) -> int | None:
        if commit_timestamp is None:
            return None
        if commit_timestamp != self._commit_text:
            self._commit_text = commit_timestamp
            self._commit_us = microseconds(commit_timestamp)
        return self._commit_us


def is_object(frame: bytes) -> bool:
    """Return whether a text frame is a JSON object, as in vsn 1.0.0."""
    first = frame[:1]
    return first == b"{" or (first.isspace() and frame.lstrip()[:1] == b"{")


def is_broadcast(frame: bytes) -> bool:
    """Return whether an unreadable frame is certainly a broadcast, so that no change is lost with it."""
    return binary.is_binary(frame) or _BROADCAST.match(frame) is not None


def system(frame: Frame) -> System:
    """Return the payload of a `system` frame. Raises msgspec.DecodeError if it is not valid."""
    return _decode_system(frame.payload)


def reply(frame: Frame) -> Reply:
    """Return the payload of a `phx_reply`. Raises msgspec.DecodeError if it is not valid."""
    return _decode_reply(frame.payload)


def malformed(frame: bytes, reason: str, at: int) -> Malformed:
    """Return an unreadable frame as an event, with the secrets redacted and shortened for display.

    Args:
        frame: The frame.
        reason: Why it can't be read.
        at: When it was received, in µs since the epoch.
    """
    # The frame may contain our token. Redact before cutting, so that no part of it remains.
    text = redact(frame[:MALFORMED_READ].decode("utf-8", "backslashreplace"))
    cut = text if len(text) <= MALFORMED_SHOWN else text[:MALFORMED_SHOWN] + "…"
    return Malformed(at=at, frame=cut, reason=reason)


def microseconds(timestamp: str) -> int | None:
    """Convert an RFC 3339 timestamp to µs since the epoch; None for any other text (`infinity`, BC)."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return round(moment.timestamp() * 1_000_000)


def _broadcast(topic: str, payload: Raw, at: int) -> Broadcast:
    """Return a broadcast from its payload. Its event is empty if the payload has none.

    A client may send any payload, and the server passes it on.
    """
    name = topic.removeprefix(TOPIC_PREFIX)
    if memoryview(payload)[0] != ord("{"):
        return Broadcast(at=at, topic=name, event="", payload=payload)
    message = _decode_broadcast(payload)
    if not isinstance(message.event, str | None):
        return Broadcast(at=at, topic=name, event="", payload=payload)
    meta = None if message.meta == _NULL else message.meta
    return Broadcast(at=at, topic=name, event=message.event or "", payload=message.payload, meta=meta)


def _binary_broadcast(frame: bytes, at: int) -> Broadcast:
    message = binary.read(frame, EMPTY)
    return Broadcast(
        at=at,
        topic=message.topic.removeprefix(TOPIC_PREFIX),
        event=message.event,
        payload=message.payload,
        meta=message.meta,
        binary=message.binary,
    )


def _object(raw: Raw) -> Raw:
    if memoryview(raw)[0] != ord("{"):
        if bytes(raw) == b"null":
            return EMPTY
        raise msgspec.ValidationError("a record is an object")
    return raw
