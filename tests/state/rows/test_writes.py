"""A write of our own against those of others: the seed's rule, in every order of arrival."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from msgspec import Raw

from prt.events import Change, Conflict
from prt.state.update import Update
from tests.views.story import change, raw

BASE = {"id": 1, "status": "todo", "title": "Rig", "updated_at": "2026-11-22T16:45:00+00:00"}


def dated(second: int, **columns: Any) -> dict[str, Any]:
    return BASE | columns | {"updated_at": f"2026-11-22T16:45:{second:02d}+00:00"}


def foreign(second: int, **columns: Any) -> Change:
    return change("UPDATE", "tasks", new=dated(second, **columns), old={"id": 1})


class Story:
    """Our write of `status` = doing, whose answer is dated to second 10; `play` what arrives then."""

    def __init__(self, **answer: Any) -> None:
        self.update = Update("public", "tasks", {"id": Raw(b"1")}, {"status": Raw(b'"doing"')})
        self.answer = dated(10, status="doing") | answer
        self.update.found(raw(BASE), 1)
        self.update.apply_locally(2)
        self.conflicts: list[Conflict] = []

    @property
    def echo(self) -> Change:
        return change("UPDATE", "tasks", new=self.answer, old={"id": 1})

    @property
    def shown(self) -> Any:
        row = self.update.row
        return None if row is None else json.loads(row)

    def play(self, *arriving: Change | str) -> Story:
        for one in arriving:
            if isinstance(one, Change):
                self.conflicts += self.update.apply(one)
            else:
                self.conflicts += self.update.commit(raw(self.answer), 3)
        return self

    @property
    def kept(self) -> list[tuple[str, Any, Any]]:
        return [
            (one.kept, json.loads(bytes(one.local)), json.loads(bytes(one.remote))) for one in self.conflicts
        ]


def test_it_is_shown_before_it_is_done_and_confirmed_by_its_own_echo() -> None:
    story = Story()
    assert story.shown == BASE | {"status": "doing"}
    story.play("answer")
    assert (story.shown, story.update.confirmed_at) == (story.answer, None)
    story.play(story.echo)
    assert (story.shown, story.update.confirmed_at, story.kept) == (story.answer, story.echo.at, [])


def test_an_echo_that_is_printed_otherwise_is_one() -> None:
    story = Story()
    story.play("answer")
    printed = story.answer | {"updated_at": "2026-11-22T16:45:10Z"}
    story.play(change("UPDATE", "tasks", new=printed, old={"id": 1}))
    assert story.update.confirmed_at is not None
    assert story.kept == []


@pytest.mark.parametrize(
    ("second", "kept"), [(9, "local"), (10, "local"), (11, "remote")], ids=["earlier", "tie", "later"]
)
def test_of_two_writers_the_later_one_is_kept_a_tie_keeps_ours(second: int, kept: str) -> None:
    other = foreign(second, status="blocked")
    story = Story().play("answer", other)
    assert story.kept == [(kept, story.answer, dated(second, status="blocked"))]
    assert story.shown == (story.answer if kept == "local" else dated(second, status="blocked"))
    assert story.conflicts[0].key == "1"
    assert story.conflicts[0].table == "public.tasks"
    story.play(story.echo)
    assert story.shown == story.answer  # the database has our row last, whoever was kept meanwhile
    assert story.update.confirmed_at is not None


@pytest.mark.parametrize("second", [9, 10, 11])
@pytest.mark.parametrize("is_before_ours", [True, False])
def test_the_order_of_arrival_decides_nothing(second: int, is_before_ours: bool) -> None:
    """The stream has one order; the answer of the database may come at any time."""
    other = foreign(second, status="blocked")
    ends = []
    for order in permutations(range(3)):
        story = Story()
        stream = [other, story.echo] if is_before_ours else [story.echo, other]
        arriving: list[Change | str] = ["answer", *stream]
        if order.index(1) > order.index(2):
            continue
        story.play(*(arriving[place] for place in order))
        ends.append((story.shown, story.kept, story.update.confirmed_at is not None))
    assert len(ends) == 3
    assert ends[0] == ends[1] == ends[2]
    shown, kept, is_confirmed = ends[0]
    assert is_confirmed
    assert shown == (Story().answer if is_before_ours else dated(second, status="blocked"))
    assert len(kept) == (1 if is_before_ours else 0)


def test_what_others_wrote_elsewhere_in_the_row_is_no_conflict() -> None:
    """Ours was written on top of theirs, and has it."""
    story = Story(title="Rig the truss")
    story.play("answer", foreign(9, title="Rig the truss"))
    assert (story.kept, story.shown) == ([], story.answer)
    assert Story().play("answer", foreign(11, title="Rig", status="doing")).kept == []


def test_a_row_that_others_delete_is_gone_and_the_conflict_is_reported() -> None:
    story = Story().play("answer", change("DELETE", "tasks", old={"id": 1}))
    assert story.shown is None
    assert story.kept == [("remote", story.answer, {})]


def test_rows_without_a_date_keep_ours() -> None:
    story = Story()
    undated = {"id": 1, "status": "blocked"}
    story.play("answer", change("UPDATE", "tasks", new=undated, old={"id": 1}))
    assert [kept for kept, _, _ in story.kept] == ["local"]


def test_rolled_back_it_is_what_the_others_made_of_it() -> None:
    story = Story()
    story.update.roll_back("refused", 4)
    assert (story.shown, story.update.failure) == (BASE, "refused")

    story = Story().play(foreign(9, status="blocked"))
    story.update.roll_back("refused", 4)
    assert (story.shown, story.kept) == (dated(9, status="blocked"), [])

    story = Story().play("answer", foreign(9, status="blocked"))
    story.update.roll_back("no echo", 4)
    assert story.shown == dated(9, status="blocked")

    story = Story().play(change("DELETE", "tasks", old={"id": 1}))
    story.update.roll_back("gone", 4)
    assert story.shown is None


def test_a_row_that_is_read_meanwhile_confirms_or_is_older() -> None:
    story = Story().play("answer")
    story.play(change("UPDATE", "tasks", new=BASE, old={"id": 1}, source="backfill"))
    assert (story.shown, story.kept) == (story.answer, [])
    story.play(change("UPDATE", "tasks", new=story.answer, old={"id": 1}, source="backfill"))
    assert story.update.confirmed_at is not None


def test_changes_of_other_rows_do_not_concern_it() -> None:
    update = Story().update
    assert update.concerns(change("UPDATE", "tasks", new=BASE, old={"id": 1}))
    assert update.concerns(change("DELETE", "tasks", old={"id": 1}))
    assert not update.concerns(change("UPDATE", "tasks", new=BASE | {"id": 2}, old={"id": 2}))
    assert not update.concerns(change("UPDATE", "other", new=BASE, old={"id": 1}))
