"""The pictures of README and manual, drawn from recordings of the demo: the same each time.

The recordings in `recordings/` were made by

    prt demo --view board,budget,feed --duration 45s --record demo.ndjson
    prt demo --view cursors,presence --rate 6 --duration 10s --record cursors.ndjson
    prt tap --record tap.ndjson, with tests/end_to_end/js/page.html (and a service key) in Chromium and
    the faulty apps `binding-refused`, `change-twice` and `push-outside-join` of js/tap.mjs behind it
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from msgspec import Struct

from tests.running import PRT, clean_environment

HERE: Final = Path(__file__).parent
PICTURES: Final = HERE / "pictures"
RECORDINGS: Final = HERE / "recordings"


class Picture(Struct, frozen=True):
    """What is drawn, and in how many columns and lines; a recording of `prt tap` has a view of its own."""

    view: str | None
    recording: str = "demo"
    columns: int = 120
    lines: int = 32


DRAWN: Final = {
    "together": Picture("board,budget,feed", columns=160, lines=44),
    "cursors": Picture("cursors", "cursors"),
    "tap": Picture(None, "tap", lines=30),
    **{name: Picture(name) for name in ("table", "board", "budget", "feed", "stats", "presence")},
}


def drawn(name: str) -> str:
    """The SVG of a picture, made anew by `prt replay`."""
    picture = DRAWN[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.svg")
        played = [PRT, "replay", RECORDINGS / f"{picture.recording}.ndjson", "--quiet", "--json"]
        subprocess.run(
            [*played, *(["--view", picture.view] if picture.view else []), "--export", path],
            env=clean_environment(TZ="UTC", COLUMNS=str(picture.columns), LINES=str(picture.lines)),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return path.read_text(encoding="utf-8")


def text_of(svg: str) -> list[str]:
    """What can be read in a picture, without how it is drawn."""
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [(element.text or "").replace("\xa0", " ") for element in found]


def draw_all() -> None:
    for name in DRAWN:
        (PICTURES / f"{name}.svg").write_text(drawn(name), encoding="utf-8")
