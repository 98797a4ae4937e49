from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from prt.errors import UsageError
from prt.events import Broadcast, Change, Event, Status
from prt.state.conditions.expectations import parse_expectations


def raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))


def change(kind: str = "INSERT", table: str = "notifications", **rows: object) -> Change:
    return Change(
        at=0,
        topic="t",
        event_type=kind,  # type: ignore[arg-type]
        schema=str(rows.get("schema", "public")),
        table=table,
        commit_timestamp=None,
        new=raw(rows.get("new", {})),
        old=raw(rows.get("old", {})),
    )


def cursor(event: str = "cursor-move", topic: str = "document:7", payload: object = None) -> Broadcast:
    return Broadcast(at=0, topic=topic, event=event, payload=raw(payload))


@pytest.mark.parametrize(
    ("text", "event", "is_met"),
    [
        ("INSERT notifications", change(), True),
        ("insert notifications", change(), True),
        ("* notifications", change("DELETE"), True),
        ("INSERT *", change(table="other"), True),
        ("INSERT public.notifications", change(), True),
        ("INSERT app.notifications", change(), False),
        ("INSERT app.notifications", change(schema="app"), True),
        ("UPDATE notifications", change(), False),
        ("INSERT other", change(), False),
        ("INSERT notifications title=Test", change(new={"title": "Test"}), True),
        ("INSERT notifications title=Test", change(new={"title": "test"}), False),
        ("INSERT notifications title=", change(new={"title": ""}), True),
        ("INSERT notifications title=a=b", change(new={"title": "a=b"}), True),
        ("INSERT notifications 'title=two words'", change(new={"title": "two words"}), True),
        ('INSERT notifications title="two words"', change(new={"title": "two words"}), True),
        ("INSERT notifications title=x kind=y", change(new={"title": "x", "kind": "z"}), False),
        ("INSERT notifications n=5", change(new={"n": 5}), True),
        ("INSERT notifications n=5.0", change(new={"n": 5}), True),
        ("INSERT notifications n=12.50", change(new={"n": 12.5}), True),
        ("INSERT notifications n=9007199254740993", change(new={"n": 9007199254740993}), True),
        ("INSERT notifications n=9007199254740992", change(new={"n": 9007199254740993}), False),
        ("INSERT notifications n=five", change(new={"n": 5}), False),
        ("INSERT notifications n=1", change(new={"n": True}), False),
        ("INSERT notifications read=true", change(new={"read": True}), True),
        ("INSERT notifications read=null", change(new={"read": None}), True),
        ("INSERT notifications read=null", change(new={}), False),
        ("INSERT notifications 'tags=[\"a\", 1]'", change(new={"tags": ["a", 1]}), True),
        ("INSERT notifications tags=[", change(new={"tags": ["a"]}), False),
        ("INSERT notifications meta.x.y=1", change(new={"meta": {"x": {"y": 1}}}), True),
        ("INSERT notifications meta.x=1", change(new={"meta.x": 1, "meta": {"x": 2}}), True),
        ("INSERT notifications meta.x=1", change(new={"meta": None}), False),
        ("DELETE notifications id=7", change("DELETE", old={"id": 7}), True),
        (
            "UPDATE t old.status=a status=b",
            change("UPDATE", "t", old={"status": "a"}, new={"status": "b"}),
            True,
        ),
        ("UPDATE t old.status=b", change("UPDATE", "t", old={"status": "a"}, new={"status": "b"}), False),
        ("broadcast document:7 cursor-move", cursor(), True),
        ("broadcast realtime:document:7 cursor-move", cursor(), True),
        ("BROADCAST document:8 cursor-move", cursor(), False),
        ("broadcast document:7 other", cursor(), False),
        ("broadcast document:7 cursor-move userId=4", cursor(payload={"userId": 4}), True),
        ("broadcast document:7 cursor-move position.x=3", cursor(payload={"position": {"x": 3}}), True),
        ("broadcast document:7 cursor-move userId=4", cursor(payload=[1]), False),
        ("broadcast notifications INSERT", change(), False),
        ("INSERT notifications", Status(at=0, status="READY"), False),
    ],
)
def test_what_meets_an_expectation(text: str, event: Event, is_met: bool) -> None:
    expectations = parse_expectations([text])
    assert expectations.apply(event) == is_met
    assert expectations.are_met == is_met


def test_nothing_expected_is_met() -> None:
    expectations = parse_expectations([])
    assert not expectations
    assert expectations.are_met
    assert expectations.missing() == []


def test_all_must_come_in_any_order() -> None:
    expectations = parse_expectations(["INSERT a", "INSERT b", "INSERT c"])
    assert [expectations.apply(change(table=table)) for table in "cabc"] == [False, False, True, True]


def test_one_event_may_meet_several() -> None:
    assert parse_expectations(["INSERT a", "* a", "INSERT *", "INSERT a"]).apply(change(table="a"))


def test_missing_events_are_reported_in_the_order_of_the_options() -> None:
    expectations = parse_expectations(["INSERT c", "INSERT a", "INSERT b"])
    expectations.apply(change(table="a"))
    assert [one.expectation.text for one in expectations.missing()] == ["INSERT c", "INSERT b"]


@pytest.mark.parametrize(
    ("text", "events", "reported"),
    [
        ("INSERT a x=1", [], "missing: INSERT a x=1; nothing like it came"),
        ("INSERT a x=1", [change(table="b")], "missing: INSERT a x=1; nothing like it came"),
        (
            "INSERT a x=1",
            [change("UPDATE", "a", new={"x": 1})],
            "missing: INSERT a x=1; closest: UPDATE a x=1",
        ),
        (
            "INSERT a x=1 y=two",
            [
                change(table="a", new={"x": 9}),
                change(table="a", new={"x": 1, "y": "it's"}),
                change(table="a", new={"x": 8, "y": "no"}),
                change("DELETE", "a", old={"x": 1, "y": "two"}),
            ],
            "missing: INSERT a x=1 y=two; closest: INSERT a x=1 y='it'\"'\"'s'",
        ),
        (
            "INSERT a x=1",
            [change(table="a", new={"x": 2}), change(table="a", new={"x": 3})],
            "missing: INSERT a x=1; closest: INSERT a x=2",
        ),
        ("INSERT a x=1", [change(table="a")], "missing: INSERT a x=1; closest: INSERT a x=(absent)"),
        (
            "UPDATE a old.x=1",
            [change("UPDATE", "a", old={"x": {"y": None}})],
            'missing: UPDATE a old.x=1; closest: UPDATE a old.x={"y":null}',
        ),
        (
            "broadcast t e k=1",
            [cursor("f", "t", {"k": 1}), cursor("e", "t", {"k": "z" * 100})],
            f"missing: broadcast t e k=1; closest: broadcast t e k='{'z' * 59}…'",
        ),
    ],
)
def test_the_closest_event_is_reported(text: str, events: list[Event], reported: str) -> None:
    expectations = parse_expectations([text])
    assert not any(expectations.apply(event) for event in events)
    assert [str(one) for one in expectations.missing()] == [reported]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs an event and a table"),
        ("INSERT", "needs an event and a table"),
        ("INSRT a", "unknown event INSRT"),
        ("TRUNCATE a", "unknown event"),
        ("INSERT title=x", "needs a table"),
        ("INSERT a title", "can't read title"),
        ("INSERT a =x", "can't read =x"),
        ("INSERT a 'b", "does not end"),
        ("broadcast t", "needs a topic and an event"),
        ("broadcast t k=1", "needs a topic and an event"),
    ],
)
def test_what_can_not_be_read(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_expectations([text])
    assert caught.value.hint


def test_a_mistyped_event_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        parse_expectations(["UPDAET a"])
    assert caught.value.hint == "did you mean UPDATE?"


@pytest.mark.parametrize(
    ("text", "new", "is_met"),
    [
        ('INSERT t j={"k":1}', {"j": {"k": 1}}, True),
        ('INSERT t j={"k": "a b"} x=1', {"j": {"k": "a b"}, "x": 1}, True),
        ('INSERT t j=["a","b c"]', {"j": ["a", "b c"]}, True),
        ("INSERT t 'j={\"k\":1}'", {"j": {"k": 1}}, True),
        ("INSERT t title='a={\"k\":1}'", {"title": 'a={"k":1}'}, True),
        ('INSERT t j={"k":1}', {"j": {"k": 2}}, False),
        ('INSERT t title="a b"', {"title": "a b"}, True),
    ],
)
def test_json_after_the_equals_sign_keeps_its_quotes(text: str, new: object, is_met: bool) -> None:
    assert parse_expectations([text]).apply(change(table="t", new=new)) == is_met
