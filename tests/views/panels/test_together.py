"""Boards, budgets, feeds and figures, alone and together: exact screens of a scripted moment."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from prt.events import Event, Status
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.views.panels.board import PAGE_US, BoardView
from prt.views.panels.budget import BudgetView
from prt.views.panels.dispatch import Sharing
from prt.views.panels.layout import arranged, stacked
from prt.views.panels.page import Page
from prt.views.panels.registry import VIEWS, ViewOptions, made
from prt.views.panels.summary import summary
from prt.views.panels.table import Table
from prt.views.panels.view import View
from tests.views import day, story

SHEET = ("public", "project_tasks")
NAMES = ("board", "budget", "feed", "stats", "details", "table")


def views_of(names: Sequence[str], events: Sequence[Event], **options: Any) -> tuple[Screen, Sequence[View]]:
    screen = Screen()
    views = made(names, ViewOptions(tz=UTC, plan="free", limit=100, sheet=SHEET, **options))(screen)
    sharing = Sharing(screen, views)
    for event in events:
        sharing.apply(event)
    return screen, views


def drawn(
    names: Sequence[str],
    width: int,
    height: int,
    events: Sequence[Event],
    *,
    has_color: bool = False,
    **options: Any,
) -> str:
    screen, views = views_of(names, events, **options)
    page = Page(screen, views, title="abcdefgh.supabase.co", tz=UTC)
    page.now = story.NOW
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        height=height,
        color_system="standard" if has_color else None,
        force_terminal=has_color,
        legacy_windows=False,
        _environ={},
    )
    console.print(page)
    return file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36), (200, 40)])
def test_the_demo_s_three_views_share_the_screen(
    width: int, height: int, golden: Callable[[str, str], None]
) -> None:
    text = drawn(["board", "budget", "feed"], width, height, day.day(), limits={"in_progress": 3})
    assert len(text.splitlines()) <= height
    golden(f"together_{width}.txt", text)


def test_in_colour(golden: Callable[[str, str], None]) -> None:
    golden("together_color.txt", drawn(["board", "budget", "feed"], 80, 24, day.day(), has_color=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (130, 24)])
def test_each_alone(name: str, width: int, height: int, golden: Callable[[str, str], None]) -> None:
    golden(f"view_{name}_{width}.txt", drawn([name], width, height, day.day()))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_sheet_counts_the_columns_that_it_has_no_room_for(width: int) -> None:
    row = {"id": 1, **{f"column_{number}": f"value {number}" for number in range(300)}}
    change = story.change("INSERT", "project_tasks", new=row, source="snapshot")
    screen = Screen()
    (view,) = made(("table",), ViewOptions(tz=UTC, sheet=SHEET))(screen)
    view.apply(change)
    heading, line = (line.plain for line in view.lines(width, 10, story.NOW))
    shown = line.count("val")
    assert len(heading) == width
    assert heading.endswith(f" +{300 - shown}")


def test_the_last_page_of_a_board_is_as_full_as_the_others() -> None:
    columns = ("todo", "in_progress", "review", "done")
    _, (board,) = views_of(["board"], day.day(), columns=columns)
    pages = [[line.plain for line in board.lines(60, 8, number * PAGE_US)] for number in (0, 1)]
    assert [page[0].split("│")[0].split()[0] for page in pages] == ["todo", "in_progress"]
    assert [page[-1].split(" ·")[0] for page in pages] == ["columns 1–3 of 4", "columns 2–4 of 4"]
    assert board.lines(20, 8, 0)[-1].plain.startswith("column 1 of 4")


def test_cards_without_a_person_a_priority_and_a_date_take_one_line_each() -> None:
    rows = [{"id": number, "name": f"Card {number}", "status": "open"} for number in range(9)]
    events = [story.change("INSERT", "project_tasks", new=row, source="snapshot") for row in rows]
    _, (board,) = views_of(["board"], events)
    lines = "\n".join(line.plain for line in board.lines(80, 12, story.NOW))
    assert all(f"Card {number}" in lines for number in range(9))


def test_while_a_card_is_selected_no_other_is_reversed() -> None:
    _, (board,) = views_of(["board"], day.day())
    assert isinstance(board, BoardView)
    moved = [
        span for line in board.lines(120, 20, story.NOW) for span in line.spans if "reverse" in span.style
    ]
    assert moved
    board.press(Intent.DOWN)
    board.press(Intent.DOWN)
    lines = board.lines(120, 20, story.NOW)
    reversed_ = [line.plain for line in lines for span in line.spans if "reverse" in span.style]
    assert len(reversed_) == 1
    assert "❯" in reversed_[0]


def test_why_a_board_is_empty_stands_before_its_page_on_a_narrow_terminal() -> None:
    _, (board,) = views_of(["board"], [ready("public.invoices")], columns=("todo", "review", "done"))
    (*_, foot) = (line.plain for line in board.lines(50, 10, story.NOW))
    assert foot.startswith("project_tasks is not watched: add the TABLE")


def test_a_message_in_the_foot_does_not_lay_a_board_out_anew() -> None:
    _, (board,) = views_of(["board"], day.day())
    full = [line.plain for line in board.lines(120, 9, story.NOW)]
    less = [line.plain for line in board.lines(120, 8, story.NOW)]
    assert less[:6] == full[:6]
    _, (another,) = views_of(["board"], day.day())
    assert [line.plain for line in another.lines(120, 8, story.NOW)][:6] != full[:6]


def test_in_a_low_terminal_budgets_come_before_transactions_until_one_is_selected() -> None:
    _, (view,) = views_of(["budget"], day.day())
    assert isinstance(view, BudgetView)
    low = [line.plain for line in view.lines(80, 6, story.NOW)]
    assert not any("transactions" in line for line in low)
    assert sum("left" in line for line in low[1:]) == 5
    view.press(Intent.END)
    for height in range(4, 12):
        assert any("❯" in line.plain for line in view.lines(80, height, story.NOW))


def ready(table: str) -> Status:
    return Status(at=story.BEGIN, topic="t", status="READY", tables=[table])


@pytest.mark.parametrize(("name", "table"), [("board", "project_tasks"), ("budget", "budgets")])
def test_an_empty_view_whose_table_is_not_watched_explains_that(name: str, table: str) -> None:
    _, (view,) = views_of([name], [ready("public.invoices")])
    lines = [line.plain for line in view.lines(80, 10, story.NOW)]
    assert f"{table} is not watched: add the TABLE {table}" in lines
    refusal = Status(at=story.BEGIN, topic="t", status="CHANNEL_ERROR", tables=[f"public.{table}"])
    _, (view,) = views_of([name], [ready("public.invoices"), refusal])
    assert f"{table} was refused" in [line.plain for line in view.lines(80, 10, story.NOW)]
    _, (view,) = views_of([name], [ready(f"public.{table}")])
    assert "waiting for the first change" in [line.plain for line in view.lines(80, 10, story.NOW)]


def test_a_board_wider_than_the_screen_pages(golden: Callable[[str, str], None]) -> None:
    columns = ("backlog", "todo", "in_progress", "blocked", "review", "done", "archived")
    _, (board,) = views_of(["board"], day.day(), columns=columns)
    pages = [
        "\n".join(line.plain for line in board.lines(80, 8, now))
        for now in (story.NOW, story.NOW + 8_000_000)
    ]
    golden("board_pages.txt", "\n\n".join(pages) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_view_that_waits_names_what_it_waits_for(name: str) -> None:
    _, (view,) = views_of([name], [])
    text = "\n".join(line.plain for line in view.lines(60, 10, story.NOW))
    assert "connecting" in text or name in ("stats", "board")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_or_higher_than_its_place(name: str) -> None:
    _, (view,) = views_of([name], day.day())
    for width in (1, 7, 18, 30, 57, 80, 200):
        for height in (0, 1, 2, 5, 9, 40):
            lines = view.lines(width, height, story.NOW)
            assert len(lines) <= height, (width, height)
            assert max((line.cell_len for line in lines), default=0) <= width, (width, height)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40), st.integers(20, 120))
def test_no_text_steers_the_screen(text: str, width: int) -> None:
    rows = [
        ("project_tasks", {"id": text, "title": text, "status": text, "assignee_id": text, "due_date": text}),
        ("budgets", {"id": text, "name": text, "amount": 1, "currency": text}),
        ("financial_transactions", {"id": text, "budget_id": text, "description": text, "amount": text}),
    ]
    events = [story.change("INSERT", table, at=story.NOW, new=row) for table, row in rows]
    _, views = views_of(NAMES, events)
    for view in views:
        for line in view.lines(width, 20, story.NOW):
            assert line.cell_len <= width
            assert line.plain.isprintable()


def test_summaries() -> None:
    _, views = views_of(["board", "budget", "stats", "table"], day.day(), limits={"in_progress": 3})
    assert [line for view in views for line in view.summary()] == [
        "board: todo 7, in_progress 4, review 6, done 5; 2 moves",
        "! in_progress: 4, at most 3",
        "budgets: 5 budgets · EUR 76,181.75 of 135,500 spent, 49,568.25 left; 3 transactions, 1 alert",
        "at most 2/s, the limit of free is 100/s; 2.3 kB of rows and payloads",
        "project_tasks: 22 rows",
    ]


def test_views_that_do_not_fit_are_named() -> None:
    _, views = views_of(["board", "budget", "feed"], day.day())
    lines = arranged(views, 80, 11, story.NOW)
    assert lines[-1].plain == "no room for feed: a larger terminal shows it"
    assert len(lines) == 11


def test_stacked_each_has_what_it_needs() -> None:
    _, views = views_of(["board", "feed"], day.day())
    text = [line.plain for line in stacked(views, 100, 1000, story.NOW)]
    assert text[0].startswith("── project_tasks by status ─")
    assert not any("more" in line for line in text)
    rule = next(index for index, line in enumerate(text) if line.startswith("── feed"))
    assert text[rule - 1] == ""
    assert len(text) - rule - 1 == len(day.happening())


def test_every_view_of_the_catalog_can_be_made() -> None:
    _, views = views_of(list(VIEWS), day.day())
    assert len({view.title for view in views}) == len(VIEWS)


def test_alerts_stand_among_the_events_they_followed() -> None:
    screen, _ = views_of([], day.day())
    text = [line.plain for line in Table(screen, tz=UTC).lines(100, 30, story.NOW)]
    (row,) = [line for line in text if "critical" in line]
    assert row.startswith("16:45:19.976 ! alert critical: budget 'Tour, travel' spent/amount>=1 (1.042327) ─")
    assert "1 alert" in summary(screen)
