"""Several views on one screen, by its size: side by side where it is wide, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from prt.views.cells import cut, safe
from prt.views.view import View

LEAST_LINES = 5
"""Of a view with its rule; with less it shows nothing worth a look."""
LEAST_COLUMNS = 80
_BETWEEN = "  "


def arranged(views: Sequence[View], width: int, height: int, now: int) -> list[Text]:
    """At most `height` lines of at most `width` cells. One view has the screen for itself, without a rule."""
    if len(views) == 1:
        return views[0].lines(width, height, now)[:height]
    columns = min(max((width + len(_BETWEEN)) // (LEAST_COLUMNS + len(_BETWEEN)), 1), len(views))
    most = max(height // LEAST_LINES, 1) * columns
    shown, hidden = views[:most], views[most:]
    if hidden:
        height -= 1
    rows = [shown[start : start + columns] for start in range(0, len(shown), columns)]
    lines: list[Text] = []
    for index, row in enumerate(rows):
        share = (height - len(lines)) // (len(rows) - index)
        lines += _side_by_side(row, width, share, now)
    if hidden:
        names = ", ".join(safe(view.title) for view in hidden)
        lines.append(Text(cut(f"no room for {names}: a larger terminal shows it", width), "italic"))
    return lines


def _side_by_side(views: Sequence[View], width: int, height: int, now: int) -> list[Text]:
    each = (width - len(_BETWEEN) * (len(views) - 1)) // len(views)
    blocks = [[_rule(view.title, each), *view.lines(each, height - 1, now)][:height] for view in views]
    lines = []
    for number in range(height):
        line = Text(no_wrap=True, overflow="crop")
        for index, block in enumerate(blocks):
            part = block[number] if number < len(block) else Text()
            line.append_text(part)
            if index < len(blocks) - 1:
                line.append(" " * (each - part.cell_len) + _BETWEEN)
        lines.append(line)
    return lines


def _rule(title: str, width: int) -> Text:
    text = Text("── ", no_wrap=True, overflow="crop")
    text.append(cut(safe(title), max(width - 4, 0)), "bold").append(" ")
    return text.append("─" * max(width - text.cell_len, 0))
