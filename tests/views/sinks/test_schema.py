"""The schema of the lines: every line of the tests' story keeps it, and it refuses what is none."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec import Raw

from prt.cli.main import run
from prt.events import (
    Account,
    Alert,
    Broadcast,
    Change,
    Conflict,
    Event,
    Evidence,
    Loss,
    LossCause,
    Presence,
    TapChannel,
    TapConnection,
    TapFinding,
    TapFrame,
)
from prt.views.sinks.ndjson import TYPE_OF, encode
from prt.views.sinks.schema.document import json_schema
from prt.views.sinks.schema.events import EVENT_KEYS
from tests.views import story

LINE = Draft202012Validator(json_schema())
MORE: list[Event] = [
    Broadcast(at=story.NOW, topic="a", event="e", binary=b"\x00\xff", meta=Raw(b'{"id":"x"}')),
    Broadcast(at=story.NOW, topic="a", event="e", payload=Raw(b"[1]")),
    Presence(at=story.NOW, topic="a", event="sync", state={"k": [{"user_id": 1}]}),
    Presence(at=story.NOW, topic="a", event="update", key="k", presences=[{}]),
    Alert(
        at=story.NOW, rule="a>=1", severity="warn", table="public.a", value="1.5", limit="1", row=Raw(b"{}")
    ),
    Conflict(at=story.NOW, table="public.a", key="1", kept="local", local=Raw(b'{"a":1}'), remote=Raw(b"{}")),
    Account(
        at=story.NOW,
        table="public.a",
        committed=6,
        arrived=1,
        hidden=1,
        filtered=1,
        cut=1,
        late=1,
        lost=1,
        unknown=1,
    ),
    Loss(
        at=story.NOW,
        table="public.a",
        committed=story.NOW,
        event_type="UPDATE",
        key="1",
        cause=LossCause(code="rate", at=story.NOW, rate=400.0, average=120.0),
    ),
    TapConnection(at=story.NOW, connection=1, state="open", role="anon", token_expires_at=story.NOW),
    TapChannel(at=story.NOW, topic="a", connection=1, state="READY", bindings=["* public.a"]),
    TapFrame(
        at=story.NOW,
        connection=1,
        direction="sent",
        topic="realtime:a",
        event="phx_join",
        ref="1",
        join_ref="1",
        size=2,
    ),
    TapFinding(
        at=story.NOW,
        id="binding-refused",
        severity="error",
        evidence=[Evidence(at=story.NOW, what="received system on a", connection=1)],
        connection=1,
        topic="a",
        data={"table": "public.a", "tables": "public.a", "reason": "words"},
    ),
    Change(
        at=story.NOW, topic="a", event_type="INSERT", schema="s", table="t", commit_timestamp=None, merged=3
    ),
]


def lines() -> list[dict[str, object]]:
    return [json.loads(line) for event in [*story.story(), *MORE, story.ending()] if (line := encode(event))]


def test_every_line_keeps_it() -> None:
    LINE.check_schema(LINE.schema)
    for line in lines():
        LINE.validate(line)
    assert {str(line["type"]) for line in lines()} == set(EVENT_KEYS) == set(TYPE_OF.values())


@pytest.mark.parametrize("damage", ["remove", "add", "rename"])
def test_what_is_no_line_is_refused(damage: str) -> None:
    for line in lines():
        if damage == "remove":
            name = next(key.name for key in EVENT_KEYS[str(line["type"])] if key.is_always)
            del line[name]
        elif damage == "add":
            line["more"] = 1
        else:
            line["type"] = "something"
        with pytest.raises(ValidationError):
            LINE.validate(line)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert run(["schema", "--markdown"]) == 0
    table = capsys.readouterr().out
    for keys in EVENT_KEYS.values():
        for key in keys:
            assert f"| `{key.name}` | {key.line}" in table
