"""Decoding, held against every frame that a real server was recorded to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prt.events import Broadcast, Change, Malformed
from prt.stream.live import roster
from prt.stream.socket import binary, wire
from prt.stream.socket.wire import Decoder, Frame

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
AT = 1_795_366_128_000_000

FILES = sorted(path for folder in ("v1", "v2", "clients") for path in (TRANSCRIPTS / folder).glob("*.jsonl"))


def received(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        for line in lines:
            step = json.loads(line)
            if step["dir"] == "in":
                yield step


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recorded_frame_decodes_to_what_the_standard_library_reads(path: Path) -> None:
    decoder = Decoder()
    for step in received(path):
        if "bin" in step:
            assert_same_binary(decoder.decode(bytes.fromhex(step["bin"]), AT), bytes.fromhex(step["bin"]))
            continue
        value = decoder.decode(step["frame"].encode(), AT)
        try:
            frame = json.loads(step["frame"])
        except ValueError:
            assert isinstance(value, Malformed)
            if "len" in step:  # the recorder cut the middle out of a long one
                assert value.frame.endswith("…")
            else:
                assert wire.is_broadcast(step["frame"].encode())
            continue
        if isinstance(frame, dict):
            frame = [None, frame["ref"], frame["topic"], frame["event"], frame["payload"]]
        join_ref, ref, topic, event, payload = frame
        if not isinstance(topic, str):  # the server sends back the odd topic that it was sent
            assert isinstance(value, Malformed)
            continue
        if event == "postgres_changes":
            assert isinstance(value, Change)
            assert_same_change(value, topic, payload["data"])
        elif event == "broadcast":
            assert isinstance(value, Broadcast)
            assert_same_broadcast(value, topic, payload)
        else:
            assert isinstance(value, Frame)
            assert_same_presence(value, payload)
            assert [value.join_ref, value.ref, value.topic, value.event] == [join_ref, ref, topic, event]
            assert json.loads(bytes(value.payload)) == payload


def assert_same_change(change: Change, topic: str, data: dict[str, Any]) -> None:
    assert change.topic == topic.removeprefix("realtime:")
    assert change.event_type == data["type"]
    assert (change.schema, change.table) == (data["schema"], data["table"])
    assert change.commit_timestamp == data["commit_timestamp"]
    assert change.new_row() == data.get("record", {})
    assert change.old_row() == data.get("old_record", {})
    assert change.errors == data["errors"]
    assert (change.lag_ms is None) == (data["commit_timestamp"] is None)


def assert_same_broadcast(broadcast: Broadcast, topic: str, payload: Any) -> None:
    assert broadcast.topic == topic.removeprefix("realtime:")
    assert broadcast.binary is None
    # A client may push anything, and the server passes it on.
    if not isinstance(payload, dict) or not isinstance(payload.get("event"), str | None):
        assert (broadcast.event, json.loads(bytes(broadcast.payload))) == ("", payload)
        return
    assert broadcast.event == (payload.get("event") or "")
    assert json.loads(bytes(broadcast.payload)) == payload.get("payload", {})
    assert (None if broadcast.meta is None else json.loads(bytes(broadcast.meta))) == payload.get("meta")


def assert_same_binary(value: object, frame: bytes) -> None:
    """A broadcast of the server: kind, three sizes, the encoding (1 is JSON), and the parts."""
    kind, *sizes, encoding = frame[:5]
    parts, rest = [], frame[5:]
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    topic, event, meta = parts
    assert kind == 4
    if encoding == 1 and not is_json(rest):  # a client may push this as well
        assert isinstance(value, Malformed)
        return
    assert isinstance(value, Broadcast)
    assert f"realtime:{value.topic}".encode() == topic
    assert value.event.encode() == event
    assert (None if value.meta is None else bytes(value.meta)) == (meta or None)
    assert (bytes(value.payload) if encoding == 1 else value.binary) == rest
    assert (value.binary is None) == (encoding == 1)


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def assert_same_presence(frame: Frame, payload: Any) -> None:
    if frame.event == "presence_state":
        state = roster.state_of(frame.payload)
        assert {key: entry.metas for key, entry in state.items()} == metas_of(payload)
    elif frame.event == "presence_diff":
        found = roster.difference_of(frame.payload)
        for part, wanted in ((found.joins, payload["joins"]), (found.leaves, payload["leaves"])):
            assert {key: entry.metas for key, entry in part.items()} == metas_of(wanted)


def metas_of(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: entry["metas"] for key, entry in entries.items()}


def test_there_are_recorded_changes_in_both_versions() -> None:
    counts = {
        folder: sum(
            '"postgres_changes",{' in step["frame"] or '"event":"postgres_changes"' in step["frame"]
            for path in FILES
            if path.parent.name == folder
            for step in received(path)
            if "frame" in step
        )
        for folder in ("v1", "v2")
    }
    assert counts["v1"] > 100
    assert counts["v2"] > 100


def v2(event: str = "postgres_changes", **data: Any) -> bytes:
    payload = {"data": {"schema": "public", "table": "t", "type": "INSERT", **data}, "ids": [1]}
    return json.dumps([None, None, "realtime:x", event, payload], separators=(",", ":")).encode()


def test_the_lag_is_at_less_commit_in_milliseconds_and_may_be_negative() -> None:
    decoder = Decoder()
    commit = wire.microseconds("2026-11-22T16:48:47.650Z")
    assert commit is not None
    for offset_us, lag_ms in ((1_500, 1.5), (-20_000, -20.0)):
        frame = v2(commit_timestamp="2026-11-22T16:48:47.650Z", record={})
        change = decoder.decode(frame, commit + offset_us)
        assert isinstance(change, Change)
        assert change.lag_ms == lag_ms


@pytest.mark.parametrize("timestamp", ["infinity", "0044-03-15 BC", "", "2026-01-02T03:04:05"])
def test_a_timestamp_that_names_no_moment_has_no_lag(timestamp: str) -> None:
    change = Decoder().decode(v2(commit_timestamp=timestamp, record={}), AT)
    assert isinstance(change, Change)
    assert change.lag_ms is None
    assert change.commit_timestamp == timestamp


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b"null",
        b'["1","1","realtime:x"]',
        b'[null,null,"realtime:x","postgres_changes",{"data":5}]',
        b'[null,null,"realtime:x","postgres_changes",{"data":{"schema":"s","table":"t","type":"TRUNCATE"}}]',
        v2(record=[1, 2]),
        v2(record="text"),
        b"\xff\xfe\x00",
        b'[null,null,"realtime:\xff","system",{}]',
    ],
)
def test_what_cannot_be_read_is_an_event_with_its_reason(frame: bytes) -> None:
    value = Decoder().decode(frame, AT)
    assert isinstance(value, Malformed)
    assert value.at == AT
    assert value.reason


def test_frames_of_the_other_version_are_changes_too() -> None:
    shapes: dict[str, set[type]] = {}
    decoder = Decoder()
    for step in received(TRANSCRIPTS / "v2" / "mixed_versions.jsonl"):
        value = decoder.decode(step["frame"].encode(), AT)
        if isinstance(value, Change):
            shapes.setdefault(step["c"], set()).add(type(json.loads(step["frame"])))
    # P0 … speak vsn 1.0.0, Q0 … vsn 2.0.0.
    assert list in set.union(*(shape for name, shape in shapes.items() if name.startswith("P")))


@pytest.mark.parametrize(
    ("frame", "is_broadcast"),
    [
        (b'{"ref":null,"event":"broadcast","topic":"realtime:b","payload":{"payload":{"x":,"a":1}}', True),
        (b'[null,null,"realtime:a\\"b","broadcast",{"payload":{"x":,', True),
        (b'["1","2","realtime:b","broadcast",{"payload":{"x":,', True),
        (b"\x04\x01", True),
        (
            b'{"ref":null,"event":"postgres_changes","topic":"realtime:b","payload":{"data":"broadcast",',
            False,
        ),
        (b'[null,null,"realtime:\\",\\"broadcast","postgres_changes",{"data":', False),
        (b'{"ref":"a","event":"broadcast","topic":', False),
        (b"garbage", False),
    ],
)
def test_a_broadcast_is_known_though_its_payload_is_no_json(frame: bytes, is_broadcast: bool) -> None:
    assert wire.is_broadcast(frame) == is_broadcast


def test_a_null_record_is_an_empty_one() -> None:
    change = Decoder().decode(v2(record=None, old_record=None), AT)
    assert isinstance(change, Change)
    assert (change.new_row(), change.old_row()) == ({}, {})


def test_a_change_is_found_however_the_frame_is_spaced_and_whatever_its_topic() -> None:
    topic = "realtime:" + "x" * 1000
    frame = json.dumps([None, None, topic, "postgres_changes", json.loads(v2(record={}))[4]])
    change = Decoder().decode(frame.encode(), AT)
    assert isinstance(change, Change)
    assert change.topic == "x" * 1000


def test_a_topic_that_looks_like_a_change_is_still_a_topic() -> None:
    frame = b'[null,null,"realtime:\\"postgres_changes\\",{","system",{"message":"m","status":"ok"}]'
    value = Decoder().decode(frame, AT)
    assert isinstance(value, Frame)
    assert value.event == "system"
    frame = b'[null,null,"realtime:x","broadcast",{"event":"\\"postgres_changes\\",{","payload":1}]'
    assert isinstance(Decoder().decode(frame, AT), Broadcast)


def test_an_unreadable_frame_is_cut_to_what_can_be_looked_at() -> None:
    value = Decoder().decode(b"x" * 1_000_000, AT)
    assert isinstance(value, Malformed)
    assert len(value.frame) == wire.MALFORMED_SHOWN + 1


def test_numbers_beyond_a_double_keep_every_digit() -> None:
    record = b'{"c_bigint": 9223372036854775807, "c_numeric": 12345678901234567890.123456789}'
    frame = v2(record={}).replace(b'"record":{}', b'"record":' + record)
    change = Decoder().decode(frame, AT)
    assert isinstance(change, Change)
    assert bytes(change.new) == record


def received_binary(
    topic: bytes = b"realtime:x",
    event: bytes = b"e",
    meta: bytes = b"",
    encoding: int = 1,
    body: bytes = b"{}",
) -> bytes:
    return bytes((4, len(topic), len(event), len(meta), encoding)) + topic + event + meta + body


def test_a_binary_broadcast_has_its_payload_as_it_was_sent() -> None:
    decode = Decoder().decode
    as_json = decode(received_binary(meta=b'{"id":"7"}', body=b'{"n": 12345678901234567890.10}'), AT)
    assert isinstance(as_json, Broadcast)
    assert (as_json.topic, as_json.event, as_json.binary) == ("x", "e", None)
    assert bytes(as_json.payload) == b'{"n": 12345678901234567890.10}'
    assert as_json.meta is not None
    assert bytes(as_json.meta) == b'{"id":"7"}'
    as_bytes = decode(received_binary(encoding=0, body=b"\x00\xff"), AT)
    assert isinstance(as_bytes, Broadcast)
    assert (as_bytes.binary, bytes(as_bytes.payload)) == (b"\x00\xff", b"{}")
    inside = decode(received_binary(encoding=0, body=b'"postgres_changes",{'), AT)
    assert isinstance(inside, Broadcast)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x04",
        b"\x04\x0a\x01\x00",
        b"\x04\xff\x01\x00\x01realtime:x",
        b"\x04\x0a\x09\x00\x00realtime:xe",
        b"\x03" + received_binary()[1:],
        received_binary(encoding=2),
        received_binary(body=b"{"),
        received_binary(body=b""),
        received_binary(meta=b"x"),
        received_binary(topic=b"realtime:\xff"),
        b'[null,null,"realtime:x","broadcast",{"event":"e","payload":}]',
    ],
)
def test_a_broadcast_that_cannot_be_read_is_malformed(frame: bytes) -> None:
    value = Decoder().decode(frame, AT)
    assert isinstance(value, Malformed)
    assert value.reason


def test_what_we_push_is_what_supabase_js_was_recorded_to_push() -> None:
    path = TRANSCRIPTS / "clients" / "js_2.119_v2.jsonl"
    steps = [json.loads(line) for line in path.read_text().splitlines()]
    (recorded,) = [bytes.fromhex(step["bin"]) for step in steps if step["dir"] == "out" and "bin" in step]
    assert binary.push("10", "11", "realtime:b", "e", b'{"a":1}', is_json=True) == recorded
    assert binary.fits("1", "x" * 255)
    assert not binary.fits("1", "é" * 128)
