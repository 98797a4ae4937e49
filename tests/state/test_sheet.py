from __future__ import annotations

from typing import Any

from prt.state.sheet import LIT, Sheet
from tests.views import story


def sheet_of(*events: Any, table: str = "t", **options: Any) -> Sheet:
    sheet = Sheet("public", table, **options)
    for event in events:
        sheet.apply(event)
    return sheet


def row(
    number: int, event: str = "INSERT", *, source: str = "snapshot", table: str = "t", **columns: Any
) -> Any:
    if event == "DELETE":
        return story.change(event, table, old={"id": number})
    return story.change(event, table, new={"id": number, **columns}, old={"id": number}, source=source)


def column(sheet: Sheet, name: str) -> list[str]:
    columns = sheet.columns()
    return [one.cells[columns.index(name)] for one in sheet.rows(columns, 99, story.NOW)]


def test_rows_stand_as_they_came_and_are_kept_live() -> None:
    sheet = sheet_of(row(2), row(1), row(3, title=None), row(2, "UPDATE", title="x"), row(1, "DELETE"))
    assert column(sheet, "id") == ["2", "3"]
    assert column(sheet, "title") == ["x", ""]


def test_sorted_by_size_then_text_what_is_missing_last_both_ways() -> None:
    values = {1: 10, 2: 9, 3: None, 4: "b", 5: "a", 6: 9.5}
    rows = [row(number, n=value) for number, value in values.items()]
    assert column(sheet_of(*rows, sort="n"), "id") == ["2", "6", "1", "5", "4", "3"]
    assert column(sheet_of(*rows, sort="-n"), "id") == ["4", "5", "1", "6", "2", "3"]


def test_steps_are_sorted_in_their_order() -> None:
    priorities = ["urgent", "low", "high", "medium"]
    rows = [row(n, table="project_tasks", priority=one) for n, one in enumerate(priorities)]
    sheet = sheet_of(*rows, table="project_tasks", sort="priority")
    assert column(sheet, "priority") == ["low", "medium", "high", "urgent"]


def test_a_row_moves_when_its_value_does() -> None:
    sheet = sheet_of(row(1, n=1), row(2, n=2), sort="n")
    assert column(sheet, "id") == ["1", "2"]
    sheet.apply(row(1, "UPDATE", n=3))
    assert column(sheet, "id") == ["2", "1"]


def test_changed_cells_are_lit_for_a_while() -> None:
    sheet = sheet_of(row(1, title="a", n=1), row(1, "UPDATE", source="stream", title="a", n=2))
    columns = sheet.columns()
    (lit,) = sheet.rows(columns, 9, story.BEGIN)
    (later,) = sheet.rows(columns, 9, story.BEGIN + LIT)
    assert {columns[index] for index in lit.lit} == {"n"}
    assert (lit.is_new, later.lit) == (False, frozenset())


def test_a_row_that_comes_is_new_and_one_of_the_snapshot_is_not() -> None:
    sheet = sheet_of(row(1), row(2, source="stream"))
    assert [one.is_new for one in sheet.rows(("id",), 9, story.BEGIN)] == [False, True]


def test_the_key_comes_first_then_the_sorted_column_then_descriptive_ones() -> None:
    columns = {"created_at": "x", "body": "x", "zone": "x", "title": "x", "owner_id": "x"}
    assert sheet_of(row(1, **columns)).columns() == ("id", "title", "body", "zone", "owner_id")
    assert sheet_of(row(1, **columns), sort="created_at").columns()[:2] == ("id", "created_at")
