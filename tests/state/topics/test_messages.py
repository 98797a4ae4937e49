from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from prt.events import Broadcast
from prt.state.rows.difference import LONGEST, Cell
from prt.state.topics.messages import LARGE, Message, hex_head, message_of


def broadcast(payload: bytes = b"{}", **more: Any) -> Broadcast:
    return Broadcast(at=5, topic="document:7", event="cursor-move", payload=Raw(payload), **more)


def test_the_members_of_a_payload() -> None:
    line = message_of(broadcast(b'{"userId":"u1","position":{ "x": 1.50 }}'))
    assert line.cells == (Cell("userId", None, "u1"), Cell("position", None, '{"x":1.50}'))
    assert (line.at, line.topic, line.event, line.is_replayed) == (5, "document:7", "cursor-move", False)


@pytest.mark.parametrize(
    ("payload", "text"), [(b'"hello"', "hello"), (b"[1,2]", "[1,2]"), (b"null", "null"), (b"{}", "")]
)
def test_a_payload_without_members(payload: bytes, text: str) -> None:
    line = message_of(broadcast(payload))
    assert (line.text, line.cells) == (text, ())


def test_a_payload_that_no_text_can_hold() -> None:
    assert message_of(broadcast(rb'{"\ud800":1}')).text == r'{"\ud800":1}… (12 bytes)'


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "0 bytes"),
        (b"\xff", "1 byte ff"),
        (bytes(range(16)), "16 bytes 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"),
        (bytes(2000), "2,000 bytes" + " 00" * 16 + " …"),
    ],
)
def test_bytes(data: bytes, text: str) -> None:
    assert hex_head(data) == text
    assert message_of(broadcast(binary=data)).text == text


@pytest.mark.parametrize(
    ("meta", "is_replayed"),
    [
        (None, False),
        (b'{"id":"1"}', False),
        (b'{"id":"1","replayed":true}', True),
        (b'{"replayed":false}', False),
        (b"[]", False),
    ],
)
def test_what_was_sent_before_we_came(meta: bytes | None, is_replayed: bool) -> None:
    one = broadcast(meta=None if meta is None else Raw(meta))
    assert message_of(one).is_replayed is is_replayed
    assert Message(one).line.is_replayed is is_replayed


def test_of_a_large_payload_only_the_beginning_is_kept() -> None:
    payload = b'{"x":"' + b"y" * LARGE + b'"}'
    message = Message(broadcast(payload, meta=Raw(b'{"replayed":true}')))
    assert message.line.text == f"{payload[:LONGEST].decode()}… ({len(payload):,} bytes)"
    assert message.line.is_replayed
    assert Message(broadcast(binary=bytes(LARGE + 1))).line.text.startswith("16,385 bytes 00 00")


def test_a_line_is_worked_out_once() -> None:
    message = Message(broadcast(b'{"a":1}'))
    assert message.line is message.line
