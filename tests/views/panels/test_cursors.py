from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.views.panels.cursors import LEAVING, LEFT, RESTING, TRAIL_SEEN, CursorsView
from tests.views import meeting
from tests.views.story import NOW


def view_of(events: Sequence[Event]) -> CursorsView:
    view = CursorsView()
    for event in events:
        view.apply(event)
    return view


def text_of(lines: Sequence[Text]) -> str:
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


def styles_of(lines: Sequence[Text], sign: str) -> set[str]:
    """Of the canvas, the styles of all that is that sign."""
    return {
        str(span.style)
        for line in lines[1:]
        for span in line.spans
        if sign in line.plain[span.start : span.end] and span.style
    }


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 24), (60, 20)])
def test_cursors_on_their_canvas(width: int, height: int, golden: Callable[[str, str], None]) -> None:
    golden(f"cursors_{width}.txt", text_of(view_of(meeting.moves()).lines(width, height, NOW)))


def test_before_the_first_move() -> None:
    assert text_of(CursorsView().lines(80, 24, NOW)).splitlines()[1] == "waiting for the first move"
    assert CursorsView().summary() == ["no cursor moved"]


def test_its_summary() -> None:
    assert view_of(meeting.moves()).summary() == ["64 moves of 5 cursors"]


def test_a_cursor_that_rests_grows_faint_and_its_trail_goes() -> None:
    view = view_of([meeting.move("u", x, 5, at=NOW, name="Ada") for x in (1, 500, 1000)])
    moving, resting = view.lines(80, 24, NOW + 1), view.lines(80, 24, NOW + RESTING)
    (style,) = styles_of(moving, "Ada")
    assert style.startswith("bold ")
    assert styles_of(resting, "Ada") == {style.replace("bold", "dim")}
    assert "•" in text_of(moving)
    assert "•" not in text_of(view.lines(80, 24, NOW + TRAIL_SEEN))
    assert "idle 3 s" in text_of(resting)


def test_one_who_left_is_crossed_out_and_fades() -> None:
    view = view_of([meeting.move("u", 5, 5, at=NOW, name="Ada")])
    view.apply(meeting.presence("leave", "u", at=NOW, topic=meeting.DOCUMENT))
    at_once = text_of(view.lines(80, 24, NOW + 1))
    later = text_of(view.lines(80, 24, NOW + LEAVING))
    assert at_once.count(LEFT) > later.count(LEFT)
    assert [text.splitlines()[0].split(" · ")[0] for text in (at_once, later)] == [
        "document:7: 0 cursors",
        "document:7: 0 cursors",
    ]
    assert "left" in later


def test_everyone_has_a_sign_and_keeps_it() -> None:
    names = ["Ada", "Ana", "Adam", "Anna", "漢字", "漢", "!", ""]
    view = view_of([meeting.move(f"u{n}", n, n, at=NOW + n, name=name) for n, name in enumerate(names)])

    def signs() -> dict[str, str]:
        listed = [line.plain[-34:] for line in view.lines(120, 24, NOW + 10)[1:9]]
        return {line[2:].split("  ")[0].strip(): line[0] for line in listed}

    before = signs()
    assert before["Ada"] == "A"
    assert len(set(before.values())) == len(names)
    view.apply(meeting.move("u0", 7, 7, at=NOW + 11, name="Zoë"))
    assert {name: sign for name, sign in signs().items() if name != "Zoë"} == {
        name: sign for name, sign in before.items() if name != "Ada"
    }
    assert signs()["Zoë"] == "A"


def test_a_user_has_one_colour_wherever_they_come() -> None:
    styles = [
        styles_of(view_of(events).lines(80, 24, NOW + 1), "Ada")
        for events in (
            [meeting.move("u1", 5, 5, at=NOW, name="Ada")],
            [meeting.move("u9", 50, 50, at=NOW), meeting.move("u1", 5, 5, at=NOW, name="Ada")],
        )
    ]
    assert styles[0] == styles[1]


def test_more_cursors_than_lines_are_counted() -> None:
    view = view_of([meeting.move(f"u{number}", number, 5, at=NOW) for number in range(50)])
    assert text_of(view.lines(80, 14, NOW)).splitlines()[-1].endswith("and 38 more")
    assert text_of(view.lines(60, 14, NOW)).splitlines()[-1] == "and 48 more"


_NAME = st.text(max_size=12)
_COORDINATE = st.floats(-2000, 2000)


@given(
    moves=st.lists(st.tuples(_NAME, _NAME, _COORDINATE, _COORDINATE), max_size=12),
    width=st.integers(1, 160),
    height=st.integers(0, 30),
)
def test_no_cursor_leaves_the_canvas(
    moves: list[tuple[str, str, float, float]], width: int, height: int
) -> None:
    view = view_of([meeting.move(user, x, y, at=NOW, name=name) for user, name, x, y in moves])
    lines = view.lines(width, height, NOW)
    assert len(lines) <= height
    assert all(cell_len(line.plain) <= width for line in lines)
    assert all(line.plain.isprintable() for line in lines)
    frame = [line.plain for line in lines if line.plain.startswith("│")]
    assert len({cell_len(line.split("│")[1]) for line in frame}) <= 1


@pytest.mark.parametrize("newest", ["Ada Lovelace", "Ben"])
def test_names_keep_off_each_other(newest: str) -> None:
    """Two letters close to each other on one line: the name that does not fit goes to the other side."""
    page = [
        meeting.move("corner", 1000, 1000, at=NOW),
        *(
            meeting.move(name, x, 500, at=NOW + (name == newest), name=name)
            for name, x in (("Ada Lovelace", 500), ("Ben", 600))
        ),
    ]
    text = text_of(view_of(page).lines(80, 24, NOW + 2))
    assert "Ada Lovelace A   B Ben" in text


def test_a_name_that_does_not_fit_is_cut_or_left_out() -> None:
    page = [
        meeting.move("corner", 1000, 1000, at=NOW),
        *(meeting.move(f"{n}", n * 150, 500, at=NOW, name=f"Ada{n} Lovelace") for n in range(7)),
    ]
    (line,) = [line for line in text_of(view_of(page).lines(80, 24, NOW + 1)).splitlines() if "│A" in line]
    assert line.split("│")[1].split() == [*"AD2345", "6", "Ada6…"]


@pytest.mark.parametrize("x", range(0, 1050, 10))
def test_of_a_wide_letter_no_half_is_left(x: int) -> None:
    """Two cells at a time go by under a cursor that moves over a name."""
    page = [meeting.move("corner", 1000, 1000, at=NOW), meeting.move("u1", 300, 500, at=NOW, name="漢字の人")]
    view = view_of([*page, meeting.move("u2", x, 500, at=NOW + 1, name="字")])
    assert {line.cell_len for line in view.lines(60, 24, NOW + 2)[1:-3]} == {60}
