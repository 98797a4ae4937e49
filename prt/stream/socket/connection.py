"""A websocket connection that passes on each message as soon as it is parsed, without a coroutine.

`websockets` wakes a task for each message that `recv()` returns, and steps a generator four times for each
frame. This is two thirds of what a change costs us. Its handshake, limits, control frames, fragments and
closing are used as they are. Only whole unfragmented messages, which are what floods consist of, are parsed
here. The overridden methods are those that the library's own client overrides or that asyncio calls, so the
version of the library is bounded.
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
"""Messages of this size or larger come in many reads. The library collects them without copying them again
and again."""


class MessageConnection(ClientConnection):
    """A websocket connection with a callback for messages.

    Attributes:
        alive_at: When the last bytes came, in seconds of `windows.running_clock`; None before the first.
    """

    def __init__(self, *args: Any, on_message: Callable[[bytes], None], **kwargs: Any) -> None:
        """Create the connection; the other arguments are those of the library.

        Args:
            on_message: Receives the bytes of every text or binary message, whole and in order. It must not
                raise.
        """
        super().__init__(*args, **kwargs)
        self._on_message = on_message
        self._fragments: list[bytes] = []
        self._rest = b""
        self._has_parsed_frame = False
        self._is_between_frames = False
        self.alive_at: float | None = None

    def pause_reading(self) -> None:
        """Stop reading, so that TCP holds the server up. Pongs are not read either."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again, unless the connection is being closed."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def process_event(self, event: Event) -> None:
        """Pass on whole messages at once, and leave every other frame to the library."""
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
        """Parse the whole messages in the bytes that came, and leave the rest to the library."""
        self.alive_at = running_clock()
        if self._is_between_frames:
            data = self._read_messages(self._rest + data if self._rest else data)
            if not data:
                return
        # The library's parser is between frames if it has parsed one and its buffer is empty.
        self._has_parsed_frame = False
        super().data_received(data)
        self._is_between_frames = (
            self._has_parsed_frame and not self.protocol.reader.buffer and not self._fragments
        )

    def _read_messages(self, data: bytes) -> bytes:
        """Pass on whole messages (RFC 6455, 5.2), and return the bytes that only the library can parse."""
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
            is_masked = data[position + 1] > 127  # forbidden for a server
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
