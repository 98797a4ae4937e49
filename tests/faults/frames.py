"""Websocket frames out of a stream of bytes, and back (RFC 6455, 5.2): what the proxy needs to meddle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from websockets.frames import Close, Opcode
from websockets.frames import Frame as WireFrame

FINAL_TEXT = 0x81


@dataclass(frozen=True)
class Frame:
    """`raw` is the frame as it came, `payload` is without the mask."""

    first: int
    payload: bytes
    raw: bytes

    @property
    def is_text(self) -> bool:
        return self.first == FINAL_TEXT

    def garbled(self) -> bytes:
        """The frame of a server with every seventh byte of its payload inverted."""
        start = len(self.raw) - len(self.payload)
        payload = bytearray(self.payload)
        payload[::7] = bytes(byte ^ 0xFF for byte in payload[::7])
        return self.raw[:start] + bytes(payload)


class Splitter:
    """Keeps what is no whole frame yet."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        data, start = self._rest + data, 0
        self._rest = b""
        while (size := _size(data, start)) is not None:
            raw = data[start : start + size]
            start += size
            yield Frame(raw[0], _payload(raw), raw)
        self._rest = data[start:]


def text(payload: str | bytes) -> bytes:
    """A text frame of a server."""
    data = payload.encode() if isinstance(payload, str) else payload
    return WireFrame(Opcode.TEXT, data).serialize(mask=False)


def close(code: int) -> bytes:
    """A close frame of a server. 1006 is none: it stands for a connection that broke."""
    return WireFrame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False)


def _header(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """How long the header is without its mask, and how long the payload."""
    if len(data) < at + 2:
        return None
    length = data[at + 1] & 0x7F
    extra = {126: 2, 127: 8}.get(length, 0)
    if len(data) < at + 2 + extra:
        return None
    return 2 + extra, int.from_bytes(data[at + 2 : at + 2 + extra]) if extra else length


def _size(data: bytes, at: int) -> int | None:
    header = _header(data, at)
    if header is None:
        return None
    size = header[0] + (4 if data[at + 1] & 0x80 else 0) + header[1]
    return size if len(data) - at >= size else None


def _payload(raw: bytes) -> bytes:
    header = _header(raw)
    assert header is not None
    start, length = header
    if not raw[1] & 0x80:
        return raw[start:]
    mask, masked = raw[start : start + 4], raw[start + 4 :]
    keys = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(masked) ^ int.from_bytes(keys)).to_bytes(length)
