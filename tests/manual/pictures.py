"""The pictures of README and manual, drawn from recordings of the demo: the same each time.

The recordings in `recordings/` were made by

    prt demo --view board,budget,feed --duration 45s --record demo.ndjson
    prt demo --view cursors,presence --rate 6 --duration 10s --record cursors.ndjson
    prt tap --record tap.ndjson, with tests/end_to_end/js/page.html (and a service key) in Chromium and
    the faulty apps `binding-refused`, `change-twice` and `push-outside-join` of js/tap.mjs behind it
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Any, Final, cast
from xml.etree import ElementTree

from msgspec import Struct
from rich.console import Console

from prt.app.controls.editing import EditControls
from prt.stream.recording.file import Recording
from prt.stream.rest.client import Rest
from prt.views.panels.registry import ViewOptions, made
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from prt.views.sinks.svg import svg_of
from tests.running import PRT, clean_environment

HERE: Final = Path(__file__).parent
PICTURES: Final = HERE / "pictures"
RECORDINGS: Final = HERE / "recordings"


class Picture(Struct, frozen=True):
    """What is drawn, and in how many columns and lines; a recording of `prt tap` has a view of its own.

    `keys` are pressed at the end of the recording, in a view that may write.
    """

    view: str | None
    recording: str = "demo"
    columns: int = 120
    lines: int = 32
    keys: tuple[str, ...] = ()


DRAWN: Final = {
    "together": Picture("board,budget,feed", columns=160, lines=44),
    "cursors": Picture("cursors", "cursors"),
    "tap": Picture(None, "tap", lines=30),
    "search": Picture("table", lines=20, keys=("/", *"truck", "enter", "n")),
    "details": Picture("table", keys=("f", *"table=project_tasks event=UPDATE", "enter", "enter")),
    "move": Picture("board", lines=24, keys=("down", "down", "down", ">")),
    **{name: Picture(name) for name in ("table", "board", "budget", "feed", "stats", "presence")},
}


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Slow:
    """A project that takes its time with every write."""

    async def update(self, *_: object) -> list[Any]:
        await asyncio.Event().wait()
        return []


def drawn(name: str) -> str:
    """The SVG of a picture, made anew by `prt replay`, or by the keys of a person."""
    picture = DRAWN[name]
    if picture.keys:
        return asyncio.run(_pressed(picture))
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


async def _pressed(picture: Picture) -> str:
    """The screen after the recording and the keys."""
    assert picture.view is not None
    recording = Recording(RECORDINGS / f"{picture.recording}.ndjson")
    terminal = Console(
        file=_Tty(),
        width=picture.columns,
        height=picture.lines,
        _environ={"TERM": "xterm"},
        legacy_windows=False,
    )
    settings = ScreenSettings(
        host=recording.header.host,
        tz=UTC,
        views_of=made((picture.view,), ViewOptions(tz=UTC)),
        keep=10_000,
        has_keys=True,
        controls=EditControls(cast("Rest", _Slow())),
    )
    output = ScreenOutput(settings, console=terminal, clock=lambda: recording.ended_at)
    async with recording:
        async for events in recording:
            for event in events:
                output.write(event)
    output.flush()
    for key in picture.keys:
        output.press(key)
    output.flush()
    page = output._page
    return svg_of(page.lines(picture.columns, picture.lines), picture.columns)


def text_of(svg: str) -> list[str]:
    """What can be read in a picture, without how it is drawn."""
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [(element.text or "").replace("\xa0", " ") for element in found]


def draw_all() -> None:
    for name in DRAWN:
        (PICTURES / f"{name}.svg").write_text(drawn(name), encoding="utf-8")
