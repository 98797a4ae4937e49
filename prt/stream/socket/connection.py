"""A websocket connection that hands over each message as it is parsed, without a coroutine between.

`websockets` wakes a task for each message that `recv()` returns and steps a generator four times for
each frame: two thirds of what a change costs us. Its handshake, limits, control frames, fragments and
closing stay as they are; only whole unfragmented messages, all that floods, take the short way. What
is overridden here is what its own client overrides or asyncio calls, hence the bound on the library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from prt.stream.recovery.windows import running_clock

_MESSAGE = (Opcode.TEXT, Opcode.BINARY)
_FIN_TEXT, _FIN_BINARY = 0x81, 0x82
_SHORT_WAY_BYTES = 1024 * 1024
"""Larger messages come in many reads, which the library collects without copying them over and over."""


class MessageConnection(ClientConnection):
    """`on_message` gets the bytes of every text or binary message, whole and in order; it must not raise."""

    def __init__(self, *args: Any, on_message: Callable[[bytes], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_message = on_message
        self._fragments: list[bytes] = []
        self._rest = b""
        self._has_parsed_frame = False
        self._is_between_frames = False
        self.alive_at: float | None = None

    def pause_reading(self) -> None:
        """Lets TCP hold up the server. Pongs wait too."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again, unless the connection is being closed."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def process_event(self, event: Event) -> None:
        """Hand over whole messages at once, and leave every other frame to the library."""
        if type(event) is not Frame:
            super().process_event(event)
            return
        self._has_parsed_frame = True
        if event.opcode in _MESSAGE and event.fin:
            self._on_message(bytes(event.data))
        elif event.opcode in _MESSAGE or event.opcode is Opcode.CONT:
            self._fragments.append(bytes(event.data))
            if event.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._on_message(message)
        else:
            super().process_event(event)

    def data_received(self, data: bytes) -> None:
        """Take the whole messages out of the bytes that came, and leave the rest to the library."""
        self.alive_at = running_clock()
        if self._is_between_frames:
            data = self._take_messages(self._rest + data if self._rest else data)
            if not data:
                return
        # The library's parser is between frames again when it has parsed one and holds nothing.
        self._has_parsed_frame = False
        super().data_received(data)
        self._is_between_frames = (
            self._has_parsed_frame and not self.protocol.reader.buffer and not self._fragments
        )

    def _take_messages(self, data: bytes) -> bytes:
        """Hands over whole messages (RFC 6455, 5.2); returns what only the library can parse."""
        position, end = 0, len(data)
        while end - position >= 2:
            first, length = data[position], data[position + 1]
            start = position + 2
            if length == 126:
                start += 2
                length = int.from_bytes(data[position + 2 : start])
            elif length == 127:
                start += 8
                length = int.from_bytes(data[position + 2 : start])
            is_masked = data[position + 1] > 127  # which a server must not do
            if first not in (_FIN_TEXT, _FIN_BINARY) or is_masked or length >= _SHORT_WAY_BYTES:
                self._rest, self._is_between_frames = b"", False
                return data[position:]
            stop = start + length
            if stop > end:
                break
            self._on_message(data[start:stop])
            position = stop
        self._rest = data[position:]
        return b""
