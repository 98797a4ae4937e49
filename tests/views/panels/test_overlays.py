"""Golden screens of what lies over the view: search, filter, details, help, a pause, a selection."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC

import pytest

from prt.state.newest import Shown
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.views.drawing.cells import safe
from prt.views.panels.inspection import json_lines
from prt.views.panels.page import Page
from prt.views.panels.table import Table
from tests.views import story

HEIGHT = 26


def stage() -> Page:
    screen = Screen(keep=1_000)
    for event in story.story():
        screen.apply(event)
    page = Page(screen, [Table(screen, tz=UTC)], title="abc.supabase.co", tz=UTC)
    page.now, page.has_keys = story.NOW, True
    page.lines(80, HEIGHT)
    return page


def typed(page: Page, intent: Intent, text: str, *, is_kept: bool = True) -> None:
    page.press(intent)
    viewport = page._screen.viewport
    viewport.type(text)
    if is_kept:
        viewport.accept()


def searched(page: Page) -> None:
    typed(page, Intent.SEARCH, "rig")


def searching(page: Page) -> None:
    typed(page, Intent.SEARCH, "rig", is_kept=False)


def filtered(page: Page) -> None:
    typed(page, Intent.FILTER, "table=project_tasks event=UPDATE")


def details(page: Page) -> None:
    filtered(page)
    page.press(Intent.OPEN)


def helped(page: Page) -> None:
    page.press(Intent.HELP)


def paused(page: Page) -> None:
    page.press(Intent.PAUSE)
    for event in story.changes()[:3]:
        page._screen.apply(event)


def selected(page: Page) -> None:
    page.press(Intent.DOWN)
    page.press(Intent.DOWN)


OVERLAYS = {
    "searched": searched,
    "searching": searching,
    "filtered": filtered,
    "details": details,
    "help": helped,
    "paused": paused,
    "selected": selected,
}


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_drawn_like_this(name: str, width: int, golden: Callable[[str, str], None]) -> None:
    page = stage()
    OVERLAYS[name](page)
    lines = [line.plain.rstrip() for line in page.lines(width, HEIGHT)]
    assert len(lines) == HEIGHT
    assert all(line.cell_len <= width for line in page.lines(width, HEIGHT))
    golden(f"overlay_{name}_{width}.txt", "\n".join(lines) + "\n")


def test_hostile_text_in_details_is_escaped() -> None:
    page = stage()
    typed(page, Intent.FILTER, "table=notifications")
    page.press(Intent.OPEN)
    text = "\n".join(line.plain for line in page.lines(120, 60))
    assert "␛[2J" in text or "\\u001b[2J" in text
    assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("old", "words"), [({"id": 1}, "? the row before is not known"), ({"id": 1, "n": 2}, "no column differs")]
)
def test_details_report_no_difference_only_if_the_row_before_is_known(
    old: dict[str, int], words: str
) -> None:
    screen = Screen()
    page = Page(screen, [Table(screen, tz=UTC)], tz=UTC)
    screen.apply(story.change("UPDATE", "t", new={"id": 1, "n": 2}, old=old))
    page.press(Intent.OPEN)
    lines = [line.plain.strip() for line in page.lines(80, 24)]
    assert lines[lines.index(next(line for line in lines if "── what changed" in line)) + 1] == words


def test_no_value_of_the_json_is_yellow_which_a_light_background_hides() -> None:
    lines = json_lines(b'{"text": "a", "count": 1, "share": 0.5, "is_new": true, "no": null}', 80, 2)
    colours = {str(span.style) for line in lines for span in line.spans}
    assert {"green", "magenta", "cyan"} <= colours
    assert not any("yellow" in colour for colour in colours)


def test_a_search_lays_nothing_out_that_is_not_drawn() -> None:
    """Events are judged by their raw JSON: to lay 10,000 lines out takes half a second for each letter."""
    screen = Screen(keep=10_000)
    for number in range(10_000):
        row = story.task(id=number, title=f"No {number}")
        screen.apply(story.change("INSERT", "t", new=row))
    screen.viewport.window(20)
    screen.viewport.apply(Intent.SEARCH)
    screen.viewport.type("no 99")
    assert screen.viewport.position()[1] == 111
    kept = [one for _, one in screen.newest.since(0)]
    assert not any(isinstance(one, Shown) and one.line is not None for one in kept)


@pytest.mark.parametrize("width", [11, 20, 21])
def test_no_character_of_a_long_value_is_lost(width: int) -> None:
    value = "日本公演のリハーサルé" * 20
    lines = json_lines(json.dumps({"title": value}, ensure_ascii=False).encode(), width, 3)
    assert all(line.cell_len <= width for line in lines)
    assert f'title: "{safe(value)}"' in "".join(line.plain for line in lines)
