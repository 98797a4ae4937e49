"""Decoding, held against every frame that a real server was recorded to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prt.events import Change, Malformed
from prt.stream import wire
from prt.stream.wire import Decoder, Frame

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
AT = 1_795_366_128_000_000

FILES = sorted(path for folder in ("v1", "v2") for path in (TRANSCRIPTS / folder).glob("*.jsonl"))


def received(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        for line in lines:
            step = json.loads(line)
            if step["dir"] == "in" and "frame" in step:
                yield step


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recorded_frame_decodes_to_what_the_standard_library_reads(path: Path) -> None:
    decoder = Decoder("2.0.0" if path.parent.name == "v2" else "1.0.0")
    for step in received(path):
        value = decoder.decode(step["frame"].encode(), AT)
        try:
            frame = json.loads(step["frame"])
        except ValueError:  # the recorder cut the middle out of a long one
            assert "len" in step
            assert isinstance(value, Malformed)
            assert value.frame.endswith("…")
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
        else:
            assert isinstance(value, Frame)
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


def test_there_are_recorded_changes_in_both_versions() -> None:
    counts = {
        folder: sum(
            '"postgres_changes",{' in step["frame"] or '"event":"postgres_changes"' in step["frame"]
            for path in FILES
            if path.parent.name == folder
            for step in received(path)
        )
        for folder in ("v1", "v2")
    }
    assert counts["v1"] > 100
    assert counts["v2"] > 100


def v2(event: str = "postgres_changes", **data: Any) -> bytes:
    payload = {"data": {"schema": "public", "table": "t", "type": "INSERT", **data}, "ids": [1]}
    return json.dumps([None, None, "realtime:x", event, payload], separators=(",", ":")).encode()


def test_the_lag_is_at_less_commit_in_milliseconds_and_may_be_negative() -> None:
    decoder = Decoder("2.0.0")
    commit = wire.microseconds("2026-11-22T16:48:47.650Z")
    assert commit is not None
    for offset_us, lag_ms in ((1_500, 1.5), (-20_000, -20.0)):
        frame = v2(commit_timestamp="2026-11-22T16:48:47.650Z", record={})
        change = decoder.decode(frame, commit + offset_us)
        assert isinstance(change, Change)
        assert change.lag_ms == lag_ms


@pytest.mark.parametrize("timestamp", ["infinity", "0044-03-15 BC", "", "2026-01-02T03:04:05"])
def test_a_timestamp_that_names_no_moment_has_no_lag(timestamp: str) -> None:
    change = Decoder("2.0.0").decode(v2(commit_timestamp=timestamp, record={}), AT)
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
    value = Decoder("2.0.0").decode(frame, AT)
    assert isinstance(value, Malformed)
    assert value.at == AT
    assert value.reason


def test_a_null_record_is_an_empty_one() -> None:
    change = Decoder("2.0.0").decode(v2(record=None, old_record=None), AT)
    assert isinstance(change, Change)
    assert (change.new_row(), change.old_row()) == ({}, {})


def test_a_change_is_found_however_the_frame_is_spaced_and_whatever_its_topic() -> None:
    topic = "realtime:" + "x" * 1000
    frame = json.dumps([None, None, topic, "postgres_changes", json.loads(v2(record={}))[4]])
    change = Decoder("2.0.0").decode(frame.encode(), AT)
    assert isinstance(change, Change)
    assert change.topic == "x" * 1000


def test_a_topic_that_looks_like_a_change_is_still_a_topic() -> None:
    frame = b'[null,null,"realtime:\\"postgres_changes\\",{","system",{"message":"m","status":"ok"}]'
    value = Decoder("2.0.0").decode(frame, AT)
    assert isinstance(value, Frame)
    assert value.event == "system"
    broadcast = v2(event="broadcast")
    assert isinstance(Decoder("2.0.0").decode(broadcast, AT), Frame)


def test_an_unreadable_frame_is_cut_to_what_can_be_looked_at() -> None:
    value = Decoder("2.0.0").decode(b"x" * 1_000_000, AT)
    assert isinstance(value, Malformed)
    assert len(value.frame) == wire.MALFORMED_SHOWN + 1


def test_numbers_beyond_a_double_keep_every_digit() -> None:
    record = b'{"c_bigint": 9223372036854775807, "c_numeric": 12345678901234567890.123456789}'
    frame = v2(record={}).replace(b'"record":{}', b'"record":' + record)
    change = Decoder("2.0.0").decode(frame, AT)
    assert isinstance(change, Change)
    assert bytes(change.new) == record
