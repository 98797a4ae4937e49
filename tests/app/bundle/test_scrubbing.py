from __future__ import annotations

from typing import Any

import pytest

from prt.app.bundle.scrubbing import Scrubber, filter_shape
from prt.stream.binding import Binding


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("status=eq.open", "status=eq.<value>"),
        ("email=eq.a.b@example.com", "email=eq.<value>"),
        ("status=not.in.(a,b)", "status=not.in.<value>,<value>"),
        ('title=eq.a,"b c"=gt.5', 'title=eq.<value>,"b c"=gt.<value>'),
        ("=eq.x", "<value>"),
    ],
)
def test_a_filter_keeps_its_columns_and_operators(text: str, shape: str) -> None:
    assert filter_shape(text) == shape


@pytest.mark.parametrize(
    ("event", "payload", "kept"),
    [
        (
            "postgres_changes",
            {
                "ids": [1],
                "data": {"type": "INSERT", "table": "t", "record": {"id": 7, "note": "s", "b": None}},
            },
            {
                "ids": ["<number>"],
                "data": {
                    "type": "INSERT",
                    "table": "t",
                    "record": {"id": "<number>", "note": "<string>", "b": "<null>"},
                },
            },
        ),
        (
            "phx_reply",
            {"status": "ok", "response": {"postgres_changes": [{"id": 3, "table": "t", "filter": "a=eq.s"}]}},
            {
                "status": "ok",
                "response": {"postgres_changes": [{"id": 3, "table": "t", "filter": "a=eq.<value>"}]},
            },
        ),
        (
            "system",
            {"message": "bad value open for 5eed0000-0000-4000-8000-000000000101", "channel": "c"},
            {"message": "bad value <value> for <uuid>", "channel": "<string>"},
        ),
        ("broadcast", {"event": "s", "payload": {"secret": 1}}, "<object>"),
        ("presence_state", {"maya": {}}, "<object>"),
        ("something new", "s", "<string>"),
    ],
)
def test_of_a_frame_only_what_is_listed_is_kept(event: str, payload: Any, kept: Any) -> None:
    scrubber = Scrubber(None, [Binding(table="t", filter="status=eq.open")])
    assert scrubber.payload(event, payload) == kept


def test_texts_lose_values_that_look_like_somebodys() -> None:
    scrubber = Scrubber(None, [Binding(table="t", filter="status=in.(open,done)")])
    text = scrubber.text("maya@example.com of abcdefghijklmnopqrst is open, not opened or done")
    assert text == "<email> of <ref> is <value>, not opened or <value>"
