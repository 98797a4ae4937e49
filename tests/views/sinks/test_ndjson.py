from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from prt.events import Broadcast, Change, Event, Gap, Malformed, Presence, Status
from prt.views.sinks.ndjson import TYPE_OF, encode
from tests.views import story

BROADCAST = Broadcast(at=story.BEGIN, topic="document:7", event="cursor-move", payload=Raw(b'{"x": 1}'))


def test_every_type_of_line_is_as_the_contract_has_it(golden: Callable[[str, str], None]) -> None:
    others: list[Event] = [
        BROADCAST,
        Broadcast(at=story.BEGIN, topic="t", event="e", payload=Raw(b"[1]"), meta=Raw(b'{"id":"a"}')),
        Presence(at=story.BEGIN, topic="lobby", event="sync", state={"k": [{"phx_ref": "1"}]}),
        Presence(at=story.BEGIN, topic="lobby", event="join", key="k", presences=[{"phx_ref": "1"}]),
        Status(at=story.BEGIN, status="TIMED_OUT", reason="no answer"),
    ]
    golden("lines.ndjson", b"".join(map(encode, [*story.story(), *others, story.ending()])).decode())


def test_a_change_has_the_keys_of_supabase_js_in_order() -> None:
    line = json.loads(encode(story.change("UPDATE", "t", new={"id": 1}, old={"id": 1})))

    assert list(line) == [
        *("type", "at", "topic", "eventType", "schema", "table", "commit_timestamp", "new", "old", "errors"),
        *("lag_ms", "source"),
    ]
    assert line["at"] == "2026-11-22T16:45:14.976427Z"
    assert line["errors"] is None


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_000_007, "1970-01-01T00:00:01.000007Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_microseconds_are_written_in_full(at: int, text: str) -> None:
    assert json.loads(encode(story.change("INSERT", "t", at=at)))["at"] == text


def test_numbers_keep_every_digit() -> None:
    row = b'{"big": 9223372036854775807, "exact": 0.10000000000000000000000001, "wide": 1E400}'
    change = Change(
        at=1, topic="t", event_type="INSERT", schema="s", table="t", commit_timestamp=None, new=Raw(row)
    )

    assert b'"new":' + row + b"," in encode(change)


def test_a_line_is_one_line_whatever_whitespace_the_payload_has() -> None:
    pretty = Raw(b'{\r\n  "a": [1,\n 2],\n "b": "x\\ny"\n}')
    change = story.change("INSERT", "t")
    changed = Change(**{name: getattr(change, name) for name in change.__struct_fields__} | {"new": pretty})
    broadcast = Broadcast(at=1, topic="t", event="e", payload=pretty)

    for event, member in ((changed, "new"), (broadcast, "payload")):
        line = encode(event)
        assert line.count(b"\n") == 1
        assert b"\r" not in line
        assert json.loads(line)[member] == {"a": [1, 2], "b": "x\ny"}


def test_a_line_is_utf8_even_where_the_payload_is_not() -> None:
    line = encode(Broadcast(at=1, topic="t", event="e", payload=Raw(b'{"a":"\xff"}')))

    assert json.loads(line.decode())["payload"] == {"a": "\ufffd"}


def test_half_a_surrogate_pair_is_escaped() -> None:
    line = encode(Malformed(at=1, frame="a\ud800b", reason="\udfff"))

    assert json.loads(line)["frame"] == "a\ud800b"
    assert json.loads(encode(story.change("INSERT", "\ud800")))["table"] == "\ud800"
    assert json.loads(encode(Presence(at=1, topic="t", event="join", presences=[{"n": "\ud800"}])))[
        "presences"
    ]


def test_all_types_of_events_have_a_name() -> None:
    from prt.cli.options.outputs import TYPES

    assert set(TYPE_OF.values()) == set(TYPES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(st.text(), JSON, max_size=5)


@given(
    new=ROWS,
    old=ROWS,
    table=st.text(),
    errors=st.none() | st.lists(st.text(), min_size=1),
    spaces=st.sampled_from([None, 1]),
)
def test_a_change_parses_to_what_went_in(
    new: dict[str, Any], old: dict[str, Any], table: str, errors: list[str] | None, spaces: int | None
) -> None:
    event = Change(
        at=story.BEGIN,
        topic="prt",
        event_type="UPDATE",
        schema="public",
        table=table,
        commit_timestamp="2026-11-22T16:45:14.933Z",
        new=Raw(json.dumps(new, indent=spaces, ensure_ascii=False).encode(errors="replace")),
        old=Raw(json.dumps(old, indent=spaces).encode()),
        errors=errors,
        lag_ms=0.1,
    )

    line = encode(event)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "type": "change",
        "at": "2026-11-22T16:45:14.976427Z",
        "topic": "prt",
        "eventType": "UPDATE",
        "schema": "public",
        "table": table,
        "commit_timestamp": "2026-11-22T16:45:14.933Z",
        "new": json.loads(bytes(event.new)),
        "old": old,
        "errors": errors,
        "lag_ms": 0.1,
        "source": "stream",
    }


STEERING = "\x7f\x80\x9b\x9d\u061c\u200b\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff"


def test_nothing_steers_a_terminal() -> None:
    for event in (
        story.change("UPDATE", STEERING, new={STEERING: STEERING}, old={"\x1b": "\x1b"}),
        Malformed(at=1, frame=STEERING, reason="\x1b[2J\x07\r"),
        Gap(at=1, start=1, end=2, tables=[STEERING], cause=STEERING),
    ):
        line = encode(event)
        assert not set(line.decode()) & set(STEERING + "\x1b\x07\r")
        assert STEERING in str(json.loads(line)) or STEERING in json.loads(line).get("frame", STEERING)
