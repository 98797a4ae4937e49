from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from prt.stream.socket.connection import MessageConnection

MAX = 1 << 21
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70_000]


class Wire:
    """The server's end, byte by byte: what `websockets` would not send can be sent."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_heard: asyncio.Event
    ) -> None:
        """`is_heard` is set when the client has got a message."""
        self.reader, self.writer = reader, writer
        self.protocol = ServerProtocol()
        self.is_heard = is_heard

    async def answer(self, extra: bytes = b"") -> None:
        """Accepts the handshake; `extra` goes out in the same segment."""
        while not (events := self.protocol.events_received()):
            self.protocol.receive_data(await self.reader.read(65536))
        self.protocol.send_response(self.protocol.accept(events[0]))  # type: ignore[arg-type]
        await self.send(b"".join(self.protocol.data_to_send()) + extra)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_closed(self) -> list[Frame]:
        """What the client sent, its closing frame last; the server is the one to hang up."""
        frames: list[Frame] = []
        while self.protocol.state is State.OPEN and (data := await self.reader.read(65536)):
            self.protocol.receive_data(data)
            frames += [event for event in self.protocol.events_received() if isinstance(event, Frame)]
        return frames


Script = Callable[[Wire], Awaitable[None]]


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def close(code: int = 1000) -> bytes:
    return frame(Close(code, "").serialize(), Opcode.CLOSE)


class Received:
    """What a client got: messages, and the codes of the closing frames of both sides."""

    def __init__(self, messages: list[bytes], received: Close | None, sent: Close | None) -> None:
        self.messages = messages
        self.received = received and received.code
        self.sent = sent and sent.code


def received(script: Script) -> Received:
    async def main() -> Received:
        messages: list[bytes] = []
        is_heard = asyncio.Event()

        def on_message(message: bytes) -> None:
            messages.append(message)
            is_heard.set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await script(Wire(reader, writer, is_heard))
            finally:
                writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            connection = await connect(
                f"ws://127.0.0.1:{port}",
                compression=None,
                ping_interval=None,
                max_size=MAX,
                create_connection=partial(MessageConnection, on_message=on_message),  # type: ignore[arg-type]
            )
            await connection.wait_closed()
            return Received(messages, connection.protocol.close_rcvd, connection.protocol.close_sent)

    return asyncio.run(main())


def sending(*pieces: bytes) -> Script:
    """Sends one message, and the pieces when that one has been taken."""

    async def script(wire: Wire) -> None:
        await wire.answer()
        await wire.send(frame(b"first"))
        await wire.is_heard.wait()
        for piece in pieces:
            await wire.send(piece)
            # Lets the client read the pieces one by one.
            await asyncio.sleep(0)
        await wire.until_closed()

    return script


def test_messages_of_every_length() -> None:
    sent = [b"x" * size for size in SIZES]
    found = received(sending(b"".join(map(frame, sent)) + close(1012)))
    assert found.messages == [b"first", *sent]
    assert found.received == 1012


def test_text_and_binary_come_in_order() -> None:
    data = frame(b"a") + frame(b"\x01b", Opcode.BINARY) + frame(b"c") + close()
    assert received(sending(data)).messages == [b"first", b"a", b"\x01b", b"c"]


def test_a_message_in_the_segment_of_the_handshake() -> None:
    async def script(wire: Wire) -> None:
        await wire.answer(frame(b"early") + frame(b"half")[:3])
        await wire.send(frame(b"half")[3:] + frame(b"late") + close())
        await wire.until_closed()

    assert received(script).messages == [b"early", b"half", b"late"]


def test_fragments_with_a_ping_between_them() -> None:
    pongs: list[bytes] = []

    async def script(wire: Wire) -> None:
        await wire.answer(frame(b"zero"))
        await wire.is_heard.wait()
        await wire.send(
            frame(b"on", fin=False)
            + frame(b"ping!", Opcode.PING)
            + frame(b"e ", Opcode.CONT, fin=False)
            + frame(b"piece", Opcode.CONT)
            + frame(b"two")
        )
        await wire.send(frame(b"three") + close())
        pongs.extend(one.data for one in await wire.until_closed() if one.opcode is Opcode.PONG)

    assert received(script).messages == [b"zero", b"one piece", b"two", b"three"]
    assert pongs == [b"ping!"]


@settings(max_examples=60, deadline=None)
@given(
    messages=st.lists(st.tuples(st.sampled_from(SIZES[:6]), st.integers(1, 3)), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 2_000), max_size=12),
)
def test_bytes_may_be_cut_anywhere(messages: list[tuple[int, int]], cuts: list[int]) -> None:
    """However the frames are cut into segments, the messages are the same."""
    wire, expected = b"", []
    for number, (size, parts) in enumerate(messages):
        data = bytes([number + 65]) * size
        expected.append(data)
        step = size // parts + 1
        pieces = [data[at : at + step] for at in range(0, size or 1, step)]
        for index, piece in enumerate(pieces):
            opcode = Opcode.TEXT if index == 0 else Opcode.CONT
            wire += frame(piece, opcode, fin=index == len(pieces) - 1)
    edges = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})
    parts_of_wire = [wire[start:end] for start, end in pairwise(edges)]
    assert received(sending(*parts_of_wire, close())).messages == [b"first", *expected]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"x" * (MAX + 1)), 1009),
        (frame(b"x" * (MAX + 1))[:20], 1009),
        (frame(b"x" * MAX, fin=False) + frame(b"x", Opcode.CONT), 1009),
        (Frame(Opcode.TEXT, b"masked").serialize(mask=True), 1002),
        (frame(b"stray", Opcode.CONT), 1002),
        (frame(b"a", fin=False) + frame(b"b"), 1002),
        (bytes([0xC1, 1]) + b"x", 1002),
        (bytes([0x83, 1]) + b"x", 1002),
        (bytes([0x8B, 1]) + b"x", 1002),
    ],
    ids=[
        "long",
        "long, cut",
        "long in fragments",
        "masked",
        "stray",
        "unfinished",
        "reserved",
        "opcode",
        "control",
    ],
)
def test_what_breaks_the_protocol_or_the_bound_ends_the_connection(data: bytes, code: int) -> None:
    found = received(sending(frame(b"good") + data))
    assert found.messages == [b"first", b"good"]
    assert found.sent == code


def test_an_answer_that_is_no_upgrade() -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\n")
        await wire.send(b"body")

    with pytest.raises(InvalidStatus) as caught:
        received(script)
    assert (caught.value.response.status_code, caught.value.response.body) == (401, b"body")


def test_a_connection_that_breaks_still_gives_what_came() -> None:
    async def script(wire: Wire) -> None:
        await wire.answer(frame(b"first"))
        await wire.is_heard.wait()
        await wire.send(frame(b"last") + frame(b"never whole")[:5])
        await wire.writer.drain()
        wire.writer.close()

    found = received(script)
    assert found.messages == [b"first", b"last"]
    assert found.received is None
