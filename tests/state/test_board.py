from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.state.board import MARKED, Board, Mark
from prt.state.rows.value_order import ordered
from tests.views import story


def task(event: str, number: int, *, at: int = story.BEGIN, source: str = "stream", **columns: Any) -> Any:
    row = {"id": number, "title": f"task {number}", **columns}
    if event == "DELETE":
        return story.change(event, "project_tasks", at=at, old={"id": number}, source=source)
    return story.change(event, "project_tasks", at=at, new=row, old={"id": number}, source=source)


def board_of(*events: Any, **options: Any) -> Board:
    board = Board(**options)
    for event in events:
        board.apply(event)
    return board


def counts(board: Board) -> dict[str, int]:
    return {column.name: column.count for column in board.columns()}


def titles(board: Board, column: str, now: int = story.NOW + MARKED) -> list[str]:
    return [card.title for card in board.cards(column, now)]


def test_the_seed_s_columns_stand_in_the_order_of_their_enum_even_when_empty() -> None:
    board = board_of(task("INSERT", 1, status="done"))
    assert counts(board) == {"todo": 0, "in_progress": 0, "review": 0, "done": 1}


@pytest.mark.parametrize(
    ("given", "seen", "columns"),
    [
        ((), ["done", "blocked", "todo"], ("todo", "blocked", "in_progress", "review", "done")),
        ((), ["odd", "todo"], ("todo", "in_progress", "review", "done", "odd")),
        (("done", "todo"), ["review", "todo"], ("done", "todo", "review")),
    ],
    ids=["usual ones in their place", "unknown ones last", "given ones first"],
)
def test_the_order_of_columns(given: tuple[str, ...], seen: list[str], columns: tuple[str, ...]) -> None:
    assert ordered(given, "project_tasks", "status", seen) == columns


def test_columns_of_an_unknown_table_stand_as_they_came() -> None:
    assert ordered((), "parts", "colour", ["red", "blue"]) == ("red", "blue")


def test_a_card_moves_is_marked_for_a_while_and_goes() -> None:
    board = board_of(
        task("INSERT", 1, status="todo", source="snapshot"),
        task("UPDATE", 1, status="review", at=story.BEGIN + 1),
    )
    assert (counts(board)["todo"], counts(board)["review"], board.moves) == (0, 1, 1)
    assert board.mark(b"1", story.BEGIN + MARKED) == Mark(story.BEGIN + 1, "todo")
    assert board.mark(b"1", story.BEGIN + 1 + MARKED) is None
    board.apply(task("DELETE", 1))
    assert (len(board), titles(board, "review")) == (0, [])


def test_a_change_that_moves_nothing_is_no_move() -> None:
    board = board_of(
        task("INSERT", 1, status="todo", source="snapshot"),
        task("UPDATE", 1, status="todo", priority="high"),
    )
    assert (board.moves, board.mark(b"1", story.BEGIN)) == (0, None)
    assert board.cards("todo", story.NOW)[0].priority == "high"


def test_a_new_card_is_marked_as_one_from_outside_and_a_snapshot_s_is_not() -> None:
    board = board_of(task("INSERT", 1, status="todo"), task("INSERT", 2, status="todo", source="snapshot"))
    assert board.mark(b"1", story.BEGIN) == Mark(story.BEGIN, None)
    assert board.mark(b"2", story.BEGIN) is None


def test_cards_by_position_with_those_just_moved_on_top() -> None:
    board = board_of(
        task("INSERT", 1, status="todo", position=3, source="snapshot"),
        task("INSERT", 2, status="todo", position=1, source="snapshot"),
        task("INSERT", 3, status="todo", position=2, source="snapshot"),
        task("INSERT", 4, status="done", position=9, source="snapshot"),
        task("UPDATE", 4, status="todo", position=9),
    )
    assert titles(board, "todo", story.BEGIN) == ["task 4", "task 2", "task 3", "task 1"]
    assert titles(board, "todo") == ["task 2", "task 3", "task 1", "task 4"]


def test_a_limit_of_work_in_progress() -> None:
    tasks = (task("INSERT", n, status="in_progress") for n in range(3))
    board = board_of(*tasks, limits={"in_progress": 2})
    column = next(one for one in board.columns() if one.name == "in_progress")
    assert (column.count, column.limit, column.is_over_limit) == (3, 2, True)
    board.apply(task("DELETE", 0))
    assert not board.columns()[1].is_over_limit


def test_a_row_without_the_column_stands_apart() -> None:
    board = board_of(task("INSERT", 1), task("INSERT", 2, status=None))
    assert counts(board)["none"] == 2


def test_any_table_by_any_column() -> None:
    board = board_of(
        story.change("INSERT", "parts", new={"id": 1, "name": "Bolt", "colour": "red"}),
        story.change("INSERT", "parts", new={"id": 2, "name": "Nut", "colour": "blue"}),
        table="parts",
        group_by="colour",
    )
    assert (counts(board), titles(board, "red")) == ({"red": 1, "blue": 1}, ["Bolt"])


def test_a_card_is_a_row_as_text() -> None:
    row = {"status": "todo", "priority": "urgent", "assignee_id": "p1", "due_date": "2026-11-24"}
    card = board_of(task("INSERT", 1, **row)).cards("todo", story.NOW)[0]
    assert (card.title, card.priority, card.assignee, card.due) == ("task 1", "urgent", "p1", "2026-11-24")


def test_columns_that_come_and_go_do_not_pile_up() -> None:
    board = Board(table="t", group_by="n")
    for number in range(1000):
        board.apply(story.change("UPDATE", "t", new={"id": 1, "n": number}, old={"id": 1}))
    assert len(board.columns()) <= 101


STATUSES = ["todo", "in_progress", "review", "done"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["INSERT", "UPDATE", "DELETE"]), st.integers(0, 5), st.sampled_from(STATUSES)
        )
    )
)
def test_every_row_is_in_one_column_and_only_rows_are(steps: list[tuple[str, int, str]]) -> None:
    board, rows = Board(), {}
    for event, number, status in steps:
        board.apply(task(event, number, status=status))
        if event == "DELETE":
            rows.pop(number, None)
        else:
            rows[number] = status
    found = {title: name for name in STATUSES for title in titles(board, name)}
    assert found == {f"task {number}": status for number, status in rows.items()}
    assert sum(counts(board).values()) == len(board) == len(rows)


def test_a_column_that_no_row_has_is_known_for_a_slip() -> None:
    board = board_of(task("INSERT", 1, status="todo"), group_by="stauts")
    assert (board.has_groups, counts(board)["none"]) == (False, 1)
    board.apply(task("INSERT", 2, stauts=None))
    assert board.has_groups


def test_an_empty_text_is_no_title_and_nobody_s_name() -> None:
    board = board_of(
        task("INSERT", 1, status="todo", title="", name="Rig", assignee="", priority="", due_date="")
    )
    (card,) = board.cards("todo", story.NOW)
    assert (card.title, card.assignee, card.priority, card.due) == ("Rig", "", "", "")
