"""The picture for `--export FILE.svg`, which looks the same everywhere and every time.

Rich draws it, but its own frame is replaced because it loads a font from the network.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from prt.errors import PrtError
from prt.events import Change, End, Event
from prt.state.screen import Screen
from prt.views.panels.dispatch import Sharing
from prt.views.panels.page import Page
from prt.views.panels.view import View
from prt.views.sinks.output import Output, Passing

TITLE = "prt"
HEIGHT = 40
"""The lines of a picture if there is no terminal and LINES isn't set."""

_RUN = re.compile(
    r'<text (?P<style>[^>]*?) x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)"'
    r"(?P<rest>[^>]*)>(?P<text>[^<]+)</text>"
)
SPACE = "\xa0"
_PART = re.compile(r"[^\xa0\n]+(?:\xa0[^\xa0\n]+)*")

_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def svg_of(lines: Sequence[Text], width: int) -> str:
    """Return the lines of a screen as SVG, `width` cells wide."""
    console = Console(
        record=True,
        width=width,
        height=max(len(lines), 1),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    return _RUN.sub(_placed, console.export_svg(title=TITLE, code_format=_FORMAT, unique_id=TITLE))


def _placed(run: re.Match[str]) -> str:
    """Return a run of text as parts between wide spaces, each at its own position.

    Some renderers remove leading spaces, or set letters narrower than cells.
    """
    text = unescape(run["text"])
    cell = float(run["length"]) / len(text)  # Rich counts each character as one cell
    texts = []
    for part in _PART.finditer(text):
        x, length = float(run["x"]) + cell_len(text[: part.start()]) * cell, cell_len(part[0]) * cell
        shown = escape(part[0]).replace(SPACE, "&#160;")
        texts.append(
            f'<text {run["style"]} x="{x:.6g}" y="{run["y"]}" textLength="{length:.6g}"{run["rest"]}>'
            f"{shown}</text>"
        )
    return "".join(texts)


def save(path: Path, page: Page, width: int, height: int, now: int) -> None:
    """Save a page as SVG.

    Args:
        path: The file, which is overwritten.
        page: The page to draw.
        width: The width in cells.
        height: The height in lines.
        now: The time to draw (µs).

    Raises:
        PrtError: The file can't be written.
    """
    page.now = now
    try:
        path.write_text(svg_of(page.lines(width, height), width), encoding="utf-8")
    except OSError as exc:
        raise PrtError(
            f"{path} can't be written: {exc.strerror}", "name a file in a folder of yours"
        ) from exc


class Pictured(Passing):
    """An output that passes events on to another one and saves a picture of the views at the end."""

    def __init__(
        self,
        output: Output,
        path: Path,
        screen: Screen,
        views: Sequence[View],
        *,
        title: str,
        size: tuple[int, int],
    ) -> None:
        """Prepare the picture.

        Args:
            output: The other output.
            path: The SVG file.
            screen: The state of the views.
            views: The views to draw.
            title: The title in the head.
            size: The columns and lines of the picture.
        """
        super().__init__(output)
        self._path = path
        self._sharing = Sharing(screen, views)
        self._page = Page(screen, views, title=title)
        self._size = size

    def write(self, event: Event) -> None:
        """Pass an event on to the output, and apply it to the views, which are drawn at the end."""
        super().write(event)
        self._sharing.apply(event)

    def close(self, end: End) -> None:
        """Close the other output, and save the picture."""
        super().close(end)
        self._sharing.apply(end)
        save(self._path, self._page, *self._size, end.at)

    def note(self, change: Change) -> None:
        """Ignore the change, because `write` applies all changes."""

    def show(self, event: Event) -> None:
        """Write an event."""
        self.write(event)
