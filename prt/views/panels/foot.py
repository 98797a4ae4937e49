"""The foot of a live view, above the keys: notes that need attention, and the search and filter in use."""

from __future__ import annotations

from collections.abc import Collection

from rich.text import Text

from prt.inputs import Input
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.state.viewport.kinds import Kind
from prt.state.viewport.viewport import Viewport
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.figures import counted, table_name
from prt.views.drawing.lines import line_of, plain

_MESSAGE_LINES = 3
"""The most lines of a message: a refused write explains why, which is cut in one line of 80 cells."""
_ROOM_OF_FIGURES = 30
"""Cells that are kept free beside the text that is being typed."""


def notes_of(screen: Screen, further: Collection[str], width: int, most: int) -> list[Text]:
    """Return the notes that need attention.

    Args:
        screen: The state whose refusals and alerts are noted.
        further: Further notes, as plain text.
        width: The most cells of a line.
        most: The most lines; the last one counts those that don't fit.
    """
    notes = [*_notes(screen, width), *(line for one in further for line in _lines(f"! {one}", width))]
    if len(notes) > most > 0:
        notes = [*notes[: most - 1], line_of(f"  and {len(notes) - most + 1} lines more", width)]
    return notes


def state_of(
    viewport: Viewport, width: int, message: str, *, is_list: bool, position: tuple[int, int]
) -> list[Text]:
    """Return how the view is searched, filtered and scrolled; no line if there is nothing to report.

    Args:
        viewport: The list of events, or the prompt beside it.
        width: The most cells of a line.
        message: The message since the last key; empty if there is none.
        is_list: Whether the view is a list of events, which can be filtered and scrolled.
        position: The number of the selected match, and how many matches there are.
    """
    prompt = viewport.prompt
    if prompt is None and message:
        lines = wrapped(safe(message), width)
        rest = " ".join(lines[_MESSAGE_LINES - 1 :])
        lines = lines if len(lines) <= _MESSAGE_LINES else [*lines[: _MESSAGE_LINES - 1], cut(rest, width)]
        return [plain(line, "bold") for line in lines]
    parts = []
    if viewport.query:
        index, count = position
        found = f"{index:,} of {count:,}" if index else counted(count, "match", "matches")
        is_searching = prompt is not None and prompt.intent is Intent.SEARCH
        parts.append(found if is_searching else f"/{viewport.query.text}  {found}")
    if viewport.is_narrowed and is_list:
        if viewport.filter and prompt is None:
            parts.append(f"filter: {viewport.filter.text}")
        missing = [kind.value for kind in Kind if kind not in viewport.kinds]
        parts += [f"without {', '.join(missing)}"] if missing else []
        parts.append(f"{viewport.hidden:,} hidden")
    if prompt is None and is_list and not viewport.is_following:
        number, count = viewport.place()
        parts.append(f"row {number:,} of {count:,}")
        parts += [f"↑ {newer:,} newer"] if (newer := viewport.newer()) else []
    if prompt is not None:
        label = "/" if prompt.intent is Intent.SEARCH else "filter: "
        typed = _tail(safe(label + prompt.text), max(width - _ROOM_OF_FIGURES, 10))
        line = Text(typed, "bold", no_wrap=True, overflow="crop").append("▏")
        line.append("  " + " · ".join(parts), "not bold") if parts else None
        line.truncate(width)
        return [line]
    return [line_of(" · ".join(parts), width, "bold")] if parts else []


def _notes(screen: Screen, width: int) -> list[Text]:
    notes: list[Text] = []
    for refusal in screen.refused.values():
        notes += _lines(f"✗ {refusal.table}: {refusal.reason or 'refused'}", width, "bold red")
        if refusal.hint:
            notes += _lines(f"hint: {refusal.hint}", width)
    if screen.last_malformed is not None:
        notes.append(line_of(f"! unreadable frame: {screen.last_malformed.reason}", width, "bold"))
    for schema, table in sorted(screen.keyless):
        notes.append(line_of(f"! {table_name(schema, table)}: no key known, {Input.KEY} names it", width))
    return notes


def _tail(text: str, width: int) -> str:
    """Return the end of the text that is being typed, in `width` characters."""
    return text if len(text) <= width else "…" + text[1 - width :]


def _lines(text: str, width: int, style: str = "") -> list[Text]:
    """Return a text as several uncut lines, because what is to be typed must be complete."""
    return [plain(line, style) for line in wrapped(safe(text), width)]
