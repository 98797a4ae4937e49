"""Copies are read without secrets, and skipped and counted if reading falls behind."""

from __future__ import annotations

import json

from websockets.frames import Frame, Opcode

from prt.events import TapConnection
from prt.tap.findings.judge import Judge
from prt.tap.observe import observer as observing
from prt.tap.observe.decoding import FrameReader
from prt.tap.observe.identity import who_of
from prt.tap.observe.messages import Framed, Observed, Skipped
from prt.tap.observe.observer import CopyObserver
from prt.tap.proxy.frames import Scanner, Splitter, text
from prt.tap.proxy.heads import read

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYXV0aGVudGljYXRlZCIsInN1YiI6InUxIiwiZXhwIjoxODAwMDAwMDAwfQ.c2ln"
HANDSHAKE = read(
    f"GET /realtime/v1/websocket?apikey={TOKEN}&vsn=2.0.0 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".encode()
)


def masked(words: str) -> bytes:
    return Frame(Opcode.TEXT, words.encode()).serialize(mask=True)


def test_a_token_is_its_role_user_and_expiry_and_nothing_more() -> None:
    who = who_of(TOKEN)
    assert (who.role, who.user, who.expires_at) == ("authenticated", "u1", 1_800_000_000_000_000)
    assert TOKEN not in repr(who)
    assert who_of("sb_secret_abc").is_server_key
    assert who_of("nonsense").role is None


def test_no_secret_is_left_in_a_frame() -> None:
    join = [
        "1",
        "1",
        "realtime:a",
        "phx_join",
        {"access_token": TOKEN, "config": {"note": f"Bearer {TOKEN}"}},
    ]
    message = FrameReader(1, is_sent=True).read(masked(json.dumps(join)), 5)
    assert isinstance(message, Framed)
    assert TOKEN not in repr(message)
    assert message.token is not None
    assert message.token.user == "u1"
    assert json.loads(bytes(message.payload))["access_token"] == "<hidden>"


def test_both_versions_fragments_and_binary_frames_are_read() -> None:
    reader = FrameReader(1, is_sent=False)
    v1 = reader.read(text('{"topic":"realtime:a","event":"system","payload":{},"ref":null}'), 0)
    assert isinstance(v1, Framed)
    assert (v1.name, v1.event) == ("a", "system")
    whole = b'[null,null,"realtime:a","broadcast",{"event":"e"}]'
    first = Frame(Opcode.TEXT, whole[:9], fin=False).serialize(mask=False)
    last = Frame(Opcode.CONT, whole[9:], fin=True).serialize(mask=False)
    assert reader.read(first, 0) is None
    joined = reader.read(last, 0)
    assert isinstance(joined, Framed)
    assert joined.event == "broadcast"
    received = b"\x04\x0a\x05\x00\x01realtime:ahello" + b'{"x":1}'
    binary = reader.read(Frame(Opcode.BINARY, received).serialize(mask=False), 0)
    assert isinstance(binary, Framed)
    assert binary.read() == {"type": "broadcast", "event": "hello", "payload": {"x": 1}}
    pushed = b"\x03\x01\x02\x0a\x05\x00\x00110realtime:ahello\x00\x01"
    sent = FrameReader(1, is_sent=True).read(Frame(Opcode.BINARY, pushed).serialize(mask=True), 0)
    assert isinstance(sent, Framed)
    assert (sent.join_ref, sent.ref, sent.topic) == ("1", "10", "realtime:a")


def test_what_can_not_be_read_is_passed_over() -> None:
    reader = FrameReader(1, is_sent=False)
    for words in ("no json", "[1]", "{}", "[" * 10_000, '[null,null,"t","e",'):
        assert reader.read(text(words), 0) is None


def test_frames_on_top_of_those_that_wait_are_skipped_and_counted() -> None:
    taken: list[Observed] = []
    observer = CopyObserver(taken.append, lambda: 0)
    observer.asked(1, HANDSHAKE)
    observer.answered(1, 101)
    frame = text('[null,null,"realtime:a","broadcast",{}]')
    for _ in range(observing.WAITING_FRAMES + 3):
        observer.framed(1, frame, is_sent=False)
    observer.framed(1, None, is_sent=False)
    observer.finish()
    assert sum(isinstance(one, Framed) for one in taken) == observing.WAITING_FRAMES
    assert [one.count for one in taken if isinstance(one, Skipped)] == [4]
    judge = Judge()
    for one in taken:
        list(judge.apply(one))
    assert judge.traffic.sockets[1].skipped == 4
    assert not judge.traffic.sockets[1].is_whole


def test_a_refused_handshake_is_a_connection_that_was_refused() -> None:
    taken: list[Observed] = []
    observer = CopyObserver(taken.append, lambda: 0)
    observer.asked(1, HANDSHAKE)
    observer.answered(1, 403)
    observer.finish()
    judge = Judge()
    (event,) = [event for one in taken for event in judge.apply(one)]
    assert isinstance(event, TapConnection)
    assert (event.state, event.status, event.user) == ("refused", 403, "u1")


def test_a_scanner_finds_the_frames_that_a_splitter_finds() -> None:
    stream = b"".join(text("x" * size) for size in (0, 1, 125, 126, 65_535, 70_000, 10))
    for step in (1, 3, 1_000, len(stream)):
        scanner, splitter = Scanner(largest=66_000), Splitter()
        pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
        scanned = [frame for piece in pieces for frame in scanner.feed(piece)]
        split = [frame.raw for piece in pieces for frame in splitter.feed(piece)]
        assert scanned == [None if len(raw) > 66_000 else raw for raw in split]
