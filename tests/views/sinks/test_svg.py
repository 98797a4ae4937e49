from __future__ import annotations

import io
from datetime import UTC
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from rich.text import Text

from prt.errors import PrtError
from prt.state.screen import Screen
from prt.views.panels.page import Page
from prt.views.panels.table import Table
from prt.views.sinks.form import Form, OutputForm, opened
from prt.views.sinks.output import LineOutput
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from prt.views.sinks.svg import Pictured, save, svg_of
from tests.views import story
from tests.views.sinks.test_screen import Tty

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> str:
    return "".join(ET.fromstring(svg).itertext()).replace("\xa0", " ")


def page_of(screen: Screen) -> Page:
    return Page(screen, [Table(screen, tz=UTC)], title="abc", tz=UTC)


def story_screen() -> Screen:
    screen = Screen()
    for event in story.story():
        screen.apply(event)
    return screen


def test_a_picture_is_the_same_every_time_and_loads_nothing(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        save(tmp_path / name, page_of(story_screen()), 100, 30, story.NOW)
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert svg == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "url(http" not in svg
    assert "font-face" not in svg
    assert "● connected" in texts_of(svg)
    assert "Rig the front truss" in texts_of(svg)


def test_nothing_in_a_row_becomes_markup() -> None:
    svg = svg_of([Text('</text><script>alert("x")</script> & [bold]')], 60)
    assert "<script>" not in svg
    assert '</text><script>alert("x")</script> & [bold]' in texts_of(svg)


def test_each_part_of_a_line_is_at_its_cells() -> None:
    """Not all renderers set letters as wide as cells are, or keep the spaces that a run begins with."""
    svg = svg_of([Text("  <a> b    漢字   c ")], 30)
    runs = [one for one in ET.fromstring(svg).iter(f"{SVG}text") if "textLength" in one.attrib]
    cell = 12.2
    assert [(run.text, float(run.attrib["x"]), float(run.attrib["textLength"])) for run in runs] == [
        ("<a>\xa0b", pytest.approx(2 * cell), pytest.approx(5 * cell)),
        ("漢字", pytest.approx(11 * cell), pytest.approx(4 * cell)),
        ("c", pytest.approx(18 * cell), pytest.approx(cell)),
    ]


def test_the_size_of_a_picture_is_that_of_columns_and_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = []
    for lines in ("12", "16"):
        monkeypatch.setenv("LINES", lines)
        monkeypatch.setenv("COLUMNS", "70")
        form = Form(kind=OutputForm.JSON, export=tmp_path / "a.svg")
        with opened(form, "abc") as output:
            for event in story.story():
                output.write(event)
            output.close(story.ending())
        _, _, width, height = ET.parse(tmp_path / "a.svg").getroot().attrib["viewBox"].split()
        assert float(width) == pytest.approx(70 * 12.2, abs=30)
        heights.append(float(height))
    assert heights[1] - heights[0] == pytest.approx(4 * 24.4, abs=1)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PrtError, match=r"can't be written: No such file"):
        save(tmp_path / "no" / "a.svg", page_of(story_screen()), 80, 24, story.NOW)


def test_beside_lines_the_picture_is_drawn_at_the_end(tmp_path: Path) -> None:
    path, screen = tmp_path / "a.svg", Screen()
    with (tmp_path / "lines").open("wb") as file:
        lines = LineOutput(file.fileno(), lambda _: b"x\n")
        output = Pictured(lines, path, screen, [Table(screen, tz=UTC)], title="abc", size=(100, 30))
        for event in story.story():
            output.write(event)
        assert not path.exists()
        output.close(story.ending())
    assert "Rig the front truss" in texts_of(path.read_text(encoding="utf-8"))
    assert (tmp_path / "lines").read_bytes().count(b"x") == len(story.story()) + 1


def test_a_screen_is_drawn_as_it_was_last(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    output = ScreenOutput(
        ScreenSettings(host="abc", tz=UTC, export=path),
        console=Console(file=Tty(), width=90, height=20, _environ={"TERM": "xterm"}, legacy_windows=False),
        errors=Console(file=io.StringIO()),
        clock=lambda: story.NOW,
    )
    for event in story.story():
        output.write(event)
    output.close(story.ending())
    assert "● connected" in texts_of(path.read_text(encoding="utf-8"))
