"""The layout of several views on one screen: side by side if it's wide enough, otherwise below each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.text import Text

from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import counted
from prt.views.panels.view import View

LEAST_LINES = 5
"""The least lines of a view with its rule; a view with fewer would be useless."""
LEAST_COLUMNS = 80
"""The least width in cells of a view that doesn't define its own."""
_BETWEEN = "  "


def arranged(
    views: Sequence[View], width: int, height: int, now: int, *, is_numbered: bool = False
) -> list[Text]:
    """Return the views in at most `height` lines of at most `width` cells. A single view has no rule.

    Args:
        views: The views in their order.
        width: The most cells of a line.
        height: The most lines.
        now: The time in µs.
        is_numbered: Whether rules have the digits that show a view alone, and a mark on the active view.
    """
    if len(views) == 1:
        return views[0].lines(width, height, now)[:height]
    titles = [safe(view.title) for view in views]
    if is_numbered:
        titles = [f"{'' if number else '▸ '}{number + 1} {title}" for number, title in enumerate(titles)]
    rows = _rows(views, width)
    while len(rows) > max(height // LEAST_LINES, 1):
        rows.pop()
    hidden = views[sum(map(len, rows)) :]
    if hidden:
        height -= 1
    lines: list[Text] = []
    rest = iter(titles)
    for index, row in enumerate(rows):
        share = (height - len(lines)) // (len(rows) - index)
        named = [(next(rest), view) for view in row]
        lines += _side_by_side(named, width, share, now)
    if hidden:
        lines.append(Text(_left_out([*rest], width, is_numbered=is_numbered), "italic"))
    return lines


def _left_out(titles: Sequence[str], width: int, *, is_numbered: bool) -> str:
    """Return the line about views without room; the remedy stays whole before the names of the views."""
    short = ", ".join(title.partition(" ")[0] for title in titles)
    if not is_numbered:
        short = counted(len(titles), "more view")
    remedy = "a digit shows one alone" if is_numbered else "a larger terminal shows it"
    line = f"no room for {', '.join(titles)}: {remedy}"
    return line if cell_len(line) <= width else cut(f"no room for {short}: {remedy}", width)


def stacked(views: Sequence[View], width: int, height: int, now: int) -> list[Text]:
    """Return the views below each other, each only as high as its content.

    Args:
        views: The views in their order.
        width: The most cells of a line.
        height: The most lines of each view.
        now: The time in µs.
    """
    if len(views) == 1:
        return _whole(views[0], width, height, now)
    lines: list[Text] = []
    for view in views:
        lines += [_rule(view.title, width), *_whole(view, width, height, now), Text()]
    return lines[:-1]


def _whole(view: View, width: int, height: int, now: int) -> list[Text]:
    all_lines: Callable[[int, int], list[Text]] | None = getattr(view, "all_lines", None)
    return _trimmed(view.lines(width, height, now) if all_lines is None else all_lines(width, now)[:height])


def _rows(views: Sequence[View], width: int) -> list[list[View]]:
    """Return the views in their order, in rows of as many views as fit side by side."""
    rows: list[list[View]] = []
    room = 0
    for view in views:
        needed = least_width(view)
        if rows and room >= needed + len(_BETWEEN):
            rows[-1].append(view)
            room -= needed + len(_BETWEEN)
        else:
            rows.append([view])
            room = width - needed
    return rows


def least_width(view: View) -> int:
    """Return the least cells that a view needs to share a row with others."""
    return int(getattr(view, "least_width", LEAST_COLUMNS))


def _side_by_side(named: Sequence[tuple[str, View]], width: int, height: int, now: int) -> list[Text]:
    """Return the lines of views with their titles, side by side."""
    widths = _widths([view for _, view in named], width)
    blocks = [
        [_rule(title, each), *view.lines(each, height - 1, now)][:height]
        for (title, view), each in zip(named, widths, strict=True)
    ]
    lines = []
    for number in range(height):
        line = Text(no_wrap=True, overflow="crop")
        for index, (block, each) in enumerate(zip(blocks, widths, strict=True)):
            part = block[number] if number < len(block) else Text()
            line.append_text(part)
            if index < len(blocks) - 1:
                line.append(" " * (each - part.cell_len) + _BETWEEN)
        lines.append(line)
    return lines


def _widths(views: Sequence[View], width: int) -> list[int]:
    """Return the width of each view: the width is divided in proportion to what each of them needs."""
    room = width - len(_BETWEEN) * (len(views) - 1)
    if len(views) == 1:
        return [room]
    needed = [least_width(view) for view in views]
    widths = [room * each // sum(needed) for each in needed]
    return [*widths[:-1], room - sum(widths[:-1])]


def _trimmed(lines: Sequence[Text]) -> list[Text]:
    kept = list(lines)
    while kept and not kept[-1].plain.strip():
        kept.pop()
    return kept


def _rule(title: str, width: int) -> Text:
    text = Text("── ", no_wrap=True, overflow="crop")
    text.append(cut(safe(title), max(width - 4, 0)), "bold").append(" ")
    return text.append("─" * max(width - text.cell_len, 0))
