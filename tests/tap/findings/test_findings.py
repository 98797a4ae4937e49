"""What proves each finding, and what comes close to it but proves nothing."""

from __future__ import annotations

import json

import pytest

from prt.tap.findings import judge
from prt.tap.findings.finding import SEVERITIES
from prt.tap.observe.messages import Who
from prt.views.drawing.findings import SENTENCES, cause_of, remedy_of
from prt.views.sinks.ndjson import encode
from tests.running import LINE
from tests.tap.findings.wire import MESSAGES, PAGE, SERVICE, USER, Story

INSERTS = {**MESSAGES, "event": "INSERT"}
BY_ROOM = {**MESSAGES, "filter": "room=eq.1"}
SHORT = Who(role="authenticated", user="u1", digest="x", expires_at=5_000_000)
LATER = Who(role="authenticated", user="u1", digest="y", expires_at=900_000_000)


def joined(**config: object) -> Story:
    return Story().opened(0).join(0, **config)


PROVEN = {
    "server-key-in-browser": [
        Story().rest(0, who=SERVICE, client=PAGE),
        Story().opened(0, who=SERVICE, client=PAGE),
    ],
    "socket-role": [joined().rest(1, who=USER).tick(4), Story().rest(0, who=USER).opened(1).join(1).tick(4)],
    "token-expired": [
        joined(token=SHORT).tick(4).tick(7),
        joined(token=SHORT).rest(4, who=LATER).tick(7),
        joined(token=SHORT).frame(5, "phx_close", {}, is_sent=False, ref="1", join_ref="1").tick(7),
    ],
    "joined-twice": [joined().join(1, ref="2")],
    "channels-never-left": [
        Story()
        .opened(0)
        .join(0, MESSAGES, topic="realtime:1")
        .join(1, MESSAGES, topic="realtime:2")
        .join(2, MESSAGES, topic="realtime:3")
        .join(3, MESSAGES, topic="realtime:4")
        .join(4, MESSAGES, topic="realtime:5")
    ],
    "too-many-connections": [
        Story()
        .opened(0)
        .closed(1, is_by_client=True)
        .opened(10, 2)
        .closed(11, 2, is_by_client=True)
        .opened(20, 3)
        .closed(21, 3, is_by_client=True)
        .opened(30, 4),
        joined()
        .sent(1, "phx_leave")
        .join(2, ref="2")
        .sent(3, "phx_leave")
        .join(4, ref="3")
        .sent(5, "phx_leave")
        .join(6, ref="4"),
    ],
    "push-outside-join": [
        Story().opened(0).join(0, is_answered=False).sent(1, "broadcast"),
        joined().sent(1, "phx_leave").sent(2, "broadcast"),
        Story().opened(0).track(1),
    ],
    "binding-refused": [Story().opened(0).join(0, MESSAGES).system(1, "error")],
    "change-twice": [
        Story().opened(0).join(0, MESSAGES, INSERTS).change(1, 10, 11),
        Story()
        .opened(0)
        .join(0, MESSAGES)
        .join(0, MESSAGES, topic="realtime:b", ref="2")
        .change(1, 10)
        .change(1, 10, topic="realtime:b"),
    ],
    "delete-filter": [Story().opened(0).join(0, BY_ROOM).change(1, 10, old={"id": 1})],
    "presence-not-enabled": [joined().track(1)],
    "presence-rate": [
        joined(presence={"enabled": True}).track(1).track(2).track(3).track(4).track(5).track(6)
    ],
    "private-and-public": [joined().opened(1, 2).join(1, number=2, private=True)],
    "no-acknowledgement": [joined(broadcast={"ack": True}).sent(1, "broadcast", ref="5").tick(7)],
    "heartbeat-late": [Story().opened(0).tick(46), Story().opened(0).beat(20).tick(66)],
    "not-rejoined": [joined().closed(1).opened(2, 2).tick(13)],
    "not-read-again": [
        Story()
        .opened(0)
        .join(0, MESSAGES)
        .closed(1)
        .rest(2, method="POST")
        .opened(3, 2)
        .join(3, MESSAGES, number=2)
        .tick(4)
        .tick(15),
        Story()
        .opened(0)
        .join(0, MESSAGES)
        .opened(0, 7, client=PAGE)
        .join(0, MESSAGES, number=7)
        .closed(1)
        .change(2, 10, number=7)
        .opened(3, 2)
        .join(3, MESSAGES, number=2)
        .tick(4)
        .tick(15),
    ],
}

UNPROVEN = {
    "a server key of a server": Story().rest(0, who=SERVICE),
    "a page with its own key": Story().rest(0, client=PAGE),
    "the socket was given the session in time": joined()
    .rest(1, who=USER)
    .sent(2, "access_token", token=USER)
    .tick(9),
    "two sockets, one of which is the user's": joined()
    .opened(0, 2)
    .join(0, number=2, token=USER)
    .rest(1, who=USER)
    .tick(9),
    "a token that was renewed": joined(token=SHORT).sent(4, "access_token", token=LATER).tick(9),
    "a channel that was left before its token expired": joined(token=SHORT).sent(2, "phx_leave").tick(9),
    "a join after an error of the channel": joined()
    .frame(1, "phx_error", {}, is_sent=False, ref="1", join_ref="1")
    .join(2, ref="2"),
    "a join after it was left": joined().sent(1, "phx_leave").join(2, ref="2"),
    "many channels of different content": Story()
    .opened(0)
    .join(0, {**MESSAGES, "table": "a"}, topic="realtime:1")
    .join(0, {**MESSAGES, "table": "b"}, topic="realtime:2")
    .join(0, {**MESSAGES, "table": "c"}, topic="realtime:3")
    .join(0, {**MESSAGES, "table": "d"}, topic="realtime:4")
    .join(0, {**MESSAGES, "table": "e"}, topic="realtime:5"),
    "four pages at a time": Story().opened(0).opened(0, 2).opened(0, 3).opened(0, 4).opened(0, 5),
    "connections that a fault of ours cut": Story()
    .opened(0)
    .closed(1)
    .fault(1, is_over=False)
    .opened(2, 2)
    .closed(3, 2)
    .fault(3, is_over=False)
    .opened(4, 3)
    .closed(5, 3)
    .fault(5, is_over=False)
    .opened(6, 4),
    "a push after a close that the client may not have read yet": joined()
    .frame(1, "phx_close", {}, is_sent=False, ref="1", join_ref="1")
    .sent(1, "broadcast"),
    "an error that is not about tables": Story()
    .opened(0)
    .join(0, MESSAGES)
    .frame(1, "system", {"status": "error", "extension": "system", "message": "x"}, is_sent=False),
    "two bindings of different events": Story()
    .opened(0)
    .join(0, INSERTS, {**MESSAGES, "event": "UPDATE"})
    .change(1, 10)
    .change(2, 11),
    "a filter that the old row holds": Story()
    .opened(0)
    .join(0, BY_ROOM)
    .change(1, 10, old={"id": 1, "room": 1}),
    "a filter of inserts": Story()
    .opened(0)
    .join(0, {**BY_ROOM, "event": "INSERT"})
    .change(1, 10, old={"id": 1}),
    "six tracks in a minute": joined(presence={"enabled": True})
    .track(1)
    .track(11)
    .track(21)
    .track(31)
    .track(41)
    .track(51)
    .beat(50)
    .tick(52),
    "a private topic left before it was joined as public": joined(private=True)
    .sent(1, "phx_leave")
    .opened(2, 2)
    .join(2, number=2),
    "an acknowledgement that came": joined(broadcast={"ack": True})
    .sent(1, "broadcast", ref="5")
    .frame(2, "phx_reply", {"status": "ok"}, is_sent=False, ref="5", join_ref="1")
    .tick(9),
    "a broadcast that asked for none": joined().sent(1, "broadcast", ref="5").tick(9),
    "no acknowledgement among frames that were not read": joined(broadcast={"ack": True})
    .skipped(0)
    .sent(1, "broadcast", ref="5")
    .tick(9),
    "heartbeats that a fault of ours swallowed": Story()
    .opened(0)
    .fault(1, is_over=False, kind="half-open")
    .tick(60),
    "heartbeats in time": Story().opened(0).beat(25).tick(46).beat(50).tick(90),
    "a page that was closed, and another one": joined().closed(1, is_by_client=True).opened(2, 2).tick(20),
    "joined again": joined().closed(1).opened(2, 2).join(3, number=2).tick(20),
    "read again": Story()
    .opened(0)
    .join(0, MESSAGES)
    .closed(1)
    .rest(2, method="POST")
    .opened(3, 2)
    .join(3, MESSAGES, number=2)
    .rest(4)
    .tick(5)
    .tick(20),
    "nothing is known to have changed": Story()
    .opened(0)
    .join(0, MESSAGES)
    .closed(1)
    .opened(3, 2)
    .join(3, MESSAGES, number=2)
    .tick(4)
    .tick(20),
}


@pytest.mark.parametrize(
    ("name", "story"), [(name, story) for name, stories in PROVEN.items() for story in stories]
)
def test_it_is_found_once_with_its_evidence(name: str, story: Story) -> None:
    (found,) = story.findings()
    assert (found.id, found.severity) == (name, SEVERITIES[name])
    assert found.evidence
    assert "?" not in cause_of(found) + remedy_of(found)
    LINE.validate(json.loads(encode(found)))


@pytest.mark.parametrize("story", UNPROVEN.values(), ids=UNPROVEN.keys())
def test_nothing_is_found(story: Story) -> None:
    assert story.findings() == []


def test_it_is_found_once_however_often_it_happens() -> None:
    story = joined().track(1).track(20).sent(40, "phx_leave").join(41, ref="2").track(42)
    assert [found.id for found in story.findings()] == ["presence-not-enabled"]


def test_findings_are_reported_however_many_there_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "KEPT", 2)
    story = Story().opened(0)
    topics = [f"realtime:{name}" for name in "abcd"]
    for topic in topics:
        story.join(0, topic=topic).track(1, topic=topic).track(20, topic=topic)
    assert [found.topic for found in story.findings()] == list("abcd")


def test_every_finding_has_its_stories_and_its_sentences() -> None:
    assert {*PROVEN, "not-recovered"} == {*SEVERITIES} == {*SENTENCES}
