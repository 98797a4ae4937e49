from __future__ import annotations

import random
import tracemalloc
from typing import Any

import pytest

from prt.events import Presence, Status
from prt.state.roster import FEED, NAMED, PresenceLine, Presences
from prt.state.rows.difference import Cell

State = dict[str, list[dict[str, Any]]]


def meta(ref: str, **columns: Any) -> dict[str, Any]:
    return {**columns, "presence_ref": ref}


def sync(state: State, *, at: int = 1, topic: str = "room:1") -> Presence:
    return Presence(at=at, topic=topic, event="sync", state=state)


def event(kind: Any, key: str, *metas: dict[str, Any], at: int = 2, topic: str = "room:1") -> Presence:
    return Presence(at=at, topic=topic, event=kind, key=key, presences=list(metas))


def after(*events: Presence | Status) -> Presences:
    presences = Presences()
    for one in events:
        presences.apply(one)
    return presences


def state_of(presences: Presences, topic: str = "room:1") -> State:
    return {key: person.metas for key, person in presences.topics[topic].people.items()}


def lines_of(presences: Presences) -> list[PresenceLine]:
    return list(presences.feed)


def test_a_roster_and_who_comes_and_goes() -> None:
    ada, bob = meta("a", user_id="ada", status="idle"), meta("b", user_id="bob", location="/tasks")
    presences = after(sync({"ada": [ada]}), event("join", "bob", bob, at=5), event("leave", "ada", ada, at=6))
    assert state_of(presences) == {"bob": [bob]}
    assert (presences.online, presences.connections) == (1, 1)
    first, joined, left = lines_of(presences)
    assert (first.event, first.online, first.is_first) == ("sync", 1, True)
    assert (joined.key, joined.user, joined.cells) == ("bob", "bob", (Cell("location", None, "/tasks"),))
    assert (left.key, left.user, left.cells) == ("ada", "ada", (Cell("status", "idle", None),))
    assert presences.counts == {"sync": 1, "join": 1, "leave": 1}


def test_a_key_is_there_as_long_as_one_of_its_connections_is() -> None:
    presences = after(sync({}), event("join", "k", meta("a")), event("join", "k", meta("b")))
    assert (presences.online, presences.connections) == (1, 2)
    presences.apply(event("leave", "k", meta("a")))
    assert state_of(presences) == {"k": [meta("b")]}
    presences.apply(event("leave", "k", meta("b")))
    assert (presences.online, presences.connections) == (0, 0)


def test_an_update_shows_what_changed_in_its_connection() -> None:
    phone, desk = meta("p", status="away"), meta("d", status="idle", desk=7)
    presences = after(
        sync({"k": [phone, desk]}), event("update", "k", phone, meta("e", status="busy", desk=7))
    )
    assert state_of(presences) == {"k": [phone, meta("e", status="busy", desk=7)]}
    assert lines_of(presences)[-1].cells == (Cell("status", "idle", "busy"),)


def test_an_update_of_somebody_unknown_is_a_join() -> None:
    presences = after(sync({}), event("update", "k", meta("a", status="busy")))
    assert state_of(presences) == {"k": [meta("a", status="busy")]}
    assert lines_of(presences)[-1].cells == (Cell("status", None, "busy"),)


def test_a_leave_of_somebody_unknown_shows_nothing() -> None:
    presences = after(sync({}), event("leave", "k", meta("a")))
    assert [line.event for line in presences.feed] == ["sync"]


def test_a_sync_after_a_loss_replaces_the_roster_and_shows_the_differences() -> None:
    away = [f"new{number}" for number in range(NAMED + 5)]
    presences = after(
        sync({"ada": [meta("a")], "bob": [meta("b")]}, at=10),
        Status(at=20, status="CLOSED", topic="room:1"),
    )
    assert not presences.topics["room:1"].is_current
    assert presences.online == 2
    presences.apply(sync({"ada": [meta("a2")], **{key: [meta(key)] for key in away}}, at=30))
    topic, line = presences.topics["room:1"], lines_of(presences)[-1]
    assert topic.is_current
    assert set(topic.people) == {"ada", *away}
    assert (line.joined, line.came) == (tuple(away[:NAMED]), NAMED + 5)
    assert (line.left, line.went, line.is_first) == (("bob",), 1, False)
    assert topic.people["ada"].first_seen == 10
    assert topic.people["new0"].first_seen == 30


@pytest.mark.parametrize(
    ("status", "is_current"),
    [
        (Status(at=2, status="CLOSED", topic="other"), True),
        (Status(at=2, status="READY", topic="room:1"), True),
        (Status(at=2, status="CHANNEL_ERROR"), False),
        (Status(at=2, status="TIMED_OUT", topic="room:1"), False),
    ],
)
def test_a_roster_is_current_until_its_channel_is_lost(status: Status, is_current: bool) -> None:
    assert after(sync({}), status).topics["room:1"].is_current is is_current


def test_columns_by_how_many_have_them() -> None:
    presences = after(
        sync({"a": [meta("1", user_id="u", online_at=5, location="/", status="x", desk=1)]}),
        event("join", "b", meta("2", status="y", mood="ok")),
        event("join", "c", meta("3", status="z", mood="so", zeal=1)),
    )
    assert presences.columns() == ["status", "mood", "desk", "zeal"]
    presences.apply(event("leave", "c", meta("3")))
    presences.apply(event("update", "b", meta("4", desk=2)))
    assert presences.columns() == ["desk", "status"]
    presences.apply(sync({}))
    assert presences.columns() == []


def test_those_who_came_last_come_first_and_only_as_many_as_are_asked_for() -> None:
    presences = after(
        sync({"early": [meta("1", online_at=100)], "unknown": [meta("2")]}, at=150_000_000),
        event("join", "late", meta("3", online_at=200)),
    )
    assert [person.key for person in presences.people(5)] == ["late", "unknown", "early"]
    assert [person.since for person in presences.people(2)] == [200_000_000, 150_000_000]


def test_topics_are_apart() -> None:
    presences = after(
        sync({"k": [meta("a")]}, topic="a"), sync({"k": [meta("b")]}, topic="b"), sync({}, topic="a", at=5)
    )
    assert state_of(presences, "b") == {"k": [meta("b")]}
    assert presences.online == 1
    assert lines_of(presences)[-1].left == ("k",)


def test_any_order_of_events_keeps_the_counts_true() -> None:
    chance = random.Random(7)
    presences = after(sync({}))
    true: dict[str, dict[str, Any]] = {}
    for number in range(3_000):
        key, ref = f"k{chance.randrange(40)}", f"r{number}"
        new = meta(ref, **{f"c{chance.randrange(9)}": number})
        known = true.setdefault(key, {})
        action = chance.random()
        if action < 0.5 or not known:
            known[ref] = new
            presences.apply(event("join", key, new))
        elif action < 0.8:
            gone = known.pop(chance.choice(list(known)))
            presences.apply(event("leave", key, gone))
        else:
            del known[chance.choice(list(known))]
            known[ref] = new
            presences.apply(event("update", key, *known.values()))
        if not known:
            del true[key]
        if chance.random() < 0.01:
            presences.apply(sync({name: list(metas.values()) for name, metas in true.items()}))
    assert {key: list(metas.values()) for key, metas in true.items()} == state_of(presences)
    every = [one for metas in true.values() for one in metas.values()]
    assert presences.connections == len(every)
    assert set(presences.columns()) == {column for one in every for column in one} - {"presence_ref"}


def test_comings_and_goings_cost_no_memory() -> None:
    presences = after(sync({}))

    def churn(first: int) -> int:
        for number in range(first, first + 2_000):
            one = meta(f"r{number}", **{f"column{number}": "x" * 50})
            presences.apply(event("join", f"k{number}", one))
            presences.apply(event("leave", f"k{number}", one))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = churn(0)
        assert churn(2_000) - before < 100_000
    finally:
        tracemalloc.stop()
    assert len(presences.feed) == FEED
