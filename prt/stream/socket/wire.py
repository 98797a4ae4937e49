"""Frames to values: pure decoding of what a Realtime server sends, in both versions of its protocol.

vsn 2.0.0 is an array `[join_ref, ref, topic, event, payload]`, vsn 1.0.0 an object without `join_ref`.
Changes, nearly all of the traffic, are decoded in one pass by msgspec with their rows left raw, and
broadcasts with their payload raw, whether they come as text or as binary frames (vsn 2.0.0); every other
frame becomes a `Frame` whose payload its reader decodes. What can't be read is a `Malformed` event.

A socket may get frames of the other version: a change is encoded once for clients of both (recorded in
`mixed_versions`). A frame of vsn 1.0.0 may be no JSON: a broadcast from a client that sends bytes is passed
on without a look (`broadcast_binary`).
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
"""Characters of an unreadable frame that are kept: enough to recognise it."""
MALFORMED_READ = 64 * 1024


class Frame(Struct, frozen=True, array_like=True):
    """A frame in the order of vsn 2.0.0; a v1 frame has None for `join_ref`."""

    join_ref: str | int | None
    ref: str | int | None
    topic: str
    event: str
    payload: Raw


class System(Struct, frozen=True):
    """The payload of a `system` frame; "Server requested disconnect" has no `channel`."""

    message: str
    status: str
    extension: str = ""
    channel: str | None = None


class Reply(Struct, frozen=True):
    """The payload of a `phx_reply`; `response` is whatever the server says, even a bare string."""

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


class _Said(Struct):
    event: Any = ""
    payload: Raw = EMPTY
    meta: Raw = _NULL


_decode_v2 = msgspec.json.Decoder(Frame).decode
_decode_v1 = msgspec.json.Decoder(_FrameV1).decode
_decode_changes = msgspec.json.Decoder(_Changes).decode
_decode_changes_frame = msgspec.json.Decoder(_ChangesFrame).decode
_decode_said = msgspec.json.Decoder(_Said).decode
_decode_system = msgspec.json.Decoder(System).decode
_decode_reply = msgspec.json.Decoder(Reply).decode

_V2_CHANGES = b'"postgres_changes",{'
_V2_HEAD = 400
_BROADCAST = re.compile(
    rb"""\s*(?:\{"ref":[^,"{\[]*,"event":"broadcast","topic":"""
    rb"""|\[(?:[^,"{\[]*|"\w*"),(?:[^,"{\[]*|"\w*"),"(?:[^"\\]|\\.)*","broadcast",)"""
)


class Decoder:
    """Frames of one connection to values. Remembers only the last commit timestamp, to parse it once."""

    def __init__(self) -> None:
        self._commit_text: str | None = None
        self._commit_us: int | None = None

    def decode(self, frame: bytes, at: int) -> Change | Broadcast | Frame | Malformed:
        """`at` is when the frame was received, in µs since the epoch."""
        try:
            if binary.is_binary(frame):
                return _heard_binary(frame, at)
            if not is_object(frame):
                if _V2_CHANGES in frame[:_V2_HEAD]:
                    hot = _decode_changes_frame(frame)
                    if hot.event == "postgres_changes":
                        return self._change(hot.topic, hot.payload.data, at)
                v2 = _decode_v2(frame)
                if v2.event == "postgres_changes":  # written with spaces, or behind a long topic
                    return self._change(v2.topic, _decode_changes(v2.payload).data, at)
                return _heard(v2.topic, v2.payload, at) if v2.event == "broadcast" else v2
            v1 = _decode_v1(frame)
            if v1.event == "postgres_changes":
                return self._change(v1.topic, _decode_changes(v1.payload).data, at)
            if v1.event == "broadcast":
                return _heard(v1.topic, v1.payload, at)
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
    """Return whether a text frame has the shape of vsn 1.0.0."""
    first = frame[:1]
    return first == b"{" or (first.isspace() and frame.lstrip()[:1] == b"{")


def is_broadcast(frame: bytes) -> bool:
    """Return whether a frame that can't be read is a broadcast all the same, and so no lost change."""
    return binary.is_binary(frame) or _BROADCAST.match(frame) is not None


def system(frame: Frame) -> System:
    """Return the payload of a `system` frame. Raise msgspec.DecodeError if it is not one."""
    return _decode_system(frame.payload)


def reply(frame: Frame) -> Reply:
    """Return the payload of a `phx_reply`. Raise msgspec.DecodeError if it is not one."""
    return _decode_reply(frame.payload)


def malformed(frame: bytes, reason: str, at: int) -> Malformed:
    """An unreadable frame as an event, cut to what a person can look at."""
    # The server may repeat a token of ours; it goes before a cut could leave a part of it.
    text = redact(frame[:MALFORMED_READ].decode("utf-8", "backslashreplace"))
    cut = text if len(text) <= MALFORMED_SHOWN else text[:MALFORMED_SHOWN] + "…"
    return Malformed(at=at, frame=cut, reason=reason)


def microseconds(timestamp: str) -> int | None:
    """Return an RFC 3339 timestamp as µs since the epoch; None for any other text (infinity, BC)."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return round(moment.timestamp() * 1_000_000)


def _heard(topic: str, payload: Raw, at: int) -> Broadcast:
    """Return a broadcast. A client may push anything, and the server passes it on: then it has no event."""
    name = topic.removeprefix(TOPIC_PREFIX)
    if memoryview(payload)[0] != ord("{"):
        return Broadcast(at=at, topic=name, event="", payload=payload)
    said = _decode_said(payload)
    if not isinstance(said.event, str | None):
        return Broadcast(at=at, topic=name, event="", payload=payload)
    meta = None if said.meta == _NULL else said.meta
    return Broadcast(at=at, topic=name, event=said.event or "", payload=said.payload, meta=meta)


def _heard_binary(frame: bytes, at: int) -> Broadcast:
    said = binary.read(frame, EMPTY)
    return Broadcast(
        at=at,
        topic=said.topic.removeprefix(TOPIC_PREFIX),
        event=said.event,
        payload=said.payload,
        meta=said.meta,
        binary=said.binary,
    )


def _object(raw: Raw) -> Raw:
    if memoryview(raw)[0] != ord("{"):
        if bytes(raw) == b"null":
            return EMPTY
        raise msgspec.ValidationError("a record is an object")
    return raw
