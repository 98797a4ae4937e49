from __future__ import annotations

import pytest
from msgspec import Raw

from prt.errors import UsageError
from prt.events import Broadcast, Change, Event, Gap, Presence, Status
from prt.state.conditions.matching import Matching, text_of

CHANGE = Change(
    at=1,
    topic="tasks",
    event_type="UPDATE",
    schema="public",
    table="project_tasks",
    commit_timestamp="2026-01-02T03:04:05Z",
    new=Raw(b'{"id": 401, "title": "Caf\\u00e9", "amount": 12.50, "done":\n false}'),
    old=Raw(b'{"id": 401}'),
    lag_ms=7.5,
)
BROADCAST = Broadcast(at=1, topic="document:7", event="cursor-move", payload=Raw(b'{"userId": 4}'))
QUIET: list[Event] = [
    Status(at=1, status="READY"),
    Gap(at=1, start=0, end=1, tables=[], cause="c"),
    Presence(at=1, topic="t", event="join"),
]


def test_the_text_is_compact_and_without_our_own_figures() -> None:
    plain = Change(
        at=1,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="a",
        commit_timestamp="2026",
        new=Raw(b'{"n": 12.50, "s": "a b"}'),
        lag_ms=7.5,
    )
    assert text_of(plain) == (
        '{"type":"change","topic":"t","eventType":"INSERT","schema":"public","table":"a",'
        '"new":{"n":12.50,"s":"a b"},"old":{}}'
    )
    assert text_of(BROADCAST) == (
        '{"type":"broadcast","topic":"document:7","event":"cursor-move","payload":{"userId":4}}'
    )
    assert "é" in text_of(CHANGE)


@pytest.mark.parametrize(
    ("include", "exclude", "keeps"),
    [
        ([], [], True),
        (["project_tasks"], [], True),
        (['"id":401'], [], True),
        (["Café"], [], True),
        (["^.*UPDATE"], [], True),
        (["project_TASKS"], [], False),
        (["(?i)project_TASKS"], [], True),
        (["budgets", "tasks"], [], True),
        (["budgets"], [], False),
        ([], ["tasks"], False),
        ([], ["budgets"], True),
        (["tasks"], ["done"], False),
        (["lag_ms|commit"], [], False),
    ],
)
def test_what_is_kept_of_changes(include: list[str], exclude: list[str], keeps: bool) -> None:
    assert Matching(include, exclude).keeps(CHANGE) == keeps


def test_broadcasts_are_judged_too() -> None:
    assert Matching(["cursor"]).keeps(BROADCAST)
    assert not Matching(exclude=['"userId":4']).keeps(BROADCAST)


@pytest.mark.parametrize("event", QUIET, ids=lambda event: type(event).__name__)
def test_what_is_no_change_and_no_broadcast_passes(event: Event) -> None:
    assert Matching(["nothing at all"], ["."]).keeps(event)


def test_whether_anything_can_be_left_out() -> None:
    assert not Matching()
    assert Matching(["a"])
    assert Matching(exclude=["a"])


@pytest.mark.parametrize(("options", "option"), [(([["("]]), "--include"), (([[], ["("]]), "--exclude")])
def test_a_bad_expression_is_reported(options: list[list[str]], option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} is not a valid regular expression"):
        Matching(*options)
