from __future__ import annotations

from typing import Any

import pytest

from prt.errors import RefusedError
from prt.events import Presence, Status
from prt.state.conditions.attendance import Attendance
from prt.stream.topic import NO_ROSTER, NOT_TRACKED

OWN = {"status": "busy", "online_at": "2026-11-22T16:45:14Z"}


def sync(*keys: str, topic: str = "room:1") -> Presence:
    return Presence(at=1, topic=topic, event="sync", state={key: [{"presence_ref": key}] for key in keys})


def event(kind: Any, key: str, **meta: Any) -> Presence:
    return Presence(at=2, topic="room:1", event=kind, key=key, presences=[{**meta, "presence_ref": key}])


def test_nothing_is_waited_for_where_nothing_is_asked() -> None:
    attendance = Attendance("room:1")
    assert not attendance
    assert attendance.are_met
    assert attendance.missing() == []


def test_keys_must_be_there_at_the_same_time() -> None:
    attendance = Attendance("room:1", keys=["a", "b"])
    assert attendance
    assert attendance.missing() == ["missing: the roster of room:1"]
    assert not attendance.apply(sync("a"))
    assert attendance.missing() == ["missing: b is not online"]
    assert not attendance.apply(event("leave", "a"))
    assert not attendance.apply(event("join", "b"))
    assert attendance.missing() == ["missing: a is not online"]
    assert attendance.apply(event("join", "a"))
    attendance.apply(event("leave", "a"))
    assert attendance.are_met


def test_so_many_keys() -> None:
    attendance = Attendance("room:1", least=2)
    assert not attendance.apply(sync("a"))
    assert attendance.missing() == ["missing: 1 online instead of 2"]
    assert attendance.apply(event("join", "b"))


def test_another_topic_is_not_ours() -> None:
    assert not Attendance("room:1", is_roster_enough=True).apply(sync("a", topic="room:2"))


def test_the_first_roster_is_enough_even_if_nobody_is_there() -> None:
    assert Attendance("room:1", is_roster_enough=True).apply(sync())


def test_we_must_be_on_it_ourselves_with_what_we_tracked() -> None:
    attendance = Attendance("room:1", is_roster_enough=True)
    attendance.wait_for_us("me", OWN)
    assert not attendance.apply(sync("a", "me"))
    assert attendance.missing() == ["missing: our own presence"]
    assert not attendance.apply(event("join", "you", **OWN))
    assert attendance.apply(event("update", "me", **OWN))


def test_where_the_server_would_not_have_us_nobody_waits() -> None:
    refused = Status(at=1, status="READY", reason="room:1 refused", hint="add a policy", code=NOT_TRACKED)
    attendance = Attendance("room:1", is_roster_enough=True)
    assert not attendance.apply(refused)
    attendance.wait_for_us("me", OWN)
    assert not attendance.apply(Status(at=1, status="READY", topic="room:1"))
    with pytest.raises(RefusedError, match="room:1 refused") as raised:
        attendance.apply(refused)
    assert raised.value.hint == "add a policy"


def test_a_roster_that_is_kept_from_us_is_not_waited_for() -> None:
    reported = Status(at=1, status="READY", topic="room:1", reason="room:1", hint="a policy", code=NO_ROSTER)
    with pytest.raises(RefusedError, match="room:1") as raised:
        Attendance("room:1", is_roster_enough=True).apply(reported)
    assert raised.value.hint == "a policy"
    assert Attendance("room:1").apply(reported)
