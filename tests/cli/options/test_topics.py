from __future__ import annotations

import time
from typing import Any

import pytest

from prt.cli.main import run
from prt.cli.options.topics import check_topics_alone, check_views, parse_topics, parse_tracked
from prt.errors import UsageError
from prt.stream.topic import Replay, TopicSettings


def test_a_topic_named_by_several_options_is_joined_once() -> None:
    topics = parse_topics(
        ["document:7=cursor-move", "lobby", "realtime:document:7=cursor-leave", "lobby=hello"],
        ["document:7", "team"],
    )
    assert topics == [
        TopicSettings(topic="document:7", events=("cursor-move", "cursor-leave"), has_presence=True),
        TopicSettings(topic="lobby", events=("*",)),
        TopicSettings(topic="team", events=(), has_presence=True),
    ]
    assert parse_topics([]) == []


def test_private_topics_and_their_replay() -> None:
    topics = parse_topics(
        ["a", "a=x"], ["b"], is_private=True, replay="limit=5, since=2026-11-22T16:45:14.5Z"
    )
    assert topics == [
        TopicSettings(topic="a", is_private=True, replay=Replay(since=1_795_365_914_500, limit=5)),
        TopicSettings(topic="b", events=(), is_private=True, has_presence=True),
    ]


def test_a_past_of_so_long_ago() -> None:
    (settings,) = parse_topics(["a"], is_private=True, replay="since=1h")
    assert settings.replay is not None
    assert settings.replay.limit is None
    assert time.time() * 1000 - settings.replay.since == pytest.approx(3_600_000, abs=60_000)


@pytest.mark.parametrize(
    ("broadcasts", "more", "words"),
    [
        ([""], {}, "--broadcast names no topic"),
        (["=x"], {}, "--broadcast names no topic"),
        (["a="], {}, "--broadcast names no event"),
        (["a"], {"presences": [" "]}, "--presence names no topic"),
        (["a"], {"replay": "since=1h"}, "--replay is for private broadcasts"),
        ([], {"presences": ["a"], "is_private": True, "replay": "since=1h"}, "--replay is for private"),
        (["a"], {"is_private": True, "replay": "limit=3"}, "--replay needs a since"),
        (["a"], {"is_private": True, "replay": "1h"}, "--replay can't read '1h'"),
        (["a"], {"is_private": True, "replay": "since=1h,since=2h"}, "--replay can't read 'since=2h'"),
        (["a"], {"is_private": True, "replay": "since=1h,limit=26"}, "limit is 1 to 25, not 26"),
        (["a"], {"is_private": True, "replay": "since=1h,limit=0"}, "limit is 1 to 25, not 0"),
        (["a"], {"is_private": True, "replay": "since=1h,limit=²"}, "limit is 1 to 25"),
        (["a"], {"is_private": True, "replay": "since=soon"}, '--replay since expects a time, not "soon"'),
        (["a"], {"is_private": True, "replay": "since=2026-11-22T16:45"}, "has no time zone"),
    ],
)
def test_words_that_name_nothing(broadcasts: list[str], more: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        parse_topics(broadcasts, **more)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("words", "tracked"),
    [
        ([], {}),
        (
            ["status=busy", "desk=7", "ok=true", "at=null"],
            {"status": "busy", "desk": 7, "ok": True, "at": None},
        ),
        (["a=", "b=1=2", "c=007"], {"a": "", "b": "1=2", "c": "007"}),
        (['a={"x": [1]}', 'b="7"'], {"a": {"x": [1]}, "b": "7"}),
        (['{"a": 1, "b": 2}', "a=3"], {"a": 3, "b": 2}),
    ],
)
def test_what_we_track(words: list[str], tracked: dict[str, Any]) -> None:
    assert parse_tracked(words) == tracked


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["busy"], "--track can't read 'busy'"),
        (["=busy"], "--track can't read '=busy'"),
        (["{a: 1}"], "--track is not a JSON object: {a: 1}"),
        ([f"k{number}=1" for number in range(11)], "a presence may have 10 keys, this one has 11"),
    ],
)
def test_what_can_not_be_tracked(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_tracked(words)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("view", "topics", "words"),
    [
        ("cursors", [], "--view cursors needs broadcasts"),
        (
            "cursors",
            [TopicSettings(topic="a", events=(), has_presence=True)],
            "--view cursors needs broadcasts",
        ),
        ("presence", [TopicSettings(topic="a")], "--view presence needs a topic"),
    ],
)
def test_a_view_that_would_stay_empty(view: str, topics: list[TopicSettings], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_views(("table", view), topics)
    check_views(("table", view), [TopicSettings(topic="b", has_presence=True)])


def test_options_of_tables_are_not_left_out_in_silence() -> None:
    check_topics_alone({"--filter": None, "--snapshot": False, "--event": []})
    with pytest.raises(UsageError, match="--filter is for tables"):
        check_topics_alone({"--snapshot": False, "--filter": ["a=eq.1"]})


def test_an_empty_key_is_no_key_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """As from a variable that is not set."""
    assert run(["presence", "room:1", "--track", "a=1", "--key", ""]) == 2
    assert capsys.readouterr().err.startswith("prt: --key is empty\nhint: ")
