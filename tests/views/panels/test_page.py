"""The whole screen while it is paused."""

from __future__ import annotations

from datetime import UTC

import pytest

from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.views.panels.page import Page
from prt.views.panels.table import Table
from tests.views import story


def stage() -> tuple[Screen, Page]:
    screen = Screen()
    for event in story.connecting():
        screen.apply(event)
    page = Page(screen, [Table(screen, tz=UTC)], title="abc", tz=UTC)
    page.now = story.NOW
    return screen, page


def texts(page: Page, width: int = 100, height: int = 20) -> list[str]:
    return [line.plain.rstrip() for line in page.lines(width, height)]


def test_paused_the_views_stay_and_the_head_counts_what_came() -> None:
    screen, page = stage()
    screen.apply(story.changes()[0])
    before = texts(page)
    page.press(Intent.PAUSE)
    for event in story.changes()[1:5]:
        screen.apply(event)
    paused = texts(page)
    assert paused[1].startswith("‖ paused · 4 new · 5 events")
    assert paused[2:] == before[2:]
    page.press(Intent.PAUSE)
    assert "‖ paused" not in texts(page)[1]
    assert texts(page)[2:] != before[2:]


@pytest.mark.parametrize(("width", "height"), [(60, 10), (40, 5), (140, 40)])
def test_a_terminal_may_change_its_size_meanwhile(width: int, height: int) -> None:
    screen, page = stage()
    for event in story.changes():
        screen.apply(event)
    texts(page)
    page.press(Intent.PAUSE)
    lines = page.lines(width, height)
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
