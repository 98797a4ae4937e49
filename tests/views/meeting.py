"""A scripted meeting: people who come, change and go, cursors that move, with hostile and foreign text."""

from __future__ import annotations

import math
from typing import Any

from prt.events import Broadcast, Event, Presence, Status
from tests.views.story import BEGIN, NOW, raw

TOPIC = "room:1"
DOCUMENT = "document:7"
SECOND = 1_000_000
HOSTILE = "\x1b[2J\x1b[31mred\x1b]8;;http://evil.example\x07 \u202egnp.exe"
_EARLIER = "2026-11-22T16:4{}:00.000Z"


def meta(ref: str, /, **columns: Any) -> dict[str, Any]:
    return {**columns, "presence_ref": ref}


ADA = {
    "user_id": "5eed0000-0000-4000-8000-0000000000a1",
    "name": "Ada Lovelace",
    "online_at": _EARLIER.format(1),
    "location": "/productions/7",
    "device": "laptop",
}
KANJI = {"email": "漢字@example.com", "location": "/日本公演/7", "online_at": "2026-11-21T09:00:00Z"}


def state() -> dict[str, list[dict[str, Any]]]:
    return {
        "ada": [meta("a1", **ADA, status="editing")],
        "k漢字-a-key-that-is-too-long-for-any-column": [
            meta("k1", **KANJI, status="idle"),
            meta("k2", **{**KANJI, "location": "/tasks"}, status="busy"),
        ],
        HOSTILE: [
            meta("h", user_id=HOSTILE, status=HOSTILE, location="/\x9b1m\nnew\tline", mood="👨‍👩‍👧 ok")
        ],
    }


def presence(event: Any, key: str, *metas: dict[str, Any], at: int, topic: str = TOPIC) -> Presence:
    return Presence(at=at, topic=topic, event=event, key=key, presences=list(metas))


def met(*, crowd: int = 3) -> list[Event]:
    """Joined, then people come, change and go."""
    events: list[Event] = [
        Status(at=BEGIN, status="SUBSCRIBED", topic=TOPIC),
        Status(at=BEGIN, status="READY", topic=TOPIC),
        Presence(at=BEGIN + SECOND // 2, topic=TOPIC, event="sync", state=state()),
    ]
    for number in range(crowd):
        guest = meta(f"g{number}", user_id=f"guest-{number}", status="new", desk=number)
        at = BEGIN + SECOND + number * 10_000
        events.append(presence("join", f"guest-{number}", guest, at=at))
    editing = meta("a2", **{**ADA, "location": "/budgets"}, status="reading")
    return [
        *events,
        presence("update", "ada", editing, at=BEGIN + 3 * SECOND),
        presence("leave", "guest-1", meta("g1", user_id="guest-1", desk=1), at=BEGIN + 4 * SECOND),
    ]


def parted() -> list[Event]:
    return [
        *met(),
        Status(at=BEGIN + 5 * SECOND, status="CLOSED", topic=TOPIC, reason="1012: service restart"),
    ]


def met_again() -> list[Event]:
    """The connection came back; meanwhile two came and two went."""
    back = {"ada": [meta("a3", **ADA, status="reading")], "zoë": [meta("z")], "guest-7": [meta("g7")]}
    return [
        *parted(),
        Status(at=BEGIN + 6 * SECOND, status="READY", topic=TOPIC),
        Presence(at=BEGIN + 6 * SECOND, topic=TOPIC, event="sync", state=back),
    ]


def move(user: str, x: float, y: float, *, at: int, **more: Any) -> Broadcast:
    payload = {"userId": user, "position": {"x": x, "y": y}, **more}
    return Broadcast(at=at, topic=DOCUMENT, event="cursor-move", payload=raw(payload))


def moves() -> list[Event]:
    """Seen at NOW: one that moves on, one that rests, one in foreign letters at the edge, one that left."""
    events: list[Event] = []
    begin = NOW - 4 * SECOND
    for step in range(40):
        at = begin + step * SECOND // 10
        events.append(move("u1", 100 + step * 20, 300 + 200 * math.sin(step / 6), at=at, name="Ada Lovelace"))
        if step < 8:
            events.append(move("u2", 900 - step * 9, 500 - step * 12, at=at, name="Ana"))
        if step % 3 == 0:
            events.append(move("u3", 1260, 40 + step * 10, at=at, name="漢字の人"))
    return [
        *events,
        move("u4", 400, 560, at=NOW - SECOND, name=HOSTILE),
        move("u5", 60, 90, at=NOW - 2 * SECOND, name="Leaver"),
        Broadcast(at=NOW - SECOND, topic=DOCUMENT, event="cursor-leave", payload=raw({"userId": "u5"})),
        Broadcast(at=NOW - SECOND, topic=DOCUMENT, event="ping", payload=raw({"n": 1})),
    ]


def spoken() -> list[Event]:
    """Broadcasts of every kind."""
    at = iter(range(BEGIN + 5 * SECOND, NOW, 100_000))
    meta_ = raw({"id": "m1", "replayed": True})
    return [
        move("u1", 412, 96.5, at=next(at), name="Ada Lovelace"),
        Broadcast(at=next(at), topic=DOCUMENT, event=HOSTILE, payload=raw({HOSTILE: HOSTILE})),
        Broadcast(at=next(at), topic="ホール:日本公演", event="合図", payload=raw("始まり")),
        Broadcast(at=next(at), topic=DOCUMENT, event="frame", binary=bytes(range(200))),
        Broadcast(at=next(at), topic="audit", event="INSERT", payload=raw({"id": 7}), meta=meta_),
        Broadcast(at=next(at), topic=DOCUMENT, event="large", payload=raw({"text": "lorem " * 5_000})),
    ]
