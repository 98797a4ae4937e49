from __future__ import annotations

from typing import Any

import pytest

from prt.events import Broadcast, Change, Status
from prt.state.notifications import Notifications, Own, is_new_notification, is_read, read_column
from tests.views import story

ME = "5eed0000-0000-4000-8000-0000000000a1"


def row(number: int, **columns: Any) -> dict[str, Any]:
    created = f"2026-11-22T16:45:{number:02}+00:00"
    return {
        "id": number,
        "user_id": ME,
        "title": f"No. {number}",
        "read_at": None,
        "created_at": created,
    } | columns


def insert(number: int, **columns: Any) -> Change:
    return story.change("INSERT", "notifications", new=row(number, **columns))


def update(number: int, **columns: Any) -> Change:
    return story.change("UPDATE", "notifications", new=row(number, **columns), old={"id": number})


def delete(number: int, **old: Any) -> Change:
    return story.change("DELETE", "notifications", old={"id": number} | old)


def keys(*changes: Change) -> list[str]:
    state = Notifications()
    for change in changes:
        state.apply(change)
        state.newest()  # as it is drawn
    return [one.key + ("" if one.is_read else " unread") for one in state.newest()]


def test_the_unread_come_first_and_the_newest_on_top() -> None:
    assert keys(insert(1), insert(3), insert(2, read_at="2026-11-22T17:00:00Z")) == [
        "3 unread",
        "1 unread",
        "2",
    ]


def test_an_update_moves_one_to_those_that_were_read_and_back() -> None:
    read = update(3, read_at="2026-11-22T17:00:00Z")
    assert keys(insert(1), insert(3), read) == ["1 unread", "3"]
    assert keys(insert(1), insert(3), read, update(3)) == ["3 unread", "1 unread"]


def test_a_delete_removes_and_what_is_not_known_is_no_trouble() -> None:
    assert keys(insert(1), insert(2), delete(1), delete(9)) == ["2 unread"]


def test_a_row_of_before_is_known_by_its_update() -> None:
    assert keys(update(4, read_at="2026-11-22T17:00:00Z")) == ["4"]


def test_other_tables_and_other_events_are_no_notifications() -> None:
    state = Notifications()
    state.apply(story.change("INSERT", "comments", new=row(1)))
    state.apply(Status(at=1, status="READY"))
    assert state.newest() == []


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"type": "info", "title": "a", "message": "b"}, ("info", "a", "b")),
        ({"severity": "high", "subject": "a", "body": "b"}, ("high", "a", "b")),
        ({"title": None, "message": {"x": 1}}, ("", "", '{"x":1}')),
        ({"title": 7, "content": ["a"]}, ("", "7", '["a"]')),
        ({"title": ""}, ("", "", "")),
    ],
)
def test_columns_are_found_by_their_names(columns: dict[str, Any], found: tuple[str, str, str]) -> None:
    state = Notifications()
    state.apply(story.change("INSERT", "notifications", new={"id": 1} | columns))
    (one,) = state.newest()
    assert (one.kind, one.title, one.message) == found
    assert one.at == story.BEGIN, "a row that doesn't say when it was written is as old as its coming"


@pytest.mark.parametrize(
    ("columns", "column", "is_it"),
    [
        ({"read_at": None}, "read_at", False),
        ({"read_at": "2026-11-22"}, "read_at", True),
        ({"is_read": True, "title": "x"}, "is_read", True),
        ({"read": False}, "read", False),
        ({"seen_at": "2026-11-22", "seen": False}, "seen_at", True),
        ({"title": "x"}, None, False),
    ],
)
def test_the_columns_that_mark_a_notification_as_read(
    columns: dict[str, Any], column: str | None, is_it: bool
) -> None:
    assert (read_column(columns), is_read(columns)) == (column, is_it)


def own(**options: Any) -> Own:
    found = Own("user_id", **options)
    found.user = ME
    return found


def test_only_what_is_the_users_is_kept() -> None:
    kept = own()
    assert kept.keeps(insert(1))
    assert not kept.keeps(insert(2, user_id="somebody"))
    assert not kept.keeps(update(3, user_id="somebody"))
    assert kept.keeps(story.change("INSERT", "notifications", new={"id": 4})), "the server has filtered it"
    assert kept.keeps(Status(at=1, status="READY"))
    assert kept.keeps(Broadcast(at=1, topic="t", event="e"))


def test_a_delete_is_the_users_where_its_row_was() -> None:
    kept = own()
    kept.keeps(insert(1))
    kept.keeps(insert(2, user_id="somebody"))
    assert [kept.keeps(delete(number)) for number in (1, 1, 2, 3)] == [True, False, False, False]
    assert kept.keeps(delete(3, user_id=ME)), "a full replica identity says whose it was"
    assert not kept.keeps(delete(3, user_id="somebody"))


def test_ids_may_be_numbers_and_keys_others() -> None:
    kept = own(key=("user_id", "number"))
    kept.user = "7"
    assert kept.keeps(story.change("INSERT", "n", new={"user_id": 7, "number": 1}))
    assert kept.keeps(story.change("DELETE", "n", old={"user_id": 7, "number": 1}))
    assert not kept.keeps(story.change("INSERT", "n", new={"user_id": 8, "number": 1}))


def test_expressions_count_too() -> None:
    kept = own(include=["urgent"], exclude=["false alarm"])
    assert kept.keeps(insert(1, title="urgent"))
    assert not kept.keeps(insert(2, title="lunch"))
    assert not kept.keeps(insert(3, title="urgent: false alarm"))


def test_news_is_what_nobody_was_shown() -> None:
    new_notifications = [insert(1), story.change("INSERT", "notifications", new=row(2), source="backfill")]
    known = [story.change("INSERT", "notifications", new=row(3), source="snapshot"), update(1), delete(1)]
    assert [is_new_notification(event) for event in (*new_notifications, *known)] == [
        True,
        True,
        False,
        False,
        False,
    ]
