"""Views that are printed once: all that they have, and no more lines than that."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC

import pytest
from rich.console import Console

from prt.events import Event, Loaded
from prt.state.newest import NEWEST
from prt.state.screen import Screen
from prt.views.panels.registry import ViewOptions, made
from prt.views.sinks.once import OnceViews
from tests.views import story


def printed(names: Sequence[str], events: Sequence[Event], width: int = 80, **options: object) -> list[str]:
    file = io.StringIO()
    screen = Screen()
    views = made(names, ViewOptions(tz=UTC, **options))(screen)  # type: ignore[arg-type]
    output = OnceViews(Console(file=file, width=width, color_system=None), screen, views)
    for event in events:
        output.write(event)
    output.close(story.ending())
    return file.getvalue().splitlines()


def cards(count: int, groups: int) -> list[Event]:
    return [
        story.change(
            "INSERT",
            "parts",
            source="snapshot",
            new={"id": number, "title": f"part {number}", "shelf": f"shelf {number % groups}"},
        )
        for number in range(count)
    ]


def test_every_page_of_a_board_with_every_card() -> None:
    lines = printed(["board"], cards(90, 30), board=("public", "parts"), group_by="shelf")
    text = "\n".join(lines)
    assert all(f"shelf {number}" in text for number in range(30))
    assert sum(line.count("part ") for line in lines) == 90
    assert "next in" not in text
    assert max(map(len, lines)) <= 80


def test_a_misspelled_column_is_reported() -> None:
    lines = printed(["board"], cards(3, 1), board=("public", "parts"), group_by="shlef")
    assert lines[-1] == "! no row has a column shlef: --group-by names another"


def test_the_events_without_the_space_before_their_legend() -> None:
    lines = printed(["table"], story.changes())
    assert all(line.strip() for line in lines)
    assert lines[-1].startswith("≈ from the last row seen here")


def test_the_last_line_counts_the_events() -> None:
    lines = printed(["table"], cards(NEWEST + 5, 1))
    assert len(lines) == 1 + NEWEST + 2
    assert lines[-1].startswith(f"the latest {NEWEST} of {NEWEST + 5};")


@pytest.mark.parametrize("name", ["table", "board", "budget"])
def test_nothing_to_see_is_not_waited_for(name: str) -> None:
    loaded = Loaded(at=story.BEGIN, tables=["public.parts"])
    unread = Loaded(at=story.BEGIN, tables=["public.parts"], complete=False)
    options = {"board": ("public", "parts")}
    assert "".join(printed([name], [loaded], **options)).strip() == "no rows that this identity may read"
    assert "".join(printed([name], [unread], **options)).strip() == "nothing came"
    assert "".join(printed(["feed"], [loaded])).strip() == "nothing came"


def test_numbers_are_right_aligned_and_a_misspelled_order_is_reported() -> None:
    rows = [{"id": 1, "n": 9, "t": "9a"}, {"id": 20, "n": None, "t": "b"}, {"id": 3, "n": -10.5, "t": "c"}]
    events = [story.change("INSERT", "parts", new=row, source="snapshot") for row in rows]
    lines = printed(["table"], events, sheet=("public", "parts"), sort="-n")
    assert lines == ["  id     n t ", "  1      9 9a", "  3  -10.5 c ", "  20       b "]
    slip = printed(["table"], events, sheet=("public", "parts"), sort="m")
    assert slip[-1] == "! no row has a column m"
