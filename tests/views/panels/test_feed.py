from __future__ import annotations

import pytest

from prt.errors import UsageError
from prt.state.feed import Feed
from prt.state.screen import Screen
from prt.views.panels.feed import FeedView, templates_of
from tests.views import story


def test_rows_of_a_snapshot_have_no_sentence_and_make_later_ones_better() -> None:
    screen = Screen()
    view = FeedView(screen, Feed(rows=screen.rows))
    row = {"id": 1, "title": "A", "status": "todo"}
    screen.apply(story.change("INSERT", "project_tasks", new=row, source="snapshot"))
    screen.apply(story.change("UPDATE", "project_tasks", new={**row, "status": "done"}, old={"id": 1}))
    (line,) = view.lines(80, 10, story.NOW)
    assert line.plain.endswith("task 'A' moved todo → done")


def test_templates_are_those_of_a_table_or_of_one_of_its_events() -> None:
    templates = templates_of({"t": "{new[a]} came", "t:DELETE": "{old[a]} went"})
    assert templates["t"](story.change("INSERT", "t", new={"a": 1})) == "1 came"
    assert templates["t:DELETE"](story.change("DELETE", "t", old={"a": 1})) == "1 went"


@pytest.mark.parametrize(
    ("name", "text"), [("t", "{nosuch}"), ("t:INSERT", "{new[a]"), ("t:UPDAT", "{new[a]}")]
)
def test_one_that_can_t_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=rf"^feed\.{name}\b"):
        templates_of({"other": "{table}", name: text})
