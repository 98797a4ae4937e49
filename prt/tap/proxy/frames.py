"""Websocket frames: splitting a stream of bytes into frames and building frames (RFC 6455, 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from websockets.frames import Close, Opcode
from websockets.frames import Frame as WireFrame

FINAL_TEXT = 0x81
FINAL = 0x80
CONTINUATION, TEXT, BINARY, CLOSE = 0x0, 0x1, 0x2, 0x8
LARGEST_COPY = 1 << 20
"""The size in bytes above which no copy of a frame is kept; such a frame counts as skipped."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A websocket frame.

    `raw` is the whole frame as it arrived. `payload` is its content without the mask.
    """

    first: int
    payload: bytes
    raw: bytes

    @property
    def is_text(self) -> bool:
        """Return whether the frame holds text."""
        return self.first == FINAL_TEXT

    @property
    def opcode(self) -> int:
        """Return the opcode (RFC 6455, 5.2)."""
        return self.first & 0x0F

    @property
    def is_final(self) -> bool:
        """Return whether the frame ends its message."""
        return bool(self.first & FINAL)

    def garbled(self) -> bytes:
        """Return the frame with every seventh byte of its payload inverted. The frame must be a server's."""
        start = len(self.raw) - len(self.payload)
        payload = bytearray(self.payload)
        payload[::7] = bytes(byte ^ 0xFF for byte in payload[::7])
        return self.raw[:start] + bytes(payload)


class Splitter:
    """A splitter of a stream into frames. It keeps the bytes of a frame that is not complete yet."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that `data` completes."""
        self._rest += data
        start = 0
        while (size := _size(self._rest, start)) is not None and len(self._rest) - start >= size:
            raw = bytes(memoryview(self._rest)[start : start + size])
            start += size
            yield frame_of(raw)
        if start:
            del self._rest[:start]


class Scanner:
    """A scanner that copies the frames of a stream.

    It passes over large frames without keeping their bytes.
    """

    def __init__(self, largest: int = LARGEST_COPY) -> None:
        """Keep frames of at most `largest` bytes."""
        self._largest = largest
        self._rest = b""
        self._to_skip = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the frames that `data` completes: each one's bytes, or None if the frame was too large."""
        found: list[bytes | None] = []
        if self._to_skip:
            if len(data) < self._to_skip:
                self._to_skip -= len(data)
                return found
            data, self._to_skip = data[self._to_skip :], 0
            found.append(None)
        data, start = (self._rest + data if self._rest else data), 0
        while (size := _size(data, start)) is not None:
            left = len(data) - start
            if left >= size:
                found.append(data[start : start + size] if size <= self._largest else None)
                start += size
            elif size > self._largest:
                self._to_skip, self._rest = size - left, b""
                return found
            else:
                break
        self._rest = data[start:]
        return found


def frame_of(raw: bytes) -> Frame:
    """Return the frame that these bytes, a whole frame, contain."""
    return Frame(raw[0], _payload(raw), raw)


def text(payload: str | bytes) -> bytes:
    """Return a server's text frame with this payload."""
    data = payload.encode() if isinstance(payload, str) else payload
    return WireFrame(Opcode.TEXT, data).serialize(mask=False)


def close(code: int) -> bytes:
    """Return a server's close frame. The code 1006 is not allowed: it means that there was no close frame."""
    return WireFrame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False)


def _header(data: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """Return the sizes of the header (without its mask) and of the payload; None if it isn't complete."""
    if len(data) < at + 2:
        return None
    length = data[at + 1] & 0x7F
    extra = 2 if length == 126 else 8 if length == 127 else 0
    if not extra:
        return 2, length
    if len(data) < at + 2 + extra:
        return None
    return 2 + extra, int.from_bytes(data[at + 2 : at + 2 + extra])


def _size(data: bytes | bytearray, at: int) -> int | None:
    """Return the size of the frame that begins at `at`; None while its header isn't complete."""
    header = _header(data, at)
    return None if header is None else header[0] + (4 if data[at + 1] & 0x80 else 0) + header[1]


def _payload(raw: bytes) -> bytes:
    header = _header(raw)
    assert header is not None  # noqa: S101 - the frame is whole
    start, length = header
    if not raw[1] & 0x80:
        return raw[start:]
    mask, masked = raw[start : start + 4], raw[start + 4 :]
    keys = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(masked) ^ int.from_bytes(keys)).to_bytes(length)
