from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from prt.state.rows.difference import Cell, Line, Origin
from prt.views.drawing.changes import changed, mark_of, whole
from tests.views import story


def line(
    *cells: Cell, event_type: Any = "UPDATE", origin: Origin = "server", errors: tuple[str, ...] = ()
) -> Line:
    return Line(
        at=story.BEGIN,
        lag_ms=1.0,
        schema="public",
        table="t",
        event_type=event_type,
        key="1",
        origin=origin,
        cells=cells,
        errors=errors,
    )


STATUS = Cell("status", "todo", "doing")
LONG = Cell("body", "The quick brown fox jumps over the cat", "The quick brown fox jumps over the dog")


@pytest.mark.parametrize(
    ("shown", "width", "text"),
    [
        (line(STATUS), 80, "status todo → doing"),
        (line(STATUS, origin="seen"), 80, "≈ status todo → doing"),
        (line(Cell("status", None, "doing"), origin="unknown"), 80, "? status doing"),
        (line(Cell("status", None, "doing")), 80, "status ? → doing"),
        (line(STATUS, Cell("n", "1", "2")), 80, "status todo → doing · n 1 → 2"),
        (line(STATUS, Cell("n", "1", "2"), Cell("m", "1", "2")), 24, "status todo → doing +2"),
        (line(STATUS), 15, "stat… to… → do…"),
        (line(LONG), 40, "body …the cat → …the dog"),
        (line(LONG), 200, f"body {LONG.before} → {LONG.after}"),
        (line(), 80, "no column differs"),
        (line(origin="unknown"), 80, "? only the key has a value"),
        (line(event_type="INSERT", origin="unknown"), 80, ""),
        (line(event_type="DELETE", origin="unknown"), 80, "? only the key was sent"),
        (line(Cell("title", "Rig", None), event_type="DELETE", origin="seen"), 80, "≈ title Rig"),
        (line(Cell("title", None, "Rig"), event_type="INSERT"), 80, "title Rig"),
        (line(event_type="INSERT"), 80, ""),
        (line(event_type="INSERT", errors=("Error 401: Unauthorized",)), 80, "Error 401: Unauthorized"),
        (
            line(STATUS, errors=("Error 413: Payload Too Large",)),
            80,
            "Error 413: Payload Too Large  status todo → doing",
        ),
        (line(Cell("\x1b[1m", "\x9b", "\n\u202e")), 80, "␛[1m \\x9b → ␊\\u202e"),
        (
            line(Cell("title", None, "x" * 80), Cell("status", None, "todo"), event_type="INSERT"),
            60,
            "title " + "x" * 36 + "… · status todo",
        ),
    ],
)
def test_what_changed(shown: Line, width: int, text: str) -> None:
    assert changed(shown, width).plain == text


def test_whole_is_the_same_uncut() -> None:
    for shown in (
        line(STATUS, LONG, origin="seen"),
        line(),
        line(event_type="INSERT"),
        line(STATUS, errors=("e", "f")),
    ):
        assert whole(shown) == changed(shown, 1000).plain


def test_the_new_value_stands_out_and_the_old_does_not() -> None:
    text = changed(line(STATUS), 80)
    assert [(text.plain[span.start : span.end], span.style) for span in text.spans] == [("doing", "bold")]


@pytest.mark.parametrize(
    ("shown", "mark"),
    [
        (line(STATUS), None),
        (line(STATUS, origin="seen"), "seen"),
        (line(STATUS, origin="unknown"), "unknown"),
        (line(STATUS, event_type="INSERT", origin="unknown"), None),
        (line(errors=("Error 401: Unauthorized",), origin="unknown"), None),
    ],
)
def test_a_line_is_marked_by_where_its_old_values_come_from(shown: Line, mark: str | None) -> None:
    assert mark_of(shown) == mark


CELLS = st.builds(
    Cell, st.text(max_size=20), st.none() | st.text(max_size=60), st.none() | st.text(max_size=60)
)


@given(
    st.lists(CELLS, max_size=5),
    st.sampled_from(["INSERT", "UPDATE", "DELETE"]),
    st.sampled_from(["server", "seen", "unknown"]),
    st.lists(st.text(max_size=30), max_size=2),
    st.integers(0, 120),
)
def test_it_never_needs_more_than_its_width(
    cells: list[Cell], event_type: str, origin: Any, errors: list[str], width: int
) -> None:
    shown = changed(line(*cells, event_type=event_type, origin=origin, errors=tuple(errors)), width)
    assert cell_len(shown.plain) <= width


@given(st.lists(CELLS, min_size=2, max_size=9), st.integers(20, 120))
def test_columns_that_do_not_fit_are_counted(cells: list[Cell], width: int) -> None:
    text = changed(line(*cells), width).plain
    left_out = len(cells) - 1 - text.count(" · ")
    names = "".join(cell.column + (cell.before or "") + (cell.after or "") for cell in cells)
    if not set(names) & set("·+"):
        assert left_out == 0 or text.endswith(f" +{left_out}")
