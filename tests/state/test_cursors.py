from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from prt.events import Broadcast, Presence
from prt.state.cursors import FORGOTTEN, SCREEN, TRAIL, USERS, Cursor, Cursors, Extent


def move(payload: Any, *, at: int = 1, topic: str = "document:7", event: str = "cursor-move") -> Broadcast:
    return Broadcast(at=at, topic=topic, event=event, payload=Raw(json.dumps(payload).encode()))


def after(*payloads: Any) -> Cursors:
    cursors = Cursors()
    for at, payload in enumerate(payloads, 1):
        cursors.apply(move(payload, at=at))
    return cursors


def only(cursors: Cursors) -> Cursor:
    (cursor,) = cursors.cursors.values()
    return cursor


@pytest.mark.parametrize(
    ("payload", "user", "name", "x", "y"),
    [
        ({"userId": "u1", "position": {"x": 1, "y": 2}}, "u1", "u1", 1.0, 2.0),
        ({"user_id": 7, "x": 0.5, "y": -3}, "7", "7", 0.5, -3.0),
        ({"user": "u1", "position": [4, 5]}, "u1", "u1", 4.0, 5.0),
        ({"user": {"id": "u1", "name": "Ada"}, "x": 1, "y": 2}, "u1", "Ada", 1.0, 2.0),
        ({"id": "u1", "username": "ada", "x": 1, "y": 2}, "u1", "ada", 1.0, 2.0),
        ({"name": "Ada", "x": 1, "y": 2}, "Ada", "Ada", 1.0, 2.0),
        ({"x": 1, "y": 2}, "", "", 1.0, 2.0),
    ],
)
def test_who_and_where(payload: Any, user: str, name: str, x: float, y: float) -> None:
    cursor = only(after(payload))
    assert (cursor.user, cursor.name, cursor.position.x, cursor.position.y) == (user, name, x, y)


@pytest.mark.parametrize(
    "payload",
    [
        [1, 2],
        "text",
        {"x": "1", "y": 2},
        {"userId": "u1", "x": 1},
        {"userId": "u1", "position": {"x": 1e10, "y": 0}},
        {"userId": "u1", "position": {"x": True, "y": 0}},
    ],
)
def test_what_holds_no_position_is_counted(payload: Any) -> None:
    cursors = after(payload)
    assert (len(cursors.cursors), cursors.unread, cursors.moves) == (0, 1, 0)


def test_bytes_hold_no_position() -> None:
    cursors = Cursors()
    cursors.apply(Broadcast(at=1, topic="d", event="e", binary=b"\x00"))
    assert cursors.unread == 1


def test_a_trail_of_the_last_positions() -> None:
    cursor = only(after(*({"userId": "u", "x": number, "y": 0} for number in range(30))))
    assert [position.x for position in cursor.trail] == list(range(30 - TRAIL, 30))
    assert cursor.moves == 30


def test_the_same_user_on_two_topics_has_two_cursors() -> None:
    cursors = after({"userId": "u", "x": 1, "y": 1})
    cursors.apply(move({"userId": "u", "x": 2, "y": 2}, topic="document:8"))
    assert [cursor.topic for cursor in cursors.newest_first] == ["document:8", "document:7"]


@pytest.mark.parametrize(
    "leaving",
    [
        move({"userId": "u"}, at=9, event="cursor-leave"),
        move({"userId": "u", "position": None}, at=9),
        Presence(at=9, topic="document:7", event="leave", key="u", presences=[]),
        Presence(at=9, topic="document:7", event="leave", key="k", presences=[{"user_id": "u"}]),
    ],
)
def test_whoever_leaves_is_gone_until_the_next_move(leaving: Any) -> None:
    cursors = after({"userId": "u", "x": 1, "y": 1}, {"userId": "other", "x": 1, "y": 1})
    cursors.apply(leaving)
    assert {cursor.user: cursor.gone_at for cursor in cursors.newest_first} == {"u": 9, "other": None}
    cursors.apply(move({"userId": "u", "x": 2, "y": 2}, at=10))
    assert all(cursor.gone_at is None for cursor in cursors.newest_first)


def test_a_leave_of_another_topic_is_another_page() -> None:
    cursors = after({"userId": "u", "x": 1, "y": 1})
    cursors.apply(Presence(at=9, topic="lobby", event="leave", key="u", presences=[]))
    assert only(cursors).gone_at is None


def test_the_stillest_is_forgotten_first() -> None:
    cursors = after(*({"userId": number, "x": 1, "y": 1} for number in range(USERS)))
    cursors.apply(move({"userId": 0, "x": 2, "y": 2}, at=USERS + 1))
    cursors.apply(move({"userId": "one more", "x": 2, "y": 2}, at=USERS + 2))
    users = {cursor.user for cursor in cursors.newest_first}
    assert len(users) == USERS
    assert "0" in users
    assert "1" not in users


def test_who_has_been_still_for_long_is_forgotten() -> None:
    cursors = after({"userId": "still", "x": 1, "y": 1})
    cursors.apply(move({"userId": "u", "x": 1, "y": 1}, at=FORGOTTEN + 2))
    assert only(cursors).user == "u"


@pytest.mark.parametrize(
    ("positions", "extent"),
    [
        ([], Extent(0, 0, 1, 1)),
        ([(0.2, 0.9), (1, 0)], Extent(0, 0, 1, 1)),
        ([(100, 50), (1000, 600)], Extent(0, 0, 1050, 630)),
        ([(0, 0), (5, 0)], Extent(0, 0, 5.25, 1)),
        ([(-100, 10), (100, 10)], Extent(-110, 0, 110, 10.5)),
        ([(5, 10_000), (5, 10_400)], Extent(0, 9_980, 5.25, 10_420)),
        ([(5, SCREEN + 1), (5, 9_000)], Extent(0, 0, 5.25, 9_450)),
        ([(5, 9_000), (5, 9_000)], Extent(0, 8_999, 5.25, 9_001)),
    ],
)
def test_what_the_canvas_shows(positions: list[tuple[float, float]], extent: Extent) -> None:
    cursors = after(*({"userId": "u", "x": x, "y": y} for x, y in positions))
    seen = cursors.extent()
    assert [seen.left, seen.top, seen.right, seen.bottom] == pytest.approx(
        [extent.left, extent.top, extent.right, extent.bottom]
    )


def test_a_message_of_nobody_takes_no_cursor_away() -> None:
    cursors = after(
        {"x": 1, "y": 2}, {"title": "no cursor's"}, {"userId": "u1", "x": 1, "y": 2}, {"userId": "u1"}
    )
    assert [cursor.gone_at for cursor in cursors.newest_first] == [4, None]
    assert cursors.unread == 1
