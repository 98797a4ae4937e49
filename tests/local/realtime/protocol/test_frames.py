from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prt.local.realtime.protocol.frames import VERSIONS, Frame, UserBroadcast, version_of

ONE, TWO = VERSIONS["1.0"], VERSIONS["2.0"]

IGNORED = ["not json", "", "{}", "[]", "null", "5", '"x"', '{"topic":"phoenix"}', "[" * 100_000, '"\\ud800"']


@pytest.mark.parametrize("text", IGNORED, ids=lambda text: text[:20])
def test_ignores_what_is_no_frame(text: str) -> None:
    assert ONE.decode(text) is None
    assert TWO.decode(text) is None


def test_a_frame_of_one_version_is_none_of_the_other() -> None:
    one = '{"topic":"t","event":"e","payload":{},"ref":"1"}'
    two = '["1","2","t","e",{}]'
    assert ONE.decode(one) == Frame(topic="t", event="e", payload={}, ref="1")
    assert TWO.decode(two) == Frame(topic="t", event="e", payload={}, ref="2", join_ref="1")
    assert ONE.decode(two) is None
    assert TWO.decode(one) is None


@pytest.mark.parametrize(
    ("vsn", "version"),
    [
        ("1.0.0", ONE),
        ("2.0.0", TWO),
        ("2.0.7", TWO),
        ("3.0.0", None),
        ("abc", None),
        ("2.1.0", None),
        ("", None),
    ],
)
def test_knows_two_versions(vsn: str, version: object) -> None:
    assert version_of(vsn) is version


@settings(derandomize=True, database=None, deadline=None)
@given(topic=st.text(), event=st.text(), ref=st.none() | st.text() | st.integers())
def test_what_is_written_can_be_read(topic: str, event: str, ref: str | int | None) -> None:
    if any("\ud800" <= character <= "\udfff" for character in topic + event + str(ref)):
        return
    one = json.loads(ONE.encode("j", ref, topic, event, '{"a": 1}'))
    assert one == {"ref": ref, "event": event, "payload": {"a": 1}, "topic": topic}
    assert json.loads(TWO.encode("j", ref, topic, event, '{"a": 1}')) == ["j", ref, topic, event, {"a": 1}]
    before, after = ONE.around(topic, event)
    assert before + "5" + after == ONE.encode(None, None, topic, event, "5")
    before, after = TWO.around(topic, event)
    assert before + "5" + after == TWO.encode(None, None, topic, event, "5")


def test_a_binary_broadcast() -> None:
    """Frames of supabase-js 2.119, see tests/transcripts/clients."""
    sent = bytes.fromhex("0302020a010001313031317265616c74696d653a62657b2261223a317d")
    frame = TWO.decode_binary(sent)
    broadcast = UserBroadcast(event="e", encoding=1, body=b'{"a":1}')
    assert frame == Frame(topic="realtime:b", event="broadcast", payload=broadcast, ref="11", join_ref="10")
    received = TWO.encode_broadcast("realtime:b", broadcast)
    assert received == bytes.fromhex("040a0100017265616c74696d653a62657b2261223a317d")
    assert ONE.encode_broadcast("realtime:b", broadcast) == (
        '{"ref":null,"event":"broadcast","payload":{"event":"e","payload":{"a":1},"type":"broadcast"},'
        '"topic":"realtime:b"}'
    )
    assert ONE.decode_binary(sent) is None


def test_a_broadcast_that_claims_to_be_json_is_never_looked_into() -> None:
    """As v1/broadcast_binary has it: to listeners of version 1 goes a text frame that is no JSON."""
    broken = UserBroadcast(event="bad", encoding=1, body=b'{"x":')
    assert ONE.encode_broadcast("realtime:b", broken) == (
        '{"ref":null,"event":"broadcast","payload":{"event":"bad","payload":{"x":,"type":"broadcast"},'
        '"topic":"realtime:b"}'
    )
    assert ONE.encode_broadcast("realtime:b", UserBroadcast(event="e", encoding=1, body=b"\xff")) is None
    frame = TWO.decode_binary(bytes.fromhex("030101010100077264746578"))
    assert frame is not None
    assert frame.payload == UserBroadcast(event="e", encoding=1, body=b"x")


@pytest.mark.parametrize("data", ["", "0001", "fffe", "03", "03ffff0a010001", "03010101010001fffefdfc"])
def test_ignores_broken_binary_frames(data: str) -> None:
    assert TWO.decode_binary(bytes.fromhex(data)) is None


def test_bytes_do_not_reach_version_one() -> None:
    broadcast = UserBroadcast(event="e", encoding=0, body=b"\xff")
    assert ONE.encode_broadcast("realtime:b", broadcast) is None
    assert TWO.encode_broadcast("realtime:" + "b" * 250, broadcast) is None
