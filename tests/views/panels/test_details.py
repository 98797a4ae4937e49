from __future__ import annotations

from datetime import UTC
from typing import Any

from prt.views.panels.details import DetailsView
from tests.views import story


def shown(*events: Any, width: int = 60, height: int = 40) -> list[str]:
    view = DetailsView(tz=UTC)
    for event in events:
        view.apply(event)
    return [line.plain for line in view.lines(width, height, story.NOW)]


def test_an_update_has_both_sides_of_what_differs_and_nothing_else() -> None:
    lines = shown(
        story.change("INSERT", "project_tasks", new=story.task()),
        story.change("UPDATE", "project_tasks", new=story.task(status="done"), old={"id": story.TASK}),
    )
    assert lines == ["16:45:14 UPDATE project_tasks", "status todo → done"]


def test_of_a_large_json_value_the_lines_that_differ() -> None:
    before = {"crew": [{"name": f"Person {n}", "hours": n} for n in range(40)], "ready": False}
    after = {
        "crew": [{"name": f"Person {n}", "hours": n if n != 20 else 99} for n in range(40)],
        "ready": True,
    }
    lines = shown(
        story.change("INSERT", "t", new={"id": 1, "details": before}),
        story.change("UPDATE", "t", new={"id": 1, "details": after}, old={"id": 1}),
    )
    assert lines == [
        "16:45:14 UPDATE t",
        "details",
        "  …",
        '       "name": "Person 20",',
        '  -    "hours": 20',
        '  +    "hours": 99',
        "      },",
        "  …",
        "     ],",
        '  -  "ready": false',
        '  +  "ready": true',
        "    }",
    ]


def test_of_a_long_text_too() -> None:
    before, after = "one\ntwo\nthree" * 20, "one\nTWO\nthree" + "one\ntwo\nthree" * 19
    lines = shown(story.change("UPDATE", "t", new={"id": 1, "body": after}, old={"id": 1, "body": before}))
    assert "  - two" in lines
    assert "  + TWO" in lines


def test_a_row_that_came_and_one_that_went() -> None:
    row = {"id": 1, "title": "A", "nothing": None}
    came = story.change("INSERT", "t", new=row)
    gone = story.change("DELETE", "t", old={"id": 1})
    assert shown(came)[1:] == ["title A", "id 1", "nothing null"]
    assert shown(came, gone) == ["16:45:14 DELETE t", "title A", "id 1", "nothing null"]


def test_a_row_that_was_unknown_before_is_shown_whole_and_marked() -> None:
    lines = shown(story.change("UPDATE", "t", new={"id": 1, "title": "A"}, old={"id": 1}))
    assert lines[1:] == ["title A", "? the row before is not known"]


def test_a_snapshot_is_no_change() -> None:
    there = story.change("INSERT", "t", new={"id": 1}, source="snapshot")
    assert shown(there) == [""]


def test_errors_and_what_can_t_be_read() -> None:
    assert shown(story.change("INSERT", "t", errors=["Error 401: Unauthorized"]))[1:] == [
        "Error 401: Unauthorized"
    ]


def test_what_does_not_fit_is_counted() -> None:
    row = {"id": 1, **{f"c{n}": n for n in range(20)}}
    lines = shown(story.change("INSERT", "t", new=row), height=5)
    assert (len(lines), lines[-1]) == (5, "+18 lines")
