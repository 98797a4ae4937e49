"""Decoding of copied websocket frames into messages, in both directions and protocol versions of Realtime."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import msgspec
from msgspec import Raw, Struct

from prt.redaction import redact
from prt.stream.socket.binary import JSON, PUSHED, RECEIVED
from prt.tap.observe.identity import who_of
from prt.tap.observe.messages import Framed, Who
from prt.tap.proxy import frames

LARGEST_MESSAGE = 1 << 20
"""The size in bytes above which a message in fragments is not read."""

_EMPTY = Raw(b"{}")
_SECRET = re.compile(
    rb"eyJ[\w-]+\.|sb_(?:secret|publishable)_|access_token|refresh_token|bearer ", re.IGNORECASE
)


class _V1(Struct):
    topic: str
    event: str
    payload: Raw = _EMPTY
    ref: str | int | None = None
    join_ref: str | int | None = None


class _V2(Struct, array_like=True):
    join_ref: str | int | None
    ref: str | int | None
    topic: str
    event: str
    payload: Raw = _EMPTY


class _Token(Struct):
    access_token: Any = None


_decode_v1 = msgspec.json.Decoder(_V1).decode
_decode_v2 = msgspec.json.Decoder(_V2).decode
_decode_token = msgspec.json.Decoder(_Token).decode


class FrameReader:
    """A reader of the messages of one direction of a websocket. It joins the fragments of a message."""

    def __init__(self, number: int, *, is_sent: bool) -> None:
        self._number = number
        self._is_sent = is_sent
        self._parts: list[bytes] | None = None
        self._opcode = frames.TEXT

    def read(self, raw: bytes, at: int) -> Framed | int | None:
        """Read a frame; return a message of Realtime, or the code of a close frame, or None.

        A close frame without a code has the code 1005. The rest of an unfinished message is awaited, and None
        is returned until then.
        """
        frame = frames.frame_of(raw)
        if frame.opcode == frames.CLOSE:
            return int.from_bytes(frame.payload[:2]) if len(frame.payload) >= 2 else 1005
        if frame.opcode > frames.CLOSE:
            return None
        if frame.opcode != frames.CONTINUATION:
            self._parts, self._opcode = [], frame.opcode
        if self._parts is None:
            return None
        self._parts.append(frame.payload)
        if sum(map(len, self._parts)) > LARGEST_MESSAGE:
            self._parts = None
            return None
        if not frame.is_final:
            return None
        data, self._parts = b"".join(self._parts), None
        try:
            return self._binary(data, at) if self._opcode == frames.BINARY else self._text(data, at)
        except (ValueError, RecursionError):
            return None

    def _text(self, data: bytes, at: int) -> Framed:
        is_v2 = data.lstrip()[:1] == b"["
        message: _V1 | _V2 = _decode_v2(data) if is_v2 else _decode_v1(data)
        token = _token_of(message) if self._is_sent else None
        return Framed(
            at=at,
            number=self._number,
            is_sent=self._is_sent,
            join_ref=_text_of(message.join_ref),
            ref=_text_of(message.ref),
            topic=message.topic,
            event=message.event,
            payload=without_secrets(message.payload),
            size=len(data),
            token=token,
        )

    def _binary(self, data: bytes, at: int) -> Framed:
        """Return the broadcast of a binary message, which begins with the sizes of its parts.

        The format is that of `prt/stream/socket/binary.py`.
        """
        kind = data[0]
        if kind not in (PUSHED, RECEIVED):
            raise ValueError(f"a binary frame of kind {kind}")
        count = 6 if kind == PUSHED else 4  # the encoding is a value, not a size
        sizes, encoding, start = list(data[1:count]), data[count], count + 1
        parts = []
        for size in sizes:
            parts.append(data[start : start + size].decode())
            start += size
        join_ref, ref = (parts[0], parts[1]) if kind == PUSHED else (None, None)
        topic, event = parts[2:4] if kind == PUSHED else parts[:2]
        body = data[start:] if encoding == JSON else msgspec.json.encode(b64encode(data[start:]).decode())
        payload = b'{"type":"broadcast","event":%b,"payload":%b}' % (
            msgspec.json.encode(event),
            body or b"null",
        )
        return Framed(
            at=at,
            number=self._number,
            is_sent=self._is_sent,
            join_ref=join_ref,
            ref=ref,
            topic=topic,
            event="broadcast",
            payload=without_secrets(Raw(payload)),
            size=len(data),
        )


def without_secrets(payload: Raw) -> Raw:
    """Return the JSON with keys and tokens replaced; it is unchanged if it contains none."""
    raw = bytes(payload)
    if not _SECRET.search(raw):
        return Raw(raw)
    try:
        return Raw(msgspec.json.encode(_cleaned(msgspec.json.decode(raw))))
    except (ValueError, RecursionError):
        return Raw(b'"<hidden>"')


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            redact(key): "<hidden>"
            if key in ("access_token", "refresh_token", "password", "apikey") and isinstance(inner, str)
            else _cleaned(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def _token_of(message: _V1 | _V2) -> Who | None:
    if message.event not in ("phx_join", "access_token"):
        return None
    try:
        token = _decode_token(message.payload).access_token
    except (ValueError, RecursionError):
        return None
    # The server does not accept an opaque key as a token: the socket's key counts instead.
    return who_of(token) if isinstance(token, str) and token and not token.startswith("sb_") else None


def _text_of(ref: str | int | None) -> str | None:
    return None if ref is None else str(ref)
