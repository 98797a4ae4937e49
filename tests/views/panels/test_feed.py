from __future__ import annotations

from datetime import UTC

import pytest

from prt.errors import UsageError
from prt.events import Gap
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


@pytest.mark.parametrize(("is_complete", "outcome"), [(False, "! gap"), (True, "✓ gap")])
def test_a_gap_has_its_outcome_before_what_a_narrow_terminal_cuts(is_complete: bool, outcome: str) -> None:
    screen = Screen()
    view = FeedView(screen, Feed(rows=screen.rows), tz=UTC)
    screen.apply(
        Gap(
            at=story.NOW,
            start=story.NOW - 9_000_000,
            end=story.NOW,
            tables=["public.project_tasks", "public.budgets"],
            cause="127.0.0.1:54321 closed the connection (1012)",
            recovered=10,
            complete=is_complete,
        )
    )
    (line,) = view.lines(80, 10, story.NOW)
    assert outcome in line.plain
    assert f"2 tables · 10 recovered, {'complete' if is_complete else 'incomplete'}" in line.plain


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
