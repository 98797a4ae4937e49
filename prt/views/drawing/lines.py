"""Lines of a view, which are never wrapped, and never wider or more than there is space for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from prt.views.drawing.cells import cut, safe


def plain(text: str = "", style: str = "") -> Text:
    """Return a line of safe text in one style."""
    return Text(text, style, no_wrap=True, overflow="crop")


def line_of(text: str, width: int, style: str = "") -> Text:
    """Return any text as a safe line, cut at `width` cells."""
    return plain(cut(safe(text), width), style)


def fitted(lines: Sequence[Text], width: int, height: int) -> list[Text]:
    """Return the first `height` lines, each cut at `width` cells."""
    kept = list(lines[: max(height, 0)])
    for line in kept:
        if line.cell_len > width:
            line.truncate(width)
    return kept
