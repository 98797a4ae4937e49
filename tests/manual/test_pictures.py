"""The pictures show what the program draws now. `python -m tests.manual` makes them anew."""

from __future__ import annotations

import re

import pytest

from tests.manual.pages import written
from tests.manual.pictures import DRAWN, PICTURES, RECORDINGS, drawn, text_of

TEXT = "\n".join(written().values())


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_not_stale(name: str) -> None:
    """By its words: how they are drawn is Rich's."""
    assert text_of((PICTURES / f"{name}.svg").read_text(encoding="utf-8")) == text_of(drawn(name))


def test_readme_or_manual_shows_each_of_them() -> None:
    shown = re.findall(r"tests/manual/pictures/(\w+)\.svg\)", TEXT)
    assert set(shown) == set(DRAWN)
    assert {path.stem for path in PICTURES.iterdir()} == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_stands_alone_on_a_dark_ground(name: str) -> None:
    """GitHub shows a picture without what it would load."""
    svg = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert not re.search(r"@font-face|url\((?!#)|\bhref=|<script|<image", svg)
    assert re.search(r'<rect fill="#292929"', svg)
    assert len(svg) < 100_000


def test_recordings_are_small_and_hold_no_key() -> None:
    for path in RECORDINGS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert len(text) < 400_000
        assert not re.search(r"eyJ|sb_(secret|publishable)_|apikey", text)
